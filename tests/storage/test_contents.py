"""What a published folder is said to hold."""

import hashlib
import json
from pathlib import Path

import pytest

from components.errors import Phys4dError
from components.storage.contents import StoredFile, contents_of, parse_contents


def test_every_file_is_listed_with_its_hash_and_size(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below/one").write_bytes(b"one")
    (tmp_path / "two").touch()
    assert contents_of(tmp_path).files == {
        "below/one": StoredFile(sha256=hashlib.sha256(b"one").hexdigest(), size=3),
        "two": StoredFile(sha256=hashlib.sha256(b"").hexdigest(), size=0),
    }


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"one")
    contents = contents_of(tmp_path)
    assert parse_contents(contents.to_json(), source="here") == contents


def test_files_still_under_way_are_no_contents(tmp_path: Path) -> None:
    (tmp_path / ".fetching").mkdir()
    (tmp_path / ".fetching/rest").touch()
    with pytest.raises(Phys4dError, match="no file to publish"):
        contents_of(tmp_path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(Phys4dError, match="link: a link, expected files"):
        contents_of(tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", ".fetching/x", ""])
def test_a_manifest_cannot_name_files_outside_its_folder(name: str) -> None:
    content = json.dumps({"files": {name: {"sha256": "0", "size": 1}}}).encode()
    with pytest.raises(Phys4dError, match=r"s3://b/k: no manifest .*publish it again"):
        parse_contents(content, source="s3://b/k")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"files": []}', b'{"files": {"a": {}}}', b'{"files": {"a": 1}}'])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(Phys4dError, match="no manifest"):
        parse_contents(content, source="s3://b/k")
