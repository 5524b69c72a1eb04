"""Requests: the same work has the same id, and nothing is asked of a pod that would do other work than this machine."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.cluster.requests import check_names, request_of, runs_in_pod, size_of
from components.cluster.templates import JobRequest, render
from components.errors import ParametersError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params
from components.pipeline.graph import load_graph
from tests.dotted import set_fields

GRAPH = """
stages:
  latents:
    cmd: phys4d latents
    deps: [data/videos]
    outs: [models/latents]
    params: [latents]
  collect_videos:
    cmd: phys4d collect-videos
    deps: [raw]
    outs: [data/videos]
  prepare:
    matrix: {backbone: [wan22]}
    cmd: phys4d prepare ${item.backbone}
    deps: [models/latents]
    outs: ["models/${item.backbone}/base"]
    params: [prepare, seed]
"""
LOCK = {"schema": "2.0", "stages": {"latents": {"outs": [{"path": "models/latents", "md5": "aa"}]}}}
PODS = {"default": profile_values("laptop")["cluster"]["pods"]["default"]}
SET = {
    "cluster__executor": {"prepare": "kubernetes"},
    "cluster__image": "registry.example/phys4d:1.0",
    "storage__bucket": "bucket",
    "storage__prefix": "team/phys4d",
}


def git(root: Path, *arguments: str) -> None:
    names = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(root), *names, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path)
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump(LOCK))
    (tmp_path / "code.py").write_text("one\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "all")
    return tmp_path


def write(root: Path, **changes: Any) -> Params:  # noqa: ANN401 -- values of params.yaml
    values = set_fields(profile_values("laptop"), **{**SET, **changes})
    (root / "params.yaml").write_text(yaml.safe_dump(values))
    return parse_params(values, source="params.yaml")


def request(root: Path, name: str = "prepare@wan22", **changes: Any) -> JobRequest:  # noqa: ANN401
    params, graph = write(root, **changes), load_graph(root)
    return request_of(graph[name], graph, params, root, pipeline="20260101-000000-abcdef")


def test_a_request_says_what_the_pod_needs(project: Path) -> None:
    made = request(project)
    assert (made.stage, made.backbone, made.storage) == ("prepare@wan22", "wan22", "s3://bucket/team/phys4d")
    assert (made.gpus, made.memory, made.deadline_seconds) == (1, "64Gi", 24 * 3600)
    (job,) = render(made)
    environment = {one["name"]: one.get("value") for one in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert environment["PHYS4D_RUN_ID"] == "20260101-000000-abcdef"
    assert environment["PHYS4D_STORAGE"] == "s3://bucket/team/phys4d"
    assert "PHYS4D_STORAGE_ENDPOINT" not in environment


def test_a_driver_in_the_cluster_knows_its_image_and_its_commit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParametersError, match=r"cluster\.image \(or PHYS4D_IMAGE in the environment\): missing"):
        request(project, cluster__image=None)
    shutil.rmtree(project / ".git")
    monkeypatch.setenv("PHYS4D_IMAGE", "registry.example/phys4d:2.0")
    monkeypatch.setenv("PHYS4D_IMAGE_COMMIT", "b" * 40)
    made = request(project, cluster__image=None)
    assert (made.image, made.commit) == ("registry.example/phys4d:2.0", "b" * 40)


def test_a_rank_an_accelerator(project: Path) -> None:
    size = {**PODS["default"], "gpus": 8, "nodes": 2}
    with pytest.raises(ParametersError, match=r"resources\.ranks: 1, and a pod of prepare@wan22 has 8 GPUs"):
        request(project, cluster__pods={"default": size})
    assert request(project, cluster__pods={"default": size}, resources__ranks=8).nodes == 2


def test_what_set_image_writes_is_no_other_code(project: Path) -> None:
    for name in ("70-worker.yaml", "jobs/stage.yaml.j2"):
        (project / "k8s" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / "k8s" / name).write_text("image: one\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "-m", "manifests")
    (project / "k8s/70-worker.yaml").write_text("image: another\n")
    assert request(project).stage == "prepare@wan22"
    (project / "k8s/jobs/stage.yaml.j2").write_text("image: another\n")
    with pytest.raises(ParametersError, match="changes that are in no commit"):
        request(project)


def test_machines_with_gpus_are_asked_for_where_a_pod_has_some(project: Path) -> None:
    overlays = ["gpu-h100", "spot-gke"]
    assert request(project, cluster__overlays=overlays).overlays == ("gpu-h100", "spot-gke")
    without = {"default": {**PODS["default"], "gpus": 0}}
    assert request(project, cluster__overlays=overlays, cluster__pods=without).overlays == ("spot-gke",)


def test_several_pods_train_together_or_make_parts(project: Path) -> None:
    several = {"default": {**PODS["default"], "nodes": 3}}
    assert (one := request(project, cluster__pods=several)).nodes == 3
    assert one.parts == 1


def test_the_same_work_has_the_same_id(project: Path) -> None:
    one = request(project)
    assert request(project).run == one.run


@pytest.mark.parametrize("changes", [{"seed": 1}, {"prepare__steps": 7}])
def test_other_parameters_are_other_work(project: Path, changes: dict[str, Any]) -> None:
    assert request(project, **changes).run != request(project).run


def test_other_inputs_are_other_work(project: Path) -> None:
    one = request(project).run
    (project / "dvc.lock").write_text(yaml.safe_dump(LOCK).replace("aa", "bb"))
    assert request(project).run != one


def test_other_code_is_other_work_and_code_without_a_commit_is_refused(project: Path) -> None:
    one = request(project).run
    (project / "code.py").write_text("two\n")
    with pytest.raises(ParametersError, match=r"prepare@wan22 runs in a pod, .* has changes that are in no commit"):
        request(project)
    git(project, "commit", "--quiet", "-am", "two")
    assert request(project).run != one


def test_what_an_earlier_stage_has_not_made_yet_is_named(project: Path) -> None:
    (project / "dvc.lock").unlink()
    with pytest.raises(ParametersError, match="reads models/latents, which latents has not made yet"):
        request(project)


def test_what_lies_on_this_machine_alone_is_named(project: Path) -> None:
    with pytest.raises(ParametersError, match=r"reads raw, which neither git has .*\{collect_videos: local\}"):
        request(project, "collect_videos")


def test_what_git_has_is_in_every_image(project: Path) -> None:
    (project / "raw").mkdir()
    (project / "raw/one.txt").write_text("1")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "-m", "raw")
    assert request(project, "collect_videos").stage == "collect_videos"


def test_a_stages_own_name_counts_before_its_templates(project: Path) -> None:
    graph = load_graph(project)
    stage = graph["prepare@wan22"]
    for executor, expected in (
        ({}, False),
        ({"prepare": "kubernetes"}, True),
        ({"prepare": "kubernetes", "prepare@wan22": "local"}, False),
        ({"latents": "kubernetes"}, False),
    ):
        assert runs_in_pod(stage, write(project, cluster__executor=executor).cluster) is expected
    default = profile_values("laptop")["cluster"]["pods"]["default"]
    pods = {"default": default, "prepare": {**default, "gpus": 2}, "prepare@wan22": {**default, "gpus": 3}}
    cluster = write(project, cluster__pods=pods).cluster
    assert (size_of(stage, cluster).gpus, size_of(graph["latents"], cluster).gpus) == (3, 1)


def test_a_stage_that_there_is_none_of_is_named(project: Path) -> None:
    graph = load_graph(project)
    check_names(graph, write(project, cluster__executor={"latents": "local"}, cluster__pods=PODS).cluster)
    with pytest.raises(ParametersError, match=r"cluster\.executor: no stage 'prepair': did you mean prepare\?"):
        check_names(graph, write(project, cluster__executor={"prepair": "kubernetes"}, cluster__pods=PODS).cluster)
    with pytest.raises(ParametersError, match=r"cluster\.pods: no stage 'zzz', expected a stage of dvc\.yaml"):
        check_names(graph, write(project, cluster__pods={**PODS, "zzz": PODS["default"]}).cluster)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cluster__image": "registry.example/phys4d:latest"}, r"cluster\.image: .*names no one version"),
        ({"cluster__image": "phys4d"}, r"cluster\.image: .*names no one version"),
        ({"storage__bucket": None, "storage__prefix": None}, r"storage\.bucket: missing, expected a bucket"),
        ({"cluster__pods": {}}, r"cluster\.pods\.default: missing"),
        ({"cluster__executor": {"prepare": "slurm"}}, r"cluster\.executor"),
    ],
)
def test_parameters_that_cannot_work_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParametersError, match=message):
        write(tmp_path, **changes)
