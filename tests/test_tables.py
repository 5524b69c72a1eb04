"""Rows of a dataclass as a Parquet file: the same rows, the same bytes, and every fault named."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.errors import ClipError
from components.tables import encode_table, read_table


@dataclass(frozen=True, kw_only=True)
class Row:
    """One of each type."""

    clip_id: str
    count: int
    share: float
    good: bool


@dataclass(frozen=True, kw_only=True)
class OtherRow:
    """A row of another table."""

    clip_id: str
    size: int


ROWS = [Row(clip_id=f"clip-{number}", count=number, share=number / 3, good=number > 0) for number in range(3)]


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(encode_table(ROWS, Row))
    assert read_table(path, Row, remedy="make it again") == ROWS


def test_no_rows_are_a_table_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(encode_table([], Row))
    assert read_table(path, Row, remedy="make it again") == []


def test_the_same_rows_give_the_same_bytes() -> None:
    assert encode_table(ROWS, Row) == encode_table(list(ROWS), Row)


def missing(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def of_other_columns(path: Path) -> None:
    path.write_bytes(encode_table([OtherRow(clip_id="a", size=1)], OtherRow))


def with_a_hole(path: Path) -> None:
    path.write_bytes(encode_table([ROWS[0], Row(clip_id="b", count=1, share=float("nan"), good=True)], Row))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (missing, "not found"),
        (cut_short, "not an index of clips"),
        (of_other_columns, "its columns are not those of the contract: count, good, share, size"),
        (with_a_hole, "row 1, clip b, has no share"),
    ],
)
def test_a_fault_is_named_with_what_to_do(tmp_path: Path, spoil: Callable[[Path], None], message: str) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(encode_table(ROWS, Row))
    spoil(path)
    with pytest.raises(ClipError, match=f"{message}.*; make it again") as error:
        read_table(path, Row, remedy="make it again")
    assert "\n" not in str(error.value)
