"""The preview shows all kinds of clips, and is refused before any is read when it cannot be written."""

from dataclasses import replace
from pathlib import Path

import pytest

from components.errors import ParametersError
from components.index import index_row
from components.shards import Extent
from components.simulation.preview import spread, write_preview
from tests.clips import make_clip


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("preview.xyz", r"ends with '\.xyz', expected one of \.png, \.jpg"),
        ("preview", "ends with '', expected one of"),
        ("folder", r"is a folder, expected a picture: write .*folder/preview\.png"),
        ("folder.png", "is a folder"),
        ("file/preview.png", "file is a file, expected a folder"),
    ],
)
def test_a_picture_that_cannot_be_written_is_refused_first(tmp_path: Path, out: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ParametersError, match=message):
        write_preview(tmp_path / "no clips", clips=1, out=tmp_path / out)


def test_a_few_clips_are_of_as_many_categories_and_families_as_there_are() -> None:
    extent = Extent(clip_id="x", shard="shard-00000.tar", offset=0, size=1, sha256="0")
    row = index_row(make_clip(), extent)
    kinds = ["rigid/drop", "rigid/drop", "rigid/ramp", "fluid/pour", "fluid/pour", "rope/line"]
    rows = [
        replace(row, category=kind.split("/")[0], family=kind.split("/")[1], view=view)
        for kind in kinds
        for view in (0, 1)
    ]
    chosen = [f"{row.category}/{row.family}" for row in spread(rows, 5)]
    assert chosen == ["rigid/drop", "fluid/pour", "rope/line", "rigid/ramp", "fluid/pour"]
    assert len(spread(rows, 99)) == len(kinds)  # one view of each
