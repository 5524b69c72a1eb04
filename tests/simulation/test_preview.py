"""The preview is refused before any clip is read when it cannot be written."""

from pathlib import Path

import pytest

from components.errors import ParametersError
from components.simulation.preview import write_preview


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
