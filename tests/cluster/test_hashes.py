"""Hashes of files and folders: the ones DVC itself writes."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.cluster.hashes import dvc_hash


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files and folders whose names sort differently as paths and as texts."""
    root = tmp_path / "tree"
    for name, content in {"a/b": "1", "a.b": "2", "a-b/c": "3", "é": "4", "empty": "", "A": "line\r\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode())
    return root


def recorded_by_dvc(root: Path, path: str) -> str:
    for command in (["init", "--no-scm", "--quiet"], ["add", "--quiet", path]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=root, check=True)
    return str(yaml.safe_load((root / f"{path}.dvc").read_text())["outs"][0]["md5"])


def test_a_folder_has_the_hash_dvc_gives_it(tree: Path) -> None:
    ours = dvc_hash(tree)
    assert ours == recorded_by_dvc(tree.parent, "tree")
    assert ours.endswith(".dir")


def test_a_file_has_the_md5_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert dvc_hash(tmp_path / "abc") == "900150983cd24fb0d6963f7d28e17f72"  # RFC 1321


def test_compiled_modules_are_no_part_of_a_folder(tree: Path) -> None:
    before = dvc_hash(tree)
    (tree / "a/__pycache__").mkdir()
    (tree / "a/__pycache__/b.pyc").touch()
    assert dvc_hash(tree) == before


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        dvc_hash(tmp_path / "nothing")
