"""A sample that is not whole is told what is wrong with it; one that is whole is told how much it moves."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.registry.contents import Settings
from components.registry.trial import judge_sample, prompt_of_test
from tests.registry.models import CAPTION, make_metrics, make_model

SETTINGS = Settings(frames=5, height=4, width=6, fps=16, sampler_steps=2, noise_level=0.05)


def arrays(**changes: NDArray[np.generic] | None) -> dict[str, NDArray[np.generic] | None]:
    made: dict[str, NDArray[np.generic] | None] = {
        "latents": np.zeros((1, 8, 2, 2, 2), np.float32),
        "rgb": np.zeros((1, 5, 4, 6, 3), np.uint8),
        "depth": np.ones((1, 5, 4, 6), np.float32),
        "foreground": np.ones((1, 5, 4, 6), np.float32),
        "flow": np.ones((1, 4, 4, 6, 2), np.float32),
        "depth_change": np.ones((1, 4, 4, 6), np.float32),
        "visibility": np.ones((1, 4, 4, 6), np.float32),
    }
    return made | changes


def test_a_still_does_not_move() -> None:
    assert judge_sample(arrays(), SETTINGS).motion == 0
    assert judge_sample(arrays(), SETTINGS).wrong == ""


def test_motion_is_the_mean_change_from_frame_to_frame() -> None:
    rgb = np.zeros((1, 5, 4, 6, 3), np.uint8)
    rgb[0, 1::2] = 255  # black, white, black: a difference of unsigned numbers would be 1
    assert judge_sample(arrays(rgb=rgb), SETTINGS).motion == 255


@pytest.mark.parametrize("name", ["latents", "depth", "foreground", "flow", "depth_change", "visibility"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_named(name: str, value: float) -> None:
    broken = np.array(arrays()[name], np.float32)
    broken.flat[3] = value
    assert f"{name} is not finite" in judge_sample(arrays(**{name: broken}), SETTINGS).wrong


@pytest.mark.parametrize("name", ["rgb", "depth", "foreground", "flow", "depth_change", "visibility"])
def test_what_is_missing_or_of_another_shape_is_named(name: str) -> None:
    assert f"has no {name}" in judge_sample(arrays(**{name: None}), SETTINGS).wrong
    assert f"{name} is of shape" in judge_sample(arrays(**{name: np.zeros((1, 2))}), SETTINGS).wrong


def test_the_prompt_is_the_first_clip_that_the_evaluation_shows(tmp_path: Path) -> None:
    make_model(tmp_path)
    make_metrics(tmp_path)
    prompt = prompt_of_test(tmp_path, "wan22")
    assert (prompt.caption, prompt.image.shape) == (CAPTION, (64, 64, 3))
    (tmp_path / "data/evaluation/wan22/samples.npz").unlink()
    with pytest.raises(Phys4dError, match=r"samples\.npz.*evaluate@wan22"):
        prompt_of_test(tmp_path, "wan22")
