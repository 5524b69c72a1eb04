"""Captions come from captions.csv, else from the file's name; a bad table is refused with its place."""

from pathlib import Path

import pytest

from components.errors import ParametersError
from components.pseudo_labels.captions import caption_of, read_captions


def test_a_table_gives_captions(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text('file,caption\na.mp4,"A ball, red."\nb/c.mov, A dog. \n')
    assert read_captions(tmp_path) == {"a.mp4": "A ball, red.", "b/c.mov": "A dog."}


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_bytes("file,caption\r\na.mp4,Brücke\r\n".encode("utf-8-sig"))
    assert read_captions(tmp_path) == {"a.mp4": "Brücke"}


def test_no_table_is_no_captions(tmp_path: Path) -> None:
    assert read_captions(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,caption\na.mp4,Brücke\n".encode("latin-1"), "byte 21 is no UTF-8.*save it as UTF-8"),
        (b"name,text\na.mp4,A ball\n", "expected file, caption"),
        (b"", "expected file, caption"),
        (b"file,caption\na.mp4,A\na.mp4,B\n", "line 3: a.mp4 has a caption already"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "captions.csv").write_bytes(content)
    with pytest.raises(ParametersError, match=message):
        read_captions(tmp_path)


@pytest.mark.parametrize(
    ("name", "caption"),
    [("red_ball-2.mp4", "red ball 2"), ("folder/A dog.MOV", "A dog"), ("___.gif", "___.gif"), ("known.mp4", "Known.")],
)
def test_a_name_is_a_caption_where_there_is_none(name: str, caption: str) -> None:
    assert caption_of(name, {"known.mp4": "Known.", "red_ball-2.mp4": ""}) == caption
