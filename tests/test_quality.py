"""The gate passes good clips and names what is wrong with bad ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.clip import Clip
from components.errors import ExitCode, GateRefusedError
from components.index import IndexRow, index_row, write_index
from components.params import Quality, Split, Video
from components.quality import Check, check_simulation, checks_report, refuse_if_failed
from components.shards import new_shard
from tests.clips import make_clip

QUALITY = Quality(max_rejected_share=0.2, min_valid_share=0.2, min_moving_share=0.9, max_speed=40.0)
VIDEO = Video.model_construct(frames=5, height=6, width=8, fps=16)
COUNT = 6


def clips() -> list[Clip]:
    return [make_clip(f"train-rigid-{number:06d}-v0-t0", seed=number) for number in range(COUNT)]


def write_split(folder: Path, changes: dict[str, object] | None = None, *, row: int = 2) -> list[IndexRow]:
    """A split of good clips; `changes` are made to one row of its index."""
    rows = []
    with new_shard(folder / "shard-00000.tar") as shard:
        for clip in clips():
            rows.append(index_row(clip, shard.add(clip)))
    rows[row] = replace(rows[row], **(changes or {}))  # type: ignore[arg-type]
    write_index(folder, rows)
    return rows


def gate(folder: Path, *, count: int = COUNT) -> list[Check]:
    section = Split(physics="real", configurations={"rigid": count}, views=1, takes=1)
    return check_simulation(folder, split="train", quality=QUALITY, video=VIDEO, section=section)


def refusal(checks: list[Check]) -> str:
    with pytest.raises(GateRefusedError) as error:
        refuse_if_failed(checks, gate="gate", report=Path("report.json"))
    assert error.value.code is ExitCode.GATE_REFUSED
    return str(error.value)


def test_good_clips_pass(tmp_path: Path) -> None:
    write_split(tmp_path)
    checks = gate(tmp_path)
    assert [str(check) for check in checks if not check.passed] == []
    refuse_if_failed(checks, gate="gate", report=Path("report.json"))
    assert checks_report(checks)["passed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"clip_id": "train-rigid-000000-v0-t0"},
        {"split": "test"},
        {"frames": 4},
        {"fps": 8},
        {"caption": "short"},
        {"caption_initial": ""},
        {"valid_share": 0.1},
        {"depth_min": 0.0},
        {"max_speed": 41.0},
        {"moving_share": 0.0},
        {"sha256": "0" * 64},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_bad_row_is_named(tmp_path: Path, changes: dict[str, object]) -> None:
    rows = write_split(tmp_path, changes)
    message = refusal(gate(tmp_path))
    assert next(iter(changes)) in message or "checksum" in message
    assert rows[2].clip_id in message


def test_a_repeated_view_and_take_of_a_configuration_is_named(tmp_path: Path) -> None:
    write_split(tmp_path, {"configuration": f"{0:064x}"})
    assert "ExpectCompoundColumnsToBeUnique".lower() in refusal(gate(tmp_path)).replace("_", "").lower()


def test_missing_clips_are_counted(tmp_path: Path) -> None:
    write_split(tmp_path)
    assert f"observed {COUNT}" in refusal(gate(tmp_path, count=COUNT + 1))


def test_too_many_rejected_draws_are_refused(tmp_path: Path) -> None:
    write_split(tmp_path, {"attempts": 5})
    assert "attempts" in refusal(gate(tmp_path))


@pytest.mark.parametrize("damage", ["empty", "missing", "flipped"])
def test_a_damaged_shard_is_named_with_its_clips(tmp_path: Path, damage: str) -> None:
    row = write_split(tmp_path)[3]
    shard = tmp_path / row.shard
    content = bytearray(shard.read_bytes())
    content[row.offset + row.size // 2] ^= 1
    shard.write_bytes(b"" if damage == "empty" else bytes(content))
    if damage == "missing":
        shard.unlink()
    message = refusal(gate(tmp_path))
    assert row.shard in message
    assert (row.clip_id in message) == (damage == "flipped") or "and 1 more" in message
