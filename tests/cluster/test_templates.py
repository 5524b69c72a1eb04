import copy
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from components.cluster import templates
from components.cluster.templates import JobRequest, is_pinned, merge, overlays, render
from components.errors import ExitCode, ParametersError
from tests.cluster.objects import GANG, SHARDS, SINGLE, WITHOUT_GPU, Fields


def pod(request: JobRequest) -> Fields:
    (job,) = render(request)
    found: Fields = job["spec"]["template"]["spec"]
    return found


def stage(request: JobRequest) -> Fields:
    found: Fields = pod(request)["containers"][0]
    return found


WRONG: list[dict[str, Any]] = [
    {"stage": "Stage1"}, {"stage": "stage1@"}, {"stage": "a.b@c"}, {"run": "-x"}, {"run": "x" * 64}, {"run": "a b"},
    {"attempt": 0}, {"attempt": True}, {"commit": "0123abc"}, {"image": "phys4d"}, {"image": "phys4d:latest"},
    {"storage": "s3://Bucket"}, {"storage": "/data"}, {"backbone": "wan 22"}, {"cpu": "8 cores"}, {"cpu": "0"},
    {"memory": "64GB"}, {"memory": "64Gi\n"}, {"scratch": ""}, {"shared_memory": "1"}, {"gpus": -1}, {"nodes": 0},
    {"parts": 0}, {"deadline_seconds": 0}, {"grace_seconds": 0}, {"ttl_seconds": 60}, {"tracking": "mlflow:5000"},
    {"namespace": "Phys4D"}, {"overlays": ("none-such",)}, {"overlays": ("../jobs/stage",)}, {"overlays": "kueue"},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_a_wrong_field_is_named_with_its_value(change: dict[str, Any]) -> None:
    ((field, value),) = change.items()
    with pytest.raises(ParametersError) as caught:
        replace(SINGLE, **change)
    assert str(caught.value).startswith(f"{field}: {value!r} is wrong, expected ")
    assert caught.value.code is ExitCode.BAD_PARAMETERS


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("phys4d:1", True),
        ("localhost:5000/phys4d", False),
        ("localhost:5000/phys4d:1", True),
        (f"phys4d@sha256:{'a' * 64}", True),
        (f"phys4d@sha256:{'a' * 63}", False),
        ("phys4d:latest", False),
        ("phys4d:1 # x", False),
    ],
)
def test_an_image_is_one_version(image: str, pinned: bool) -> None:
    assert is_pinned(image) is pinned


class Unchecked(JobRequest):
    """A request whose values nobody looked at."""

    def __post_init__(self) -> None:
        pass


TEXTS = [name for name, value in vars(SINGLE).items() if isinstance(value, str)]


def shape(value: object) -> object:
    """What an object is made of, its texts aside."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value)


@settings(deadline=None, max_examples=25)
@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("\n\t\u00e9"), max_size=40))
@pytest.mark.parametrize(
    "request_", [SINGLE, GANG, replace(SHARDS, backbone="wan22")], ids=["single", "gang", "shards"]
)
def test_no_value_can_become_another_field(request_: JobRequest, text: str) -> None:
    """Even if nothing had checked it, a value stays the text that it is."""
    hostile = Unchecked(**{**vars(request_), **dict.fromkeys(TEXTS, text)})
    (job,) = render(hostile)
    assert shape(job) == shape(render(request_)[0])
    assert job["metadata"]["annotations"]["phys4d/stage"] == text


@pytest.mark.parametrize("text", ["no", "1e3", "0x10", "2026-01-01", "null", "{{ 1 }}", "a: b", "- x", "# y", '"'])
def test_a_text_stays_a_text(text: str) -> None:
    (job,) = render(Unchecked(**{**vars(SINGLE), "run": text}))
    assert job["metadata"]["labels"]["phys4d/run"] == text


def test_a_template_that_names_what_there_is_not_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree("k8s", tmp_path / "k8s")
    file = tmp_path / "k8s/jobs/stage.yaml.j2"
    file.write_text(file.read_text().replace("{{ cpu }}", "{{ cpus }}"))
    monkeypatch.setattr(templates, "FOLDER", tmp_path / "k8s")
    templates._environment.cache_clear()
    with pytest.raises(UndefinedError, match="cpus"):
        render(SINGLE)
    templates._environment.cache_clear()


def test_the_same_attempt_has_the_same_name_and_another_has_another() -> None:
    others = [replace(SINGLE, attempt=2), replace(SINGLE, run="x"), replace(SINGLE, stage="stage2@wan22")]
    assert replace(SINGLE, memory="128Gi").name == SINGLE.name
    assert len({SINGLE.name, *(other.name for other in others)}) == 4


@settings(deadline=None, max_examples=50)
@given(stage=st.from_regex(r"[a-z][a-z0-9_]{0,30}@[A-Za-z0-9]{1,31}", fullmatch=True))
def test_a_name_and_an_index_are_a_host_name(stage: str) -> None:
    name = f"{replace(GANG, stage=stage, backbone=None).name}-{GANG.nodes - 1}"
    assert len(name) <= 63 - len("-xxxxx")
    assert name.replace("-", "").isalnum() and name == name.lower() and name[0].isalpha()


def test_labels_find_a_stage_of_a_run() -> None:
    (job,) = render(SINGLE)
    assert SINGLE.labels.items() <= job["metadata"]["labels"].items()
    assert SINGLE.labels.items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert job["metadata"]["labels"]["phys4d/backbone"] == "wan22"
    assert "phys4d/backbone" not in render(WITHOUT_GPU)[0]["metadata"]["labels"]


def test_a_stage_takes_the_gpus_it_asked_for_and_none_otherwise() -> None:
    assert stage(SINGLE)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "nvidia.com/gpu" not in stage(WITHOUT_GPU)["resources"]["limits"]
    assert "tolerations" not in pod(WITHOUT_GPU)


def test_a_pod_runs_its_stage_and_knows_the_run() -> None:
    container = stage(SINGLE)
    assert container["command"] + container["args"] == ["phys4d", "pod", SINGLE.stage, "--run", SINGLE.run]
    values = {item["name"]: item.get("value") for item in container["env"]}
    assert (values["PHYS4D_RUN_ID"], values["PHYS4D_STORAGE"]) == (SINGLE.pipeline, SINGLE.storage)
    assert values["PHYS4D_STORAGE"] == SINGLE.storage


def run_by_index(request: JobRequest, index: str, folder: Path) -> list[str]:
    """What phys4d is told in the pod of that index."""
    fake = folder / "phys4d"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    container = stage(request)
    values = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    environment = {**values, "PATH": f"{folder}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": index}
    result = subprocess.run(
        container["command"] + container["args"], env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout.split()


@pytest.mark.parametrize(("index", "command"), [("0", "pod"), ("1", "join"), ("11", "join")])
def test_the_first_of_a_gang_is_the_stage_and_the_others_join(index: str, command: str, tmp_path: Path) -> None:
    assert run_by_index(GANG, index, tmp_path) == [command, GANG.stage, "--run", GANG.run]


@pytest.mark.parametrize("index", range(SHARDS.parts))
def test_every_pod_of_a_stage_in_parts_makes_its_own(index: int, tmp_path: Path) -> None:
    told = ["pod", SHARDS.stage, "--run", SHARDS.run, "--part", f"{index + 1}/{SHARDS.parts}"]
    assert run_by_index(SHARDS, str(index), tmp_path) == told
    (job,) = render(SHARDS)
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (SHARDS.parts, SHARDS.parts)


def test_torchrun_is_told_all_nodes() -> None:
    values = {item["name"]: item.get("value") for item in stage(GANG)["env"]}
    assert (values["PET_NNODES"], values["PET_NPROC_PER_NODE"]) == ("4", "8")


def test_merging_keeps_what_a_fragment_does_not_name() -> None:
    base: Fields = {"a": {"b": 1, "c": [{"name": "x", "v": 1}, {"name": "y"}]}, "t": [{"key": "k"}]}
    before = copy.deepcopy(base)
    fragment: Fields = {"a": {"c": [{"name": "x", "w": 2}, {"name": "z"}]}, "t": [{"key": "k"}, {"key": "l"}]}
    assert merge(base, fragment) == {
        "a": {"b": 1, "c": [{"name": "x", "v": 1, "w": 2}, {"name": "y"}, {"name": "z"}]},
        "t": [{"key": "k"}, {"key": "l"}],
    }
    assert base == before


@pytest.mark.parametrize("name", overlays())
def test_an_overlay_changes_what_it_says_and_nothing_else(name: str) -> None:
    (plain,), (job,) = render(SINGLE), render(replace(SINGLE, overlays=(name,)))
    assert job != plain
    if name == "kueue":
        assert job["metadata"]["labels"].pop("kueue.x-k8s.io/queue-name") == "phys4d"
        assert job["spec"].pop("suspend") is True
    else:
        changed, before = job["spec"]["template"]["spec"], plain["spec"]["template"]["spec"]
        selector = changed.pop("nodeSelector")
        assert len(selector) == 1
        if name.startswith("spot-"):
            assert {item["key"] for item in changed["tolerations"]} == {"nvidia.com/gpu", *selector}
            assert changed["terminationGracePeriodSeconds"] <= 120  # no provider gives more notice
            for key in ("tolerations", "terminationGracePeriodSeconds"):
                changed[key] = before[key]
    assert job == plain


def test_overlays_add_up() -> None:
    spec = pod(replace(SINGLE, overlays=("gpu-h100", "spot-gke")))
    assert set(spec["nodeSelector"]) == {"nvidia.com/gpu.product", "cloud.google.com/gke-spot"}


def test_no_part_of_a_job_is_shared_with_another() -> None:
    (job,) = render(SINGLE)
    job["metadata"]["labels"]["phys4d/run"] = "other"
    assert job["spec"]["template"]["metadata"]["labels"]["phys4d/run"] == SINGLE.run


def test_every_variable_of_a_job_is_written_once() -> None:
    names = [item["name"] for item in stage(GANG)["env"]]
    assert len(names) == len(set(names))
    assert yaml.safe_load(yaml.safe_dump(render(GANG)))
