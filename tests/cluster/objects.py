"""The objects of k8s/, and Jobs as the templates make them: what the checks look at."""

import copy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.cluster.templates import JobRequest, overlays, render

Fields = dict[str, Any]
FOLDER = Path("k8s")
SINGLE = JobRequest(
    stage="stage1@wan22",
    pipeline="20260102-030405-fedcba",
    run="20260131-020000-a1b2c3",
    attempt=1,
    commit="0123456789abcdef0123456789abcdef01234567",
    image="registry.example/phys4d:0.1.0",
    storage="s3://bucket/team/phys4d",
    backbone="wan22",
    cpu="8",
    memory="64Gi",
    gpus=1,
    scratch="200Gi",
    shared_memory="16Gi",
    deadline_seconds=86_400,
)
WITHOUT_GPU = replace(SINGLE, stage="simulate@train", backbone=None, gpus=0)
GANG = replace(SINGLE, gpus=8, nodes=4)
SHARDS = replace(WITHOUT_GPU, parts=8)


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod as an object makes it: `owner` is the object's kind and name."""

    owner: str
    labels: dict[str, str]
    spec: Fields

    @property
    def containers(self) -> list[Fields]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def manifests() -> list[Fields]:
    """What `kubectl apply -f k8s/` reads."""
    files = sorted(FOLDER.glob("*.yaml"))
    return [document for path in files for document in yaml.safe_load_all(path.read_text())]


def requests() -> list[JobRequest]:
    """A Job of every kind, and one with every overlay."""
    with_overlays = [replace(SINGLE, overlays=(name,)) for name in overlays()]
    gang = replace(GANG, overlays=("kueue", "spot-gke", "gpu-h100"))
    return [SINGLE, WITHOUT_GPU, GANG, SHARDS, *with_overlays, gang]


def jobs() -> list[Fields]:
    """The Jobs of these requests."""
    return [job for request in requests() for job in render(request)]


def everything() -> list[Fields]:
    """A cluster with all manifests applied and all Jobs made; a copy, to break."""
    return copy.deepcopy(_everything())


@cache
def _everything() -> list[Fields]:
    return [*manifests(), *jobs()]


def title(item: Fields) -> str:
    return f"{item['kind']} {item['metadata']['name']}"


def of_kind(items: Sequence[Fields], *kinds: str) -> list[Fields]:
    return [item for item in items if item["kind"] in kinds]


def named(items: Sequence[Fields], kind: str, name: str) -> Fields:
    return next(item for item in of_kind(items, kind) if item["metadata"]["name"] == name)


def pod_template(item: Fields) -> Fields | None:
    spec = item.get("spec", {})
    if item["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template: Fields | None = spec.get("template")
    return template


def pods(items: Sequence[Fields]) -> Iterator[Pod]:
    for item in items:
        if template := pod_template(item):
            yield Pod(owner=title(item), labels=template["metadata"]["labels"], spec=template["spec"])


def matches(selector: Fields, labels: dict[str, str]) -> bool:
    """Whether a selector, of a Service or of a policy, takes a pod of these labels."""
    wanted = selector.get("matchLabels", {}) if "matchLabels" in selector or not selector else selector
    return all(labels.get(key) == value for key, value in wanted.items())


if __name__ == "__main__":  # the Jobs as one file, for other tools: python -m tests.cluster.objects IMAGE
    made = [job for request in requests() for job in render(replace(request, image=sys.argv[1]))]
    for number, job in enumerate(made):  # one name each: a tool may take two of a name for one
        job["metadata"]["name"] += f"-{number}"
    sys.stdout.write(yaml.safe_dump_all(made))
