"""Which splits a folder holds, and what is said when it holds none."""

from pathlib import Path

import pytest

from components.dataset.splits import find_splits
from components.errors import ClipError, ParametersError
from components.index import INDEX_FILE, write_index
from tests.dataset.scenes import clip_of, write_split


def test_a_split_and_a_folder_of_splits_are_found(tmp_path: Path) -> None:
    for name in ("train", "more/test"):
        write_split(tmp_path / name, [clip_of(0), clip_of(1)])
    (one,) = find_splits(tmp_path / "train")
    assert (one.name, len(one.rows)) == ("train", 2)
    assert [split.name for split in find_splits(tmp_path)] == ["more/test", "train"]


def test_work_in_progress_is_no_split(tmp_path: Path) -> None:
    write_split(tmp_path / "train", [clip_of(0)])
    write_split(tmp_path / ".phys4d/progress/split", [clip_of(1)])
    assert [split.name for split in find_splits(tmp_path)] == ["train"]


@pytest.mark.parametrize(
    ("place", "message"),
    [("absent", "absent is not a folder"), ("empty", r"empty holds no index\.parquet.*simulate@test")],
)
def test_a_folder_without_clips_is_refused(place: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParametersError, match=message):
        find_splits(tmp_path / place)


def test_an_index_without_rows_is_refused(tmp_path: Path) -> None:
    write_index(tmp_path, [])
    with pytest.raises(ParametersError, match="its index has no rows"):
        find_splits(tmp_path)


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / INDEX_FILE).write_bytes(b"PAR1 not")
    with pytest.raises(ClipError, match=r"train/index\.parquet: not an index of clips"):
        find_splits(tmp_path)
