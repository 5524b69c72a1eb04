"""Which features compare sets of videos, and what a network that does not fit is told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.errors import ParametersError, Phys4dError, StoppedError
from components.evaluation.generative import chosen_features, features_of_rows, network_hash

SHAPE = (3, 8, 8)


class Means(torch.nn.Module):
    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return video.mean((2, 3, 4))


class Halves(torch.nn.Module):
    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return (video - video.mean()) / video.std()  # of a black video no number


class Pair(torch.nn.Module):
    def forward(self, video: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return video + other


def saved(path: Path, module: torch.nn.Module) -> str:
    torch.jit.script(module).save(path)
    return str(path)


def videos(clips: int = 4) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (clips, 2, *SHAPE, 3), np.uint8)


def test_without_a_network_the_features_are_of_pixels_and_say_so() -> None:
    assert chosen_features(None, shape=SHAPE).name == "frechet_pixel_features"


def test_a_network_names_the_figure_without_dots(tmp_path: Path) -> None:
    path = saved(tmp_path / "i3d.kinetics-400.pt", Means())
    features = chosen_features(path, shape=SHAPE)
    assert features.name == "frechet_i3d_kinetics_400"
    found = features_of_rows({"base": videos()}, features, tmp_path / "work", lambda: None)["base"]
    np.testing.assert_allclose(found, videos().mean(axis=(2, 3, 4)), rtol=1e-5)
    assert network_hash(path) != network_hash(saved(tmp_path / "other.pt", Halves()))


@pytest.mark.parametrize(
    ("module", "words"), [(Halves(), "gives 576 features, expected finite"), (Pair(), "does not take a video")]
)
def test_a_network_that_does_not_fit_names_the_field(tmp_path: Path, module: torch.nn.Module, words: str) -> None:
    with pytest.raises(ParametersError, match=rf"evaluation\.frechet_network: .*net\.pt {words}"):
        chosen_features(saved(tmp_path / "net.pt", module), shape=SHAPE)


def test_a_missing_file_names_the_field(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=r"evaluation\.frechet_network: .*none\.pt is not a file"):
        chosen_features(str(tmp_path / "none.pt"), shape=SHAPE)


def test_rows_that_were_read_are_kept(tmp_path: Path) -> None:
    features = chosen_features(None, shape=SHAPE)
    first = features_of_rows({"base": videos()}, features, tmp_path, lambda: None)

    def stop() -> None:
        raise StoppedError("stopped")

    again = features_of_rows({"base": videos()}, features, tmp_path, stop)
    np.testing.assert_array_equal(first["base"], again["base"])
    with pytest.raises(StoppedError):
        features_of_rows({"stage3": videos()}, features, tmp_path, stop)


def test_features_of_changing_length_are_refused(tmp_path: Path) -> None:
    class Growing:
        name, calls = "frechet_growing", 0

        def __call__(self, video: NDArray[np.uint8]) -> NDArray[np.float64]:
            self.calls += 1
            return np.zeros(self.calls)

    with pytest.raises(Phys4dError, match="differ in length"):
        features_of_rows({"base": videos()}, Growing(), tmp_path, lambda: None)
