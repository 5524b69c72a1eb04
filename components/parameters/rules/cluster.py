"""Rules of the cluster: what runs there has an image, a storage to travel by, and a size."""

import re
from collections.abc import Iterator

from components.parameters.rules.problem import Problem
from components.params import Params

KUBERNETES, DEFAULT, SIMULATE = "kubernetes", "default", "simulate"
TAGGED = re.compile(r"[a-z0-9][A-Za-z0-9._/:-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})")


def check_image(params: Params) -> Iterator[Problem]:
    """An image is named so that it stays the same."""
    cluster = params.cluster
    if cluster.image is not None and (not TAGGED.fullmatch(cluster.image) or cluster.image.endswith(":latest")):
        yield Problem(
            field="cluster.image",
            message=f"{cluster.image[:80]!r} names no one version, expected a digest (NAME@sha256:...) or a tag other "
            "than latest",
        )


def check_travel(params: Params) -> Iterator[Problem]:
    """What a pod reads and writes goes by the object storage."""
    if KUBERNETES in params.cluster.executor.values() and params.storage.bucket is None:
        yield Problem(
            field="storage.bucket",
            message="missing, expected a bucket: it is how parameters and results travel to pods and back, and where "
            "DVC's remote lies",
        )


def check_pods(params: Params) -> Iterator[Problem]:
    """Every stage has a size."""
    if DEFAULT not in params.cluster.pods:
        yield Problem(
            field=f"cluster.pods.{DEFAULT}", message="missing, expected a size for stages that have none of their own"
        )


def check_device(params: Params) -> Iterator[Problem]:
    """Pods that simulate on an accelerator have one."""
    cluster, device = params.cluster, params.simulation.device
    elsewhere = [stage for stage, where in cluster.executor.items() if where == KUBERNETES]
    for stage in (stage for stage in elsewhere if stage.partition("@")[0] == SIMULATE and device != "cpu"):
        size = next((name for name in (stage, SIMULATE, DEFAULT) if name in cluster.pods), None)
        if size is not None and not cluster.pods[size].gpus:
            yield Problem(
                field=f"cluster.pods.{size}.gpus",
                message=f"0, expected 1 at least, for simulation.device is {device}: write 1, or cpu there",
            )
