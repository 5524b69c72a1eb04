"""The gate passes good clips and names what is wrong with bad ones, with edited rows, and with damaged files."""

import json
import math
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import pytest

from components import quality
from components.clip import SPECIFICATION, Clip
from components.errors import ExitCode, GateRefusedError
from components.index import INDEX_FILE, SUMMARY_FILE, IndexRow, index_row, summary, write_index
from components.parameters.simulation import Split
from components.params import Quality, Video
from components.quality import Check, check_simulation, checks_report, refuse_if_failed
from components.shards import new_shard, shard_name
from tests.clips import make_clip

QUALITY = Quality(
    max_rejected_share=0.2, min_valid_share=0.2, min_moving_share=0.9, min_seen_share=0.25, max_speed=40.0
)
VIDEO = Video.model_construct(frames=5, height=6, width=8, fps=16)
COUNT = 6
BAD = 2  # the clip or row that a test spoils

Changes = dict[str, Any]


def clip_id(number: int) -> str:
    return f"train-rigid-{number:06d}-v0-t0"


def write_split(
    folder: Path,
    spoil: Callable[[Clip], Clip] = lambda clip: clip,
    *,
    numbers: Sequence[int] = range(COUNT),
    bad: Collection[int] = (BAD,),
) -> list[IndexRow]:
    """A split of good clips but for those that are spoilt; three clips a shard."""
    rows = []
    for shard_number in range(0, len(numbers), 3):
        with new_shard(folder / shard_name(shard_number // 3)) as shard:
            for number in numbers[shard_number : shard_number + 3]:
                clip = make_clip(clip_id(number), seed=number)
                clip = spoil(clip) if number in bad else clip
                rows.append(index_row(clip, shard.add(clip)))
    write_index(folder, rows)
    return rows


@cache
def good_split() -> tuple[TemporaryDirectory[str], list[IndexRow]]:
    """A good split, which tests copy, and its rows; it goes away with the process."""
    folder = TemporaryDirectory(prefix="phys4d-split-")
    return folder, write_split(Path(folder.name))


def edit_row(folder: Path, changes: Changes) -> None:
    """Copy a good split and change one row of its index."""
    good, rows = good_split()
    shutil.copytree(good.name, folder, dirs_exist_ok=True)
    rows = rows.copy()
    rows[BAD] = replace(rows[BAD], **changes)
    write_index(folder, rows)


def gate(folder: Path, *, count: int = COUNT) -> list[Check]:
    section = Split(physics="real", configurations={"rigid": count}, views=1, takes=1)
    return check_simulation(folder, split="train", quality=QUALITY, video=VIDEO, section=section)


def refusal(checks: list[Check]) -> str:
    with pytest.raises(GateRefusedError) as error:
        refuse_if_failed(checks, gate="gate", report=Path("report.json"))
    assert error.value.code is ExitCode.GATE_REFUSED
    assert "\n" not in str(error.value)
    return str(error.value)


def failed(checks: list[Check]) -> dict[str, tuple[str, ...]]:
    return {check.expectation.split(" {")[0]: check.rows for check in checks if not check.passed}


def test_good_clips_pass(tmp_path: Path) -> None:
    write_split(tmp_path)
    checks = gate(tmp_path)
    assert [str(check) for check in checks if not check.passed] == []
    refuse_if_failed(checks, gate="gate", report=Path("report.json"))
    assert checks_report(checks)["passed"]


def test_the_order_of_rows_is_free(tmp_path: Path) -> None:
    rows = write_split(tmp_path)
    write_index(tmp_path, [*rows[::2], *rows[1::2]])
    assert failed(gate(tmp_path)) == {}


class TestClips:
    """A clip that agrees with its row and is still not what the split should hold."""

    def test_descriptions(self, tmp_path: Path) -> None:
        """Each clip breaks the expectation of one column, and no other."""
        wrong: list[Changes] = [
            {"split": "test"},
            {"view": 1},
            {"take": -1},
            {"fps": 8},
            {"family": ""},
            {"configuration": "c0ffee"},
            {"caption": "short"},
            {"caption_initial": ""},
        ]
        numbers = range(len(wrong))
        write_split(
            tmp_path,
            lambda clip: replace(clip, meta=replace(clip.meta, **wrong[clip.meta.seed])),
            numbers=numbers,
            bad=numbers,
        )
        found = failed(gate(tmp_path, count=len(wrong)))
        assert len(found) == len(wrong)
        assert {expectation.partition(" expect_column_value")[0]: rows for expectation, rows in found.items()} == {
            column: (clip_id(number),) for number, (column,) in enumerate(wrong)
        }

    def test_arrays(self, tmp_path: Path) -> None:
        """Each clip breaks the expectation of one column; where no pixel hits anything, there is no depth either."""
        wrong: list[tuple[str, str, float]] = [
            ("valid_share", "valid", False),
            ("depth_min", "depth", 0.0),
            ("depth_max", "depth", 1e9),
            ("max_speed", "velocities", 41.0),
            ("moving_share", "poses", 0.0),
            ("seen_share", "segmentation", 1),
            ("max_flow", "flow", 100.0),
        ]
        numbers = range(len(wrong))

        def spoil(clip: Clip) -> Clip:
            _, array, value = wrong[clip.meta.seed]
            return replace(clip, **cast("Changes", {array: np.full_like(getattr(clip, array), value)}))

        write_split(tmp_path, spoil, numbers=numbers, bad=numbers)
        found = failed(gate(tmp_path, count=len(wrong)))
        expected: dict[str, tuple[str, ...]] = {column: (clip_id(number),) for number, (column, *_) in enumerate(wrong)}
        expected["depth_min"] = (clip_id(0), clip_id(1))
        columns = {expectation.split(" ")[0]: rows for expectation, rows in found.items()}
        assert {column: columns.get(column) for column in expected} == expected

    def test_an_object_too_small_to_see(self, tmp_path: Path) -> None:
        def shrink(clip: Clip) -> Clip:
            segmentation = np.minimum(clip.segmentation, 1).astype(np.uint16)
            segmentation[:, 0, :3] = 2
            return replace(clip, segmentation=segmentation)

        write_split(tmp_path, shrink)
        assert "seen_share" in refusal(gate(tmp_path))

    def test_another_category_is_one_too_many_and_one_too_few(self, tmp_path: Path) -> None:
        write_split(tmp_path, lambda clip: replace(clip, meta=replace(clip.meta, category="fluid")))
        counted, foreign = [check for check in gate(tmp_path) if not check.passed]
        assert (counted.bounds, counted.observed) == ({"value": 6, "where": {"category": "rigid"}}, "observed 5")
        assert (foreign.column, foreign.rows) == ("category", (clip_id(BAD),))

    def test_the_same_pictures_under_another_name(self, tmp_path: Path) -> None:
        other = make_clip(seed=0)
        write_split(tmp_path, lambda clip: replace(clip, rgb=other.rgb, depth=other.depth))
        assert failed(gate(tmp_path)) == {"content expect_column_values_to_be_unique": (clip_id(0), clip_id(BAD))}

    def test_what_was_observed_is_said_of_good_columns_too(self, tmp_path: Path) -> None:
        rows = write_split(tmp_path)
        said = {(check.column, check.kind.rsplit("_", 1)[-1]): check.observed for check in gate(tmp_path)}
        speeds = [row.max_speed for row in rows]
        assert said["max_speed", "between"] == f"{min(speeds):.6g} to {max(speeds):.6g}; 0 of 6 clips differ"
        assert said["frames", "set"] == "5; 0 of 6 clips differ"
        assert said["valid_share", "between"] == "1; 0 of 6 clips differ"

    def test_a_missing_frame(self, tmp_path: Path) -> None:
        def shorten(clip: Clip) -> Clip:
            timed = [name for name, (_, shape) in SPECIFICATION.items() if str(shape[0]).startswith("T")]
            return replace(clip, **cast("Changes", {name: getattr(clip, name)[1:] for name in timed}))

        write_split(tmp_path, shorten)
        assert failed(gate(tmp_path)) == {"frames expect_column_values_to_be_in_set": (clip_id(BAD),)}

    def test_a_repeated_view_and_take_of_a_configuration(self, tmp_path: Path) -> None:
        write_split(tmp_path, lambda clip: replace(clip, meta=replace(clip.meta, configuration=f"{0:064x}")))
        rows = (clip_id(0), clip_id(BAD))
        assert failed(gate(tmp_path)) == {"index expect_compound_columns_to_be_unique": rows}

    def test_a_clip_twice(self, tmp_path: Path) -> None:
        rows = write_split(tmp_path, numbers=(0, 1, 2, 3, 4, 4))
        assert rows[4].clip_id == rows[5].clip_id == clip_id(4)
        assert failed(gate(tmp_path))["clip_id expect_column_values_to_be_unique"] == (clip_id(4),)

    @pytest.mark.parametrize("count", [0, COUNT - 1])
    def test_missing_clips_are_counted(self, tmp_path: Path, count: int) -> None:
        write_split(tmp_path, numbers=range(count))
        assert f"observed {count}" in refusal(gate(tmp_path))

    def test_too_many_rejected_draws(self, tmp_path: Path) -> None:
        """Six clips of one family, and two rejected draws of it among eight: above a fifth."""
        rejected = "drop: penetration; drop: overlap at frame 0"
        write_split(tmp_path, lambda clip: replace(clip, meta=replace(clip.meta, attempts=3, rejections=rejected)))
        said = refusal(gate(tmp_path))
        assert "of the draws of rigid/drop at most 20% are rejected" in said
        assert "(2 of 8: overlap at frame 0 1, penetration 1)" in said

    def test_a_family_that_is_rejected_is_not_hidden_by_others(self, tmp_path: Path) -> None:
        rows = write_split(tmp_path, lambda clip: replace(clip, meta=replace(clip.meta, rejections="ramp: too fast")))
        found = {check.expectation: check.observed for check in gate(tmp_path) if not check.passed}
        assert found == {"of the draws of rigid/ramp at most 20% are rejected": "1 of 1: too fast 1"}
        assert summary(rows)["rigid/drop"] == {"configurations": 6, "rejects": {}}
        assert json.loads((tmp_path / SUMMARY_FILE).read_text()) == summary(rows)

    def test_nan_under_a_right_checksum(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def spoil(clip: Clip) -> Clip:
            depth = np.where(np.arange(clip.depth.size).reshape(clip.depth.shape) == 7, np.nan, clip.depth)
            return replace(clip, depth=depth.astype(np.float32), valid=np.zeros_like(clip.valid))

        with monkeypatch.context() as patch:
            patch.setattr(Clip, "validate", lambda clip: None)
            write_split(tmp_path, spoil)
        message = refusal(gate(tmp_path))
        assert f"clip {clip_id(BAD)}: depth[0, 0, 7] is nan" in message
        assert shard_name(0) in message


class TestRows:
    """An index whose rows are not those of its clips: found without any expectation on the index."""

    @pytest.fixture(autouse=True)
    def without_expectations(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """They take most of a gate's time."""
        monkeypatch.setattr(quality, "_expect_frame", lambda *_, **__: [])

    @pytest.mark.parametrize("column", [field.name for field in fields(IndexRow)])
    def test_a_value_that_is_not_there(self, tmp_path: Path, column: str) -> None:
        edit_row(tmp_path, {column: None})
        message = refusal(gate(tmp_path))
        assert f"row {BAD}, clip {None if column == 'clip_id' else clip_id(BAD)}, has no {column}" in message

    @pytest.mark.parametrize("column", [field.name for field in fields(IndexRow) if field.type is float])
    def test_nan(self, tmp_path: Path, column: str) -> None:
        edit_row(tmp_path, {column: math.nan})
        assert f"clip {clip_id(BAD)}, has no {column}" in refusal(gate(tmp_path))

    @pytest.mark.parametrize(
        "changes",
        [
            {"take": 7},
            {"view": -1},
            {"category": "fluid"},
            {"family": "xx"},
            {"seed": -1},
            {"attempts": 2},
            {"objects": 0},
            {"future_determined": False},
            {"valid_share": 0.99},
            {"moving_share": 0.5},
            {"seen_share": 0.5},
            {"max_speed": 1.0},
            {"depth_max": math.inf},
            {"depth_max": -1.0},
            {"max_flow": 0.0},
        ],
        ids=str,
    )
    def test_another_value_than_the_clips(self, tmp_path: Path, changes: Changes) -> None:
        edit_row(tmp_path, changes)
        ((column, value),) = changes.items()
        message = refusal(gate(tmp_path))
        assert f"matches its checksum: {clip_id(BAD)} (clip" in message
        assert f"{column} is {value!r} in the index" in message

    @pytest.mark.parametrize("changes", [{"offset": -5}, {"size": 0}, {"shard": "../shard-00000.tar"}, {"shard": ""}])
    def test_a_place_that_cannot_be(self, tmp_path: Path, changes: Changes) -> None:
        edit_row(tmp_path, changes)
        assert f"row {BAD}, clip {clip_id(BAD)}, has" in refusal(gate(tmp_path))

    @pytest.mark.parametrize("changes", [{"offset": 2**62}, {"size": 2**62}, {"sha256": "0" * 64}, {"shard": "b"}])
    def test_a_place_where_the_clip_is_not(self, tmp_path: Path, changes: Changes) -> None:
        edit_row(tmp_path, changes)
        assert clip_id(BAD) in refusal(gate(tmp_path))

    def test_two_clips_exchanged(self, tmp_path: Path) -> None:
        rows = write_split(tmp_path)
        places = [{name: getattr(row, name) for name in ("offset", "size", "sha256")} for row in rows]
        rows[1], rows[2] = replace(rows[1], **places[2]), replace(rows[2], **places[1])
        write_index(tmp_path, rows)
        assert f"matches its checksum: {clip_id(1)}, {clip_id(2)} (" in refusal(gate(tmp_path))

    def test_two_rows_of_one_place(self, tmp_path: Path) -> None:
        rows = write_split(tmp_path)
        rows[BAD] = replace(rows[1], clip_id=clip_id(BAD), configuration=rows[BAD].configuration)
        write_index(tmp_path, rows)
        message = refusal(gate(tmp_path))
        assert f"matches its checksum: {clip_id(BAD)} (clip {clip_id(BAD)} in" in message
        assert f"its place holds {clip_id(1)}" in message

    def test_a_clip_that_no_row_names(self, tmp_path: Path) -> None:
        rows = write_split(tmp_path)
        write_index(tmp_path, [row for number, row in enumerate(rows) if number != 1])
        message = refusal(gate(tmp_path, count=COUNT - 1))
        assert f"clip {clip_id(2)}: begins at byte {rows[2].offset}" in message

    def test_a_shard_that_no_row_names(self, tmp_path: Path) -> None:
        write_split(tmp_path)
        (tmp_path / "shard-00007.tar").write_bytes(b"")
        assert failed(gate(tmp_path)) == {"every shard is in the index": ()}
        assert "not in its index: shard-00007.tar" in refusal(gate(tmp_path))


@pytest.mark.parametrize("changes", [{"depth_max": math.inf}, {"offset": 2**62}, {"seed": -1}], ids=str)
def test_values_that_are_not_the_clips_do_not_stop_the_expectations(tmp_path: Path, changes: Changes) -> None:
    edit_row(tmp_path, changes)
    checks = gate(tmp_path)
    assert f"matches its checksum: {clip_id(BAD)} (clip" in refusal(checks)
    assert {check.column for check in checks} > {"category", "depth_max", "seed"}


class TestFiles:
    """Damaged files refuse too: the data are bad, not the command."""

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [("deleted", "not found"), ("truncated", "not an index of clips"), ("emptied", "not an index of clips")],
    )
    def test_a_damaged_index(self, tmp_path: Path, damage: str, reason: str) -> None:
        folder = tmp_path / "train"
        write_split(folder)
        index = folder / INDEX_FILE
        content = index.read_bytes()
        index.unlink()
        if damage != "deleted":
            index.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
        message = refusal(gate(folder))
        assert reason in message
        assert "phys4d stage simulate@train --force" in message

    @pytest.mark.parametrize(
        ("damage", "named", "reason"),
        [
            ("emptied", (3, 4, 5), "has 0 bytes"),
            ("deleted", (3, 4, 5), "is not there"),
            ("truncated", (4, 5), "is cut short"),
            ("flipped", (4,), "do not match the index's checksum"),
        ],
    )
    def test_a_damaged_shard(self, tmp_path: Path, damage: str, named: Sequence[int], reason: str) -> None:
        folder = tmp_path / "train"
        row = write_split(folder)[4]
        shard = folder / row.shard
        content = bytearray(shard.read_bytes())
        middle = row.offset + row.size // 2
        content[middle] ^= 1
        length = {"emptied": 0, "truncated": middle}.get(damage, len(content))
        shard.write_bytes(content[:length])
        if damage == "deleted":
            shard.unlink()
        message = refusal(gate(folder))
        assert f"every clip of {row.shard} matches its checksum: {', '.join(map(clip_id, named))} (" in message
        assert reason in message
        assert "phys4d stage simulate@train --force" in message
