"""A stage's entry of dvc.lock: it travels unchanged, and is held against the graph it comes to."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.cluster.entry import LockEntry, disagreements, parse_entry, recorded_entry
from components.cluster.hashes import dvc_hash
from components.errors import Phys4dError
from components.pipeline.graph import GraphStage, load_graph

DVC_YAML = {
    "stages": {
        "make": {"cmd": "make ${rate}", "deps": ["make.py"], "params": ["rate"], "outs": ["data/a"]},
        "use": {"cmd": "use", "deps": ["data", "use.py", "templates"], "params": ["seed"], "outs": ["model"]},
    }
}
RECORDED = """schema: '2.0'
stages:
  make:
    cmd: make 1e-05
    deps:
    - path: make.py
      hash: md5
      md5: {make}
      size: 1
    params:
      params.yaml:
        rate: 1e-05
    outs:
    - path: data/a
      hash: md5
      md5: aaaa
      size: 1
  use:
    cmd: use
    deps:
    - path: data
      hash: md5
      md5: dddd.dir
      size: 1
      nfiles: 1
    - path: templates
      hash: md5
      md5: {templates}
      size: 1
      nfiles: 1
    - path: use.py
      hash: md5
      md5: {use}
      size: 1
    params:
      params.yaml:
        seed: 0
    outs:
    - path: model
      hash: md5
      md5: mmmm
      size: 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two stages that were done; the second reads a folder that the first writes into, and one of git."""
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(DVC_YAML))
    (tmp_path / "params.yaml").write_text("rate: 0.00001\nseed: 0\n")
    (tmp_path / "templates").mkdir()
    for name in ("make.py", "use.py", "templates/page"):
        (tmp_path / name).write_text(name)
    digests = {name: dvc_hash(tmp_path / path) for name, path in CODE.items()}
    (tmp_path / "dvc.lock").write_text(RECORDED.format(**digests))
    return tmp_path


CODE = {"make": "make.py", "use": "use.py", "templates": "templates"}


def graph_of(root: Path) -> dict[str, GraphStage]:
    return load_graph(root)


def entry(root: Path, name: str = "use") -> LockEntry:
    return recorded_entry(root, graph_of(root), name)


def edited(root: Path, **changes: Any) -> LockEntry:  # noqa: ANN401 -- any part of an entry
    found = entry(root)
    return replace(found, recorded={**found.recorded, **changes})


def test_it_travels_unchanged(project: Path) -> None:
    for name in ("make", "use"):
        sent = entry(project, name)
        assert parse_entry(sent.to_yaml(), source="here") == sent
        assert parse_entry(sent.to_yaml(), source="here").to_yaml() == sent.to_yaml()


def test_numbers_keep_their_spelling(project: Path) -> None:
    assert b"rate: 1e-05\n" in entry(project, "make").to_yaml()


def test_what_was_recorded_here_agrees_with_here(project: Path) -> None:
    graph = graph_of(project) | {"make": replace(graph_of(project)["make"], command="make 1e-05")}
    assert disagreements(entry(project, "make"), project, graph) == []
    assert disagreements(entry(project, "use"), project, graph) == []


def test_a_folder_around_outs_is_read_from_these(project: Path) -> None:
    assert entry(project).read == {"data/a": "aaaa"}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"cmd": "use --more"}, "its command"),
        ({"deps": []}, "the list of what it reads"),
        ({"outs": []}, "the list of what it makes"),
        ({"params": {"params.yaml": {"seed": 1}}}, "parameter seed"),
        ({"params": {"params.yaml": {"seed": 0, "rate": 1}}}, "parameter rate"),
        ({"params": {}}, "parameter seed"),
    ],
)
def test_every_difference_is_named(project: Path, changes: dict[str, Any], word: str) -> None:
    assert disagreements(edited(project, **changes), project, graph_of(project)) == [word]


@pytest.mark.parametrize(("path", "name"), [("use.py", "use.py"), ("templates/page", "templates")])
def test_files_of_git_are_compared_by_what_they_hold_now(project: Path, path: str, name: str) -> None:
    sent = entry(project)
    (project / path).write_text("other")
    assert disagreements(sent, project, graph_of(project)) == [name]


def test_data_are_compared_by_what_is_recorded_here(project: Path) -> None:
    sent = entry(project)
    lockfile = project / "dvc.lock"
    lockfile.write_text(lockfile.read_text().replace("aaaa", "bbbb"))
    assert disagreements(sent, project, graph_of(project)) == ["data/a"]


@pytest.mark.parametrize("content", [b"", b"[]", b"stages: {}\nread: {}\n", b"stages: {a: {}}\n", b"stages: [\n"])
def test_what_is_no_entry_is_refused(content: bytes) -> None:
    with pytest.raises(Phys4dError, match=r"runs/x/locks/use\.yaml: no entry of dvc\.lock .*run the stage again"):
        parse_entry(content, source="runs/x/locks/use.yaml")


def test_a_stage_that_is_not_done_has_none(project: Path) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\nstages:\n  make: {}\n")
    with pytest.raises(Phys4dError, match="no entry of use: run phys4d stage use"):
        entry(project)
