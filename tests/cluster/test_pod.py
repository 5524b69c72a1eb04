"""What a pod is told by its environment, and what it asks for."""

from pathlib import Path

import pytest

from components.checkout import IMAGE_COMMIT
from components.cluster.inputs import pull_inputs
from components.cluster.pod import pod_storage, run_pod
from components.cluster.run_folder import RunFolder
from components.errors import ParametersError
from components.pipeline.graph import load_graph
from components.storage.store import Storage

STORAGE = Storage(endpoint=None, bucket="data")


def test_the_environment_says_where_the_run_is() -> None:
    place = {"PHYS4D_STORAGE": "s3://data/team", "PHYS4D_STORAGE_ENDPOINT": "http://10.0.0.5:7480"}
    assert pod_storage(place) == Storage(endpoint="http://10.0.0.5:7480", bucket="data", prefix="team")
    assert pod_storage({"PHYS4D_STORAGE": "s3://data", "PHYS4D_STORAGE_ENDPOINT": ""}) == STORAGE
    with pytest.raises(ParametersError, match=r"PHYS4D_STORAGE: 'data/team' is wrong, expected s3://bucket/prefix"):
        pod_storage({"PHYS4D_STORAGE": "data/team"})


def test_else_the_parameters_of_the_image_say_it() -> None:
    with pytest.raises(ParametersError, match=r"storage\.bucket: empty in params\.yaml"):
        pod_storage({})


def test_an_image_without_a_commit_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(IMAGE_COMMIT, raising=False)
    with pytest.raises(ParametersError, match="PHYS4D_IMAGE_COMMIT: not set"):
        run_pod(tmp_path, "first", run="one")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run", ["", "../other", "a/b", "a b", ".hidden", "x" * 101])
def test_the_id_of_a_run_is_one_name(run: str) -> None:
    with pytest.raises(ParametersError, match="expected an id"):
        RunFolder(storage=STORAGE, run=run)


@pytest.mark.parametrize(
    ("stage", "wanted"),
    [
        ("simulate@train", []),
        ("validate_simulation@dev", ["data/simulation/dev"]),  # its templates are git's
        ("report", ["data/simulation/test/index.parquet", "models/wan22/stage3"]),  # among others
    ],
)
def test_a_pod_fetches_what_its_stage_reads_of_others(
    stage: str, wanted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("components.cluster.inputs.dvc", lambda root, *arguments: asked.extend(arguments))
    graph = load_graph(Path())
    pull_inputs(Path(), graph, graph[stage])
    assert asked[:1] == (["pull"] if wanted else [])
    assert set(wanted) <= set(asked)
    assert not [path for path in asked if path in ("models", "data/evaluation") or path.startswith("components/")]
