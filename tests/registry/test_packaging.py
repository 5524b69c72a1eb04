"""A version says in its own files what it is, where its base comes from, how it was measured, and all their hashes."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from components.errors import Phys4dError
from components.manifest import Manifest
from components.registry.contents import Passport, Settings, describe, refuse_pickles, verify
from components.registry.licences import weights_of
from components.registry.packaging import build
from tests.registry.models import NAME, PARAMS, make_metrics, make_model


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Passport]:
    make_model(tmp_path)
    make_metrics(tmp_path)
    metrics = json.loads((tmp_path / "data/evaluation/wan22/metrics.json").read_text())
    folder = tmp_path / "version"
    contents, settings = describe(tmp_path, "wan22"), Settings.of(PARAMS)
    uri = "s3://bucket/1/abc/artifacts/model"
    return folder, build(tmp_path, folder, contents=contents, settings=settings, evaluation=metrics, artifacts=uri)


def test_version_json_names_every_file_with_its_sha256(built: tuple[Path, Passport]) -> None:
    folder, passport = built
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {"version.json"}
    assert set(passport.files) == there
    assert {"README.md", "MLmodel", "artifacts/base/model.json", "artifacts/stage3/heads.safetensors"} <= there
    for name, sha256 in passport.files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256
    assert verify(folder, sha256=hashlib.sha256((folder / "version.json").read_bytes()).hexdigest()) == passport


def test_version_json_says_where_it_lies_and_how_it_was_measured(built: tuple[Path, Passport]) -> None:
    values = json.loads((built[0] / "version.json").read_text())
    assert values["artifacts"] == "s3://bucket/1/abc/artifacts/model"
    assert values["evaluation"]["evaluation.scenes"] == "s" * 64
    assert values["evaluation"]["stage3.permanence"] == 0.9
    assert values["settings"]["frames"] == PARAMS.video.frames
    assert values["weights"][0]["licence"] == "Apache-2.0"


def test_nothing_in_a_version_tells_where_it_was_made(built: tuple[Path, Passport], tmp_path: Path) -> None:
    for path in built[0].rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path
            assert str(Path.cwd()).encode() not in path.read_bytes(), path


def test_the_card_has_figures_with_intervals_base_data_and_limits(built: tuple[Path, Passport]) -> None:
    card = (built[0] / "README.md").read_text()
    assert card.startswith(f"# {NAME}\n")
    assert "| 4D Chamfer, m (lower is better) | 0.5 [0.49" in card
    assert "| -0.03 [-0.04, -0.02] |" in card
    assert "tiny twin" in card
    for part in ("## Base weights", "## Data", "## How it was measured", "## Limits", "s" * 64):
        assert part in card


@pytest.mark.parametrize("name", ["heads.pt", "innocent.safetensors"])
def test_a_pickle_by_any_name_is_refused(tmp_path: Path, name: str) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / name)
    with pytest.raises(Phys4dError, match=f"{name}: a pickle"):
        refuse_pickles(tmp_path)


def test_published_weights_are_named_with_revision_and_licence() -> None:
    parts = {
        "transformer": {"source": "THUDM/CogVideoX-5b-I2V", "revision": "a6f0f48", "files": {}},
        "text": {"source": "/data/t5", "revision": None, "files": {}},
    }
    base = Manifest(
        backbone="cogvideox", size="5b", stage="base", base=None, parent=None, files={}, facts={"parts": parts}
    )
    text, transformer = weights_of(base)
    assert (transformer["source"], transformer["revision"]) == ("THUDM/CogVideoX-5b-I2V", "a6f0f48")
    assert transformer["licence"].startswith("CogVideoX License")
    assert text["licence"] == "unknown: read it where /data/t5 comes from"
