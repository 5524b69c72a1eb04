"""Rows on disk, measured by one process or several, interrupted or not."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.errors import StoppedError
from components.evaluation import measure
from components.evaluation.judge import METRICS
from components.evaluation.measure import measure_rows
from components.evaluation.rows import new_row, read_videos
from components.evaluation.takes import TakePlace, take_places
from components.index import read_index
from tests.evaluation.scenes import FRAMES, SIDE
from tests.evaluation.splits import write_split

CLIPS = 3


class FlatDepth:
    """Every pixel is 5 m away."""

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full(frames.shape[:-1], 5.0, np.float32)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[TakePlace]:
    folder = write_split(tmp_path_factory.mktemp("split"), configurations=CLIPS)
    return take_places(folder, read_index(folder))


@pytest.fixture(scope="module")
def rows(places: list[TakePlace], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("rows")
    true = np.stack([place.read().take1.rgb for place in places])
    for name, samples in (("still", 1), ("late", 2)):
        with new_row(folder / name, FlatDepth(), (CLIPS, samples, FRAMES, SIDE, SIDE)) as writer:
            for sample in range(samples):
                order = np.maximum(np.arange(FRAMES) - 1 - sample, 0) * (name == "late")
                writer.put(slice(0, CLIPS), sample, true[:, order])
    return {name: folder / name for name in ("still", "late")}


def measured(
    places: list[TakePlace], rows: dict[str, Path], work: Path, *, processes: int = 1, stop_after: int = 99
) -> tuple[dict[str, NDArray[np.float64]], list[int]]:
    steps: list[int] = []
    found = measure_rows(
        places,
        rows,
        size=256,
        work=work,
        processes=processes,
        stopped=lambda: sum(steps) >= stop_after,
        advance=steps.append,
    )
    return found, steps


def test_every_row_is_measured_on_every_clip(places: list[TakePlace], rows: dict[str, Path], tmp_path: Path) -> None:
    found, steps = measured(places, rows, tmp_path)
    assert {row: values.shape for row, values in found.items()} == {
        "truth": (CLIPS, 1, len(METRICS)),
        "still": (CLIPS, 1, len(METRICS)),
        "late": (CLIPS, 2, len(METRICS)),
    }
    error = METRICS.index("centroid_error")
    assert (found["truth"][..., error] == 0).all()
    assert (found["late"][:, 0, error] < found["late"][:, 1, error]).all()
    assert (found["late"][:, 1, error] < found["still"][:, 0, error]).all()
    assert sum(steps) == CLIPS


def test_two_processes_find_what_one_finds(
    places: list[TakePlace], rows: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "CLIPS_PER_PROCESS", 1)
    alone, _ = measured(places, rows, tmp_path / "one")
    both, steps = measured(places, rows, tmp_path / "two", processes=2)
    assert sum(steps) == CLIPS
    for row, values in alone.items():
        np.testing.assert_array_equal(values, both[row])


def test_a_stopped_run_goes_on_where_it_was(
    places: list[TakePlace], rows: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = measured(places, rows, tmp_path / "whole")
    with pytest.raises(StoppedError):
        measured(places, rows, tmp_path / "cut", stop_after=2)
    calls: list[int] = []
    original = measure.measure_task

    def counted(task: measure.MeasureTask) -> None:
        calls.append(task.clip)
        original(task)

    monkeypatch.setattr(measure, "measure_task", counted)
    resumed, steps = measured(places, rows, tmp_path / "cut")
    assert calls == [2]
    assert sum(steps) == CLIPS
    for row, values in whole.items():
        np.testing.assert_array_equal(values, resumed[row])


def test_a_row_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with new_row(tmp_path / "row", FlatDepth(), (1, 1, 2, 8, 8)):
            raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        fail()
    assert not (tmp_path / "row").exists()


def test_a_row_holds_what_was_put_and_the_depth_read_off_it(tmp_path: Path) -> None:
    video = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8, 3), dtype=np.uint8)
    with new_row(tmp_path / "row", FlatDepth(), (4, 2, 3, 8, 8)) as writer:
        writer.put(slice(1, 3), 1, video)
    found = read_videos(tmp_path / "row", 2)
    np.testing.assert_array_equal(found.frames[1], video[1])
    assert (found.depth[1] == 5).all()
