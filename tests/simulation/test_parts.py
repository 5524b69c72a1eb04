"""Parts of a split, made apart and brought together, are the whole byte for byte."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.errors import ParametersError
from components.index import INDEX_FILE
from components.params import Params
from components.simulation.generate import count_clips, generate_split, shard_tasks
from components.simulation.guard import Cause, RejectedError
from components.simulation.parts import Part, gather_parts, parse_part
from components.simulation.request import simulate_to_folder
from components.simulation.scene import Motion, Scene
from tests.simulation.test_request import PARAMS, REQUESTED, never

SPLIT = "train"


class Display:
    """Counts clips, and keeps the notes."""

    def __init__(self) -> None:
        self.done = 0
        self.notes: list[str] = []

    def resume(self, done: int) -> None:
        self.done += done

    def advance(self, count: int) -> None:
        self.done += count

    def note(self, text: str) -> None:
        self.notes.append(text)


def small(configurations: int = 5) -> Params:
    """Few small clips, one a shard."""
    simulation = PARAMS.simulation
    train = simulation.splits.train.model_copy(update={"configurations": {"rigid": configurations}})
    changes = {"splits": simulation.splits.model_copy(update={SPLIT: train}), "clips_per_shard": 1}
    video = PARAMS.video.model_copy(update={"frames": 5, "height": 16, "width": 16})
    return PARAMS.model_copy(update={"simulation": simulation.model_copy(update=changes), "video": video})


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def make(folder: Path, part: Part | None = None) -> int:
    """Make a part or the whole; how many clips were made now."""
    display = Display()
    figures = generate_split(small(), split=SPLIT, folder=folder, stopped=never, display=display, part=part)
    assert display.done == count_clips(small(), SPLIT, part) == figures["clips"]
    return int(figures["clips_made_now"])


def test_a_configuration_of_more_clips_than_a_shard_should_hold_has_one_of_its_own() -> None:
    simulation = small(3).simulation
    train = simulation.splits.train.model_copy(update={"views": 3, "takes": 2})
    splits = simulation.splits.model_copy(update={SPLIT: train})
    update = {"simulation": simulation.model_copy(update={"splits": splits, "clips_per_shard": 5})}
    tasks = shard_tasks(PARAMS.model_copy(update=update), SPLIT)
    assert [len(task.configurations) for task in tasks] == [1, 1, 1]


def test_a_rejected_draw_counts_once_however_many_views_and_takes_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()

    def guard_once(scene: Scene, motion: Motion) -> None:
        if not seen:
            seen.add(id(scene))
            raise RejectedError(Cause.JUMP, "as the test wants it")

    monkeypatch.setattr("components.simulation.clips.guard", guard_once)
    params = small(1)
    train = params.simulation.splits.train.model_copy(update={"views": 3, "takes": 2})
    splits = params.simulation.splits.model_copy(update={SPLIT: train})
    simulation = params.simulation.model_copy(update={"splits": splits, "clips_per_shard": 6})
    one_process = params.resources.model_copy(update={"processes": 1})
    params = params.model_copy(update={"simulation": simulation, "resources": one_process})
    made, resumed = Display(), Display()
    figures = generate_split(params, split=SPLIT, folder=tmp_path, stopped=never, display=made)
    assert (figures["clips"], figures["rejected_draws"]) == (6, 1)
    assert made.notes == ["0 draws rejected", "1 draw rejected"]
    assert generate_split(params, split=SPLIT, folder=tmp_path, stopped=never, display=resumed)["rejected_draws"] == 1
    assert resumed.notes == ["1 draw rejected"]


def test_every_shard_is_in_one_part() -> None:
    parts = [Part(number=number, count=3) for number in (1, 2, 3)]
    numbers = [[task.number for task in shard_tasks(small(), SPLIT, part)] for part in parts]
    assert numbers == [[0, 3], [1, 4], [2]]
    assert shard_tasks(small(), SPLIT, Part(number=7, count=8)) == []


def test_the_union_of_parts_is_the_whole(tmp_path: Path) -> None:
    parts = [tmp_path / f"parts/{number}" for number in (1, 2, 3)]
    assert sum(make(folder, Part(number=number, count=3)) for number, folder in enumerate(parts, start=1)) == 5
    assert not list(tmp_path.rglob(INDEX_FILE))
    gather_parts(parts, tmp_path / "union")
    assert make(tmp_path / "union") == 0
    assert make(tmp_path / "whole") == 5
    assert files(tmp_path / "union/split") == files(tmp_path / "whole/split")


@pytest.mark.slow
def test_any_number_of_worker_processes_makes_the_same_bytes(tmp_path: Path) -> None:
    for processes in (1, 2):
        resources = PARAMS.resources.model_copy(update={"processes": processes})
        params = small(2).model_copy(update={"resources": resources})
        folder = tmp_path / str(processes)
        generate_split(params, split=SPLIT, folder=folder, stopped=never, display=Display())
    one, two = (files(tmp_path / processes / "split") for processes in ("1", "2"))
    assert sum(name.endswith(".tar") for name in one) == 2
    assert one == two


def test_a_part_that_is_missing_or_damaged_is_made_again(tmp_path: Path) -> None:
    parts = [tmp_path / "1", tmp_path / "2"]
    for number, folder in enumerate(parts, start=1):
        make(folder, Part(number=number, count=3))
    shard = parts[0] / "split/shard-00003.tar"
    shard.write_bytes(shard.read_bytes()[:-2000])
    gather_parts(parts, tmp_path / "union")
    assert make(tmp_path / "union") == 2
    assert make(tmp_path / "whole") == 5
    assert files(tmp_path / "union/split") == files(tmp_path / "whole/split")


def test_clips_of_ones_own_are_made_in_parts_too(tmp_path: Path) -> None:
    request = replace(REQUESTED, size="16x16")
    out, whole = tmp_path / "clips", tmp_path / "whole"
    for number in (1, 2):
        part = Part(number=number, count=2)
        simulate_to_folder(request, PARAMS, out=out, preview=False, stopped=never, part=part)
        assert not out.exists()
    with pytest.raises(ParametersError, match="holds the clips of another request"):
        simulate_to_folder(replace(request, seed=8), PARAMS, out=out, preview=False, stopped=never)
    assert simulate_to_folder(request, PARAMS, out=out, preview=False, stopped=never)["clips_made_now"] == 0
    simulate_to_folder(request, PARAMS, out=whole, preview=False, stopped=never)
    assert files(out) == files(whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips", "whole"]


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "1/0", "a/b", "1/2/3", "-1/2", ""])
def test_what_is_no_part_is_named(text: str) -> None:
    with pytest.raises(ParametersError, match=r"expected I/N with 1 <= I <= N, such as 2/8"):
        parse_part(text)


def test_a_part_is_read() -> None:
    assert parse_part("2/8") == Part(number=2, count=8)
