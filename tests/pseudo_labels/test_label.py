"""Labelling one's own folder of videos, with a picture to look at."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from components.errors import ParametersError
from components.geometry import warp
from components.params import Params
from components.pseudo_labels.label import label_folder, shown
from components.pseudo_labels.storage import LabelRow, read_label, read_labelled, read_rows
from tests.pseudo_labels.labelled import save_labeler
from tests.pseudo_labels.videos import FORM, SMOKE, panning, write_file

REAL = Path("../shared/videos")
PARAMS = SMOKE.model_copy(
    update={"video": FORM, "resources": SMOKE.resources.model_copy(update={"processes": 1, "threads": 1})}
)


def label(videos: Path, folder: Path, *, params: Params = PARAMS, preview: bool = False) -> list[LabelRow]:
    labeler = save_labeler(folder / "labeler")
    label_folder(videos, out=folder / "out", preview=preview, params=params, labeler=labeler)
    return read_rows(folder / "out", LabelRow)


def test_a_folder_of_videos_becomes_a_folder_of_labels(tmp_path: Path) -> None:
    write_file(tmp_path / "in" / "a ball.mp4", panning(11))
    rows = label(tmp_path / "in", tmp_path)
    assert [row.caption for row in rows] == ["a ball", "a ball"]
    assert len(list(read_labelled(tmp_path / "out"))) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "labeler", "out"]  # nothing half done is left


def test_the_warning_is_said_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_file(tmp_path / "in" / "a.mp4", panning(5))
    label(tmp_path / "in", tmp_path, preview=True)
    assert "warning: depth comes from the laptop's labeler" in capsys.readouterr().err
    picture = cv2.imread(str(tmp_path / "out/preview.png"))
    assert picture is not None
    blue, green, red = np.moveaxis(picture[:48].astype(int), -1, 0)
    assert (red - np.maximum(blue, green) > 80).sum() > 200  # text in red above the clips


def test_every_source_is_shown_before_any_is_shown_twice(tmp_path: Path) -> None:
    for number in range(3):
        write_file(tmp_path / "in" / f"{number}.mp4", panning(26, seed=number))
    chosen = shown(label(tmp_path / "in", tmp_path))
    assert [row.source for row in chosen] == ["0.mp4", "1.mp4", "2.mp4"] * 2


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    write_file(tmp_path / "in" / "a.mp4", panning(5))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ParametersError, match="there is something already"):
        label(tmp_path / "in", tmp_path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_folder_without_videos_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(ParametersError, match=r"^--videos: .* holds no video"):
        label(tmp_path / "in", tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_usable_video_is_blamed_on_the_option(tmp_path: Path) -> None:
    write_file(tmp_path / "in" / "short.mp4", panning(3))
    with pytest.raises(ParametersError, match=r"^--videos: no usable video"):
        label(tmp_path / "in", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "labeler"]


@pytest.mark.skipif(not REAL.is_dir(), reason="the two real videos are not beside the project")
def test_both_real_videos_are_labelled_and_their_flow_explains_the_next_frame(tmp_path: Path) -> None:
    form = FORM.model_copy(update={"frames": 17, "height": 64, "width": 64})
    params = PARAMS.model_copy(update={"video": form})
    rows = label(REAL, tmp_path, params=params, preview=True)
    assert {row.source for row in rows} == {"hiker.mp4", "rollercoaster.mp4"}
    for row in rows:
        one = read_label(tmp_path / "out", row)
        frames = one.rgb.astype(float)
        still = np.abs(np.diff(frames, axis=0)).mean()
        warped = np.mean([np.abs(warp(frames[t + 1], one.flow[t]) - frames[t]).mean() for t in range(16)])
        assert warped < (0.9 if row.source == "hiker.mp4" else 0.4) * still  # the hiker hardly moves
