"""A version is registered once, holds all its files, and comes back as it was."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from components.errors import ParametersError, Phys4dError
from components.registry.measured import read_measurement
from components.registry.promotion import promote
from components.registry.versions import Version, fetch, place_of, register
from components.tracking import DATABASE, UnreachableError
from tests.registry.models import NAME, PARAMS, make_metrics, make_model


@pytest.fixture
def root(project: Path) -> Path:
    make_model(project)
    make_metrics(project)
    return project


def register_it(root: Path, *, profile: str = "laptop") -> Version:
    params = PARAMS.model_copy(update={"profile": profile})
    return register(root, params, read_measurement(root, "wan22"), backbone="wan22")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_model_is_the_same_version(root: Path) -> None:
    first = register_it(root)
    again = register_it(root)
    assert (first.name, first.number, first.created) == (NAME, 1, True)
    assert (again.number, again.run, again.created) == (1, first.run, False)
    make_model(root, weights="second")
    make_metrics(root)
    assert register_it(root).number == 2


@pytest.mark.parametrize(
    ("source", "destination", "place"),
    [
        (
            "mlflow-artifacts:/1/abc/artifacts/model",
            "s3://bucket/phys4d/mlflow",
            "s3://bucket/phys4d/mlflow/1/abc/artifacts/model",
        ),
        ("mlflow-artifacts://mlflow:5000/1/abc", "s3://bucket/", "s3://bucket/1/abc"),
        ("mlflow-artifacts:/1/abc", "", "mlflow-artifacts:/1/abc"),
        ("s3://other/1/abc", "s3://bucket", "s3://other/1/abc"),
    ],
)
def test_a_version_names_the_place_behind_the_server(source: str, destination: str, place: str) -> None:
    assert place_of(source, destination) == place


def test_the_champion_comes_back_file_by_file(root: Path, tmp_path: Path) -> None:
    promote(root, PARAMS, backbone="wan22")
    folder = fetch(root, NAME, tmp_path / "fetched/champion")
    for part in ("base", "stage3"):
        assert files(folder / "artifacts" / part) == files(root / "models/wan22" / part)
    assert fetch(root, NAME, folder) == folder  # it is there already


def test_of_published_weights_only_the_manifest_is_kept(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / "models")
    make_model(root, size="5b")
    make_metrics(root)
    promote(root, PARAMS.model_copy(update={"profile": "gpu"}), backbone="wan22")
    folder = fetch(root, "phys4d-wan22-5b", tmp_path / "champion")
    assert sorted(files(folder / "artifacts/base")) == ["losses.csv", "model.json"]


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "version"])
def test_a_damaged_version_is_refused_and_leaves_nothing(root: Path, tmp_path: Path, damage: str) -> None:
    promote(root, PARAMS, backbone="wan22")
    (heads,) = (root / ".phys4d/mlartifacts").rglob("heads.safetensors")
    if damage == "changed":
        heads.write_text("other")
    elif damage == "missing":
        heads.unlink()
    elif damage == "added":
        heads.with_name("more.safetensors").write_text("more")
    else:
        heads.parents[2].joinpath("version.json").write_text("{}")
    with pytest.raises(Phys4dError, match=r"heads|more|version"):
        fetch(root, NAME, tmp_path / "fetched/champion")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_folder_with_something_else_in_it_is_not_touched(root: Path, tmp_path: Path) -> None:
    promote(root, PARAMS, backbone="wan22")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter.txt").write_text("dear")
    with pytest.raises(Phys4dError, match=r"version\.json"):
        fetch(root, NAME, tmp_path / "home")
    assert files(tmp_path / "home") == {"letter.txt": b"dear"}


@pytest.mark.parametrize("name", ["stage3/heads.safetensors", "base/transformer/config.json"])
def test_a_model_whose_files_are_not_its_manifests_is_not_registered(root: Path, name: str) -> None:
    (root / "models/wan22" / name).write_text("other")
    with pytest.raises(Phys4dError, match=name):
        register_it(root)


@pytest.mark.parametrize("stage", ["base", "stage1", "stage2"])
def test_a_model_trained_from_another_base_is_not_registered(root: Path, stage: str) -> None:
    manifest = root / "models/wan22" / stage / "model.json"
    manifest.write_text(manifest.read_text() + "\n")
    with pytest.raises(Phys4dError, match=f"was not made from .*{stage}"):
        register_it(root)


def test_the_smoke_profile_registers_nothing(root: Path) -> None:
    with pytest.raises(ParametersError, match="smoke"):
        register_it(root, profile="smoke")


def test_nothing_to_fetch_says_what_to_do(root: Path, tmp_path: Path) -> None:
    with pytest.raises(Phys4dError, match="has no champion: phys4d run"):
        fetch(root, NAME, tmp_path / "champion")


def test_a_registry_that_is_no_database_is_one_line(root: Path) -> None:
    (root / DATABASE).write_bytes(b"this is no database" * 100)
    with pytest.raises(UnreachableError, match="the registry at sqlite") as caught:
        register_it(root)
    assert "\n" not in str(caught.value)


def test_an_upload_that_breaks_leaves_no_version(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".phys4d/mlartifacts").write_text("in the way")
    with pytest.raises(UnreachableError):
        register_it(root)
    with closing(sqlite3.connect(root / DATABASE)) as connection:
        assert connection.execute("select count(*) from model_versions").fetchone() == (0,)
    (root / ".phys4d/mlartifacts").unlink()
    assert register_it(root).number == 1
