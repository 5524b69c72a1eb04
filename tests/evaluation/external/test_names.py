"""What a model from outside may be called."""

import numpy as np
import pytest

from components.errors import ParametersError
from components.evaluation.external.names import OWN_ROWS, check_name
from components.evaluation.heads import rivals
from components.evaluation.sampling import REFERENCES
from components.stages.evaluate import MODELS
from tests.evaluation.scenes import Disc, disc_clip


def test_every_row_of_the_evaluation_is_taken() -> None:
    clip = disc_clip(Disc())
    heads = rivals(clip, clip.rgb, np.ones(clip.depth.shape[1:]))
    assert {"truth", *REFERENCES, *MODELS, *heads, "evaluation", "external"} == OWN_ROWS


@pytest.mark.parametrize("name", ["sora-2", "Wan2_2", "1", "a" * 64])
def test_names_that_can_be_a_row(name: str) -> None:
    check_name(name, given=True)


@pytest.mark.parametrize("name", ["", "wan2.2", "my model", "../x", "-x", "a" * 65, "base_to_x", "é"])
def test_names_that_would_break_a_key_or_a_path(name: str) -> None:
    with pytest.raises(ParametersError, match=r"--name .*; expected letters, digits, - and _"):
        check_name(name, given=True)


def test_an_own_row_is_refused_and_the_folder_is_blamed() -> None:
    with pytest.raises(ParametersError, match=r"--videos: its folder is called 'base', .*give another with --name"):
        check_name("base", given=False)
