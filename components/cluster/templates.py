"""Jobs as the templates in k8s/jobs say, from a checked request and with the overlays of k8s/overlays on top.

Every value that a template prints is written as JSON, which is a scalar of YAML: none can become another field.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

from components.errors import ParametersError

FOLDER = Path(__file__).parents[2] / "k8s"
STAGE, GANG, SHARDS = "stage.yaml.j2", "gang.yaml.j2", "shards.yaml.j2"
HOUR, DAY = 3600, 86_400

Fields = dict[str, Any]  # of a Kubernetes object


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """One attempt at one stage of a run, on one node or on several; ParametersError names a field that is wrong.

    stage: as DVC names it (`stage1@wan22`); run: id of the work; pipeline: id of the whole run, under which MLflow
    finds it; commit: what the image must hold, in full; storage: where the run's files lie (`s3://bucket/prefix`),
    on the server at `endpoint`, None for AWS's own; tracking: MLflow's address; nodes: pods that train together;
    parts: pods that make one each; cpu, memory, gpus, scratch, shared_memory, temporary: of each pod;
    deadline_seconds: from the moment a pod has a node; grace_seconds: to save after TERM; ttl_seconds: how long an
    ended Job stays, for its logs; overlays: names of files in k8s/overlays, applied in this order.
    """

    stage: str
    run: str
    pipeline: str
    attempt: int
    commit: str
    image: str
    storage: str
    cpu: str
    memory: str
    scratch: str
    shared_memory: str
    deadline_seconds: int
    endpoint: str | None = None
    backbone: str | None = None
    gpus: int = 0
    nodes: int = 1
    parts: int = 1
    temporary: str = "10Gi"
    grace_seconds: int = 300
    ttl_seconds: int = 3 * DAY
    tracking: str = "http://mlflow:5000"
    namespace: str = "phys4d"
    overlays: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field, rule in RULES.items():
            value = getattr(self, field)
            if not rule.holds(value):
                raise ParametersError(f"{field}: {value!r} is wrong, expected {rule.expected}")

    @property
    def name(self) -> str:
        """The Job's name, which the same attempt at the same stage of a run always has: made twice, it is refused.

        At most 50 characters: with a pod's index it is a host name of a gang, with a random end a pod's name.
        """
        identity = "\n".join((self.run, self.stage, str(self.attempt)))
        readable = re.sub("[^a-z0-9]+", "-", self.stage.lower())[:38].strip("-")
        return f"{readable}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels by which the Job of this stage of this run is found again, whatever the attempt."""
        return {"phys4d/run": self.run, "phys4d/stage": self.stage_label}

    @property
    def stage_label(self) -> str:
        """The stage's name as a label: no dot is in the part before its @, so no two stages share one."""
        return self.stage.replace("@", ".")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a field may be: the test, and the words for it."""

    holds: Callable[[Any], bool]
    expected: str


def _text(pattern: str, expected: str, *, most: int = 63) -> Rule:
    return Rule(
        holds=lambda value: isinstance(value, str) and len(value) <= most and bool(re.fullmatch(pattern, value)),
        expected=expected,
    )


def _count(least: int, most: int) -> Rule:
    return Rule(holds=lambda value: type(value) is int and least <= value <= most, expected=f"{least} to {most}")


LABEL = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
CPU = _text(r"[1-9][0-9]{0,4}|[1-9][0-9]{0,6}m", "cores, such as 8 or 500m")
BYTES = _text(r"[1-9][0-9]{0,5}(Mi|Gi|Ti)", "an amount such as 64Gi")
RULES: Mapping[str, Rule] = {
    "stage": _text(rf"[a-z][a-z0-9_]*(@{LABEL})?", "a stage of dvc.yaml, such as stage1@wan22"),
    "run": _text(LABEL, "an id of at most 63 of A-Z, a-z, 0-9, _, - and ., a letter or digit at its ends"),
    "pipeline": _text(LABEL, "an id of at most 63 of A-Z, a-z, 0-9, _, - and ., a letter or digit at its ends"),
    "attempt": _count(1, 9999),
    "commit": _text(r"[0-9a-f]{40}", "a git commit in full, 40 hexadecimal digits"),
    "image": Rule(
        holds=lambda value: isinstance(value, str) and is_pinned(value),
        expected="an image with a tag other than latest or, better, a digest: registry.example/phys4d@sha256:...",
    ),
    "storage": _text(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.-]+)*", "s3://bucket/prefix", most=1024),
    "endpoint": Rule(
        holds=lambda value: value is None or bool(re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", value)),
        expected="http(s)://host:port, or none",
    ),
    "backbone": Rule(
        holds=lambda value: value is None or (isinstance(value, str) and bool(re.fullmatch(LABEL, value))),
        expected="the name of a backbone, or none",
    ),
    "cpu": CPU,
    "memory": BYTES,
    "scratch": BYTES,
    "shared_memory": BYTES,
    "temporary": BYTES,
    "gpus": _count(0, 64),
    "nodes": _count(1, 512),
    "parts": _count(1, 512),
    "deadline_seconds": _count(60, 60 * DAY),
    "grace_seconds": _count(10, HOUR),
    "ttl_seconds": _count(HOUR, 30 * DAY),
    "tracking": _text(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*", "http(s)://host:port", most=1024),
    "namespace": _text(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "a namespace, such as phys4d"),
    "overlays": Rule(
        holds=lambda value: isinstance(value, tuple) and set(value) <= set(overlays()),
        expected="a tuple of names of files in k8s/overlays, without .yaml",
    ),
}


def is_pinned(image: str) -> bool:
    """Whether a reference of an image names one version: a digest, or a tag that is not `latest`."""
    repository = r"[a-z0-9][a-z0-9.-]*(:[0-9]+(?=/))?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    found = re.fullmatch(
        rf"{repository}(:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?(@sha256:[0-9a-f]{{64}})?", image
    )
    return found is not None and ("@sha256:" in image or found["tag"] not in {None, "latest"})


def overlays() -> list[str]:
    """The overlays there are."""
    return sorted(path.stem for path in (FOLDER / "overlays").glob("*.yaml"))


def render(request: JobRequest) -> list[Fields]:
    """The objects to create for a request, in their order: one Job, of as many pods as it has nodes, or parts."""
    values = asdict(request) | {"name": request.name, "stage_label": request.stage_label}
    template = _environment().get_template(_template(request))
    # by way of JSON: what an anchor of YAML repeats becomes objects of their own
    documents = cast("list[Fields]", json.loads(json.dumps(list(yaml.safe_load_all(template.render(values))))))
    for name in request.overlays:
        fragment = yaml.safe_load((FOLDER / "overlays" / f"{name}.yaml").read_text())
        documents = [merge(document, fragment) for document in documents]
    return documents


def _template(request: JobRequest) -> str:
    if request.nodes > 1:
        return GANG
    return SHARDS if request.parts > 1 else STAGE


def merge(base: Fields, fragment: Fields) -> Fields:
    """A new object with a fragment's fields put into it.

    Fields are merged by name, and so are lists of what has a `name`; other lists grow by what they lack.
    """
    merged = dict(base)
    for key, value in fragment.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            merged[key] = merge(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            merged[key] = _merged_lists(before, value)
        else:
            merged[key] = value
    return merged


def _merged_lists(base: list[Any], fragment: list[Any]) -> list[Any]:
    if not all(isinstance(item, dict) and "name" in item for item in (*base, *fragment)):
        return base + [item for item in fragment if item not in base]
    named = {item["name"]: item for item in base}
    for item in fragment:
        named[item["name"]] = merge(named.get(item["name"], {}), item)
    return list(named.values())


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "jobs"),
        undefined=StrictUndefined,
        finalize=_as_json,
        autoescape=False,  # noqa: S701 -- YAML, and every value goes through `finalize`
        keep_trailing_newline=True,
    )


def _as_json(value: object) -> str:
    if isinstance(value, Undefined):
        return str(value)  # raises, and names it
    return json.dumps(value)
