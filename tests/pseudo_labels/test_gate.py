"""The gate passes good labels, and names the videos whose labels are bad, damaged or not what the index says."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from numpy.typing import NDArray

from components.errors import ExitCode, GateRefusedError
from components.params import PseudoLabels, Video
from components.pseudo_labels.gate import check_pseudo_labels
from components.pseudo_labels.storage import LabelledVideo
from components.quality import Check, refuse_if_failed
from tests.pseudo_labels.labelled import edit_row, make_labelling, rewrite, run
from tests.pseudo_labels.videos import FORM, SMOKE

BAD = 2  # the video that a test spoils
NAME = "video-00001-01-0000"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    labelling = make_labelling(folder, folder / "work")
    run(labelling)
    return labelling.result


@pytest.fixture
def labels(good: Path, tmp_path: Path) -> Path:
    return copytree(good, tmp_path / "pseudo_labels")


def gate(folder: Path, *, video: Video = FORM, section: PseudoLabels = SMOKE.pseudo_labels) -> list[Check]:
    return check_pseudo_labels(folder, section=section, video=video)


def refusal(checks: list[Check]) -> str:
    with pytest.raises(GateRefusedError) as error:
        refuse_if_failed(checks, gate="gate", report=Path("report.json"))
    assert error.value.code is ExitCode.GATE_REFUSED
    assert "\n" not in str(error.value)
    return str(error.value)


def test_good_labels_pass(labels: Path) -> None:
    assert [str(check) for check in gate(labels) if not check.passed] == []


def put(array: NDArray[np.float32], value: float) -> NDArray[np.float32]:
    spoilt = array.copy()
    spoilt.flat[7] = value
    return spoilt


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
@pytest.mark.parametrize("field", ["depth", "flow", "confidence"])
def test_a_label_that_is_no_finite_number_is_refused(labels: Path, field: str, value: float) -> None:
    def spoil(one: LabelledVideo) -> LabelledVideo:
        return replace(one, **{field: put(getattr(one, field), value)})  # type: ignore[arg-type]

    rewrite(labels, spoil, numbers=(BAD,))
    message = refusal(gate(labels))
    assert "finite_share" in message
    assert NAME in message


def flat(one: LabelledVideo) -> LabelledVideo:
    return replace(one, depth=np.ones_like(one.depth))


def unsure(one: LabelledVideo) -> LabelledVideo:
    return replace(one, confidence=one.confidence * np.float32(0.3))


def wild(one: LabelledVideo) -> LabelledVideo:
    return replace(one, flow=one.flow + np.float32(33))


@pytest.mark.parametrize(("spoil", "column"), [(flat, "depth_spread"), (unsure, "mean_confidence"), (wild, "max_flow")])
def test_as_many_bad_videos_pass_as_parameters_allow_and_no_more(
    labels: Path, spoil: Callable[[LabelledVideo], LabelledVideo], column: str
) -> None:
    half = SMOKE.pseudo_labels.model_copy(update={"max_rejected_share": 0.5})
    rewrite(labels, spoil, numbers=(0, 2, 4))
    assert all(check.passed for check in gate(labels, section=half))
    rewrite(labels, spoil, numbers=(1,))
    message = refusal(gate(labels, section=half))
    assert column in message
    assert "video-00000-00-0001" in message


def test_videos_of_another_format_are_refused(labels: Path) -> None:
    message = refusal(gate(labels, video=FORM.model_copy(update={"frames": 9})))
    assert "frames" in message
    assert NAME in message


def test_an_index_that_does_not_say_what_the_clip_says_is_refused(labels: Path) -> None:
    edit_row(labels, BAD, mean_confidence=1.0)
    assert f"clip {NAME}: mean_confidence is 1.0 in the index" in refusal(gate(labels))


def test_a_flipped_byte_is_refused_with_its_clip_and_stage(labels: Path) -> None:
    shard = labels / "shard-00000.tar"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    message = refusal(gate(labels))
    assert "video-00001-01-000" in message
    assert "phys4d stage pseudo_label --force" in message


def test_a_missing_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pseudo_labels").mkdir()
    message = refusal(gate(tmp_path / "pseudo_labels"))
    assert "index.parquet: not found" in message
    assert "phys4d stage pseudo_label --force" in message
