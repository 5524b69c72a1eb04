"""What is asked of the cluster for one stage: the same work always has the same id, whoever asks for it and when."""

import difflib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.canonical import canonical_json
from components.checkout import MANIFESTS, RESULTS, is_tracked, read_checkout
from components.cluster.templates import HOUR, JobRequest
from components.errors import ParametersError
from components.parameters.loader import PARAMS_FILE
from components.pipeline.following import TRAIN_TOGETHER
from components.pipeline.graph import GraphStage
from components.pipeline.order import meet, read_outs, sources
from components.pipeline.part import MADE_IN_PARTS

if TYPE_CHECKING:
    from components.parameters.cluster import Cluster, PodSize
    from components.params import Params

IMAGE = "PHYS4D_IMAGE"  # environment of a driver in the cluster: the image that it is of
KUBERNETES, DEFAULT = "kubernetes", "default"
TRAVELS = ("params.yaml", "dvc.lock")  # beside the image
GPU = "gpu-"  # overlays of machines with GPUs


def runs_in_pod(stage: GraphStage, cluster: "Cluster") -> bool:
    """Whether params.yaml has a stage run in a pod; a stage's own name counts before its template's."""
    chosen = cluster.executor.get(stage.name, cluster.executor.get(stage.template))
    return chosen == KUBERNETES


def check_names(graph: Mapping[str, GraphStage], cluster: "Cluster") -> None:
    """ParametersError when the section names a stage that there is none of."""
    known = {*graph, *(stage.template for stage in graph.values())}
    for field, names in (("executor", cluster.executor), ("pods", cluster.pods)):
        for name in names:
            if name not in known and not (field == "pods" and name == DEFAULT):
                near = difflib.get_close_matches(name, sorted(known), n=1)
                meant = f": did you mean {near[0]}?" if near else ", expected a stage of dvc.yaml"
                raise ParametersError(f"cluster.{field}: no stage {name[:40]!r}{meant}")


def request_of(
    stage: GraphStage, graph: Mapping[str, GraphStage], params: "Params", root: Path, *, pipeline: str
) -> JobRequest:
    """The Job of a stage as things are now; ParametersError where a pod could not do the same as this machine would."""
    checkout = read_checkout(root, aside=(*RESULTS, *TRAVELS, MANIFESTS))
    if checkout is None or checkout.changed:
        state = "has changes that are in no commit" if checkout else "is in no commit of git"
        raise ParametersError(
            f"{stage.name} runs in a pod, whose image holds one commit, but the code here {state}: commit it, build "
            "its image and name that as cluster.image"
        )
    cluster, size = params.cluster, size_of(stage, params.cluster)
    image = cluster.image or os.environ.get(IMAGE)
    if params.storage.bucket is None or image is None:
        raise ParametersError(
            f"storage.bucket and cluster.image (or {IMAGE} in the environment): missing, expected both for "
            f"{stage.name}, which runs in a pod"
        )
    if stage.template in TRAIN_TOGETHER and size.gpus not in (0, params.resources.ranks):
        raise ParametersError(
            f"resources.ranks: {params.resources.ranks}, and a pod of {stage.name} has {size.gpus} GPUs: expected as "
            "many ranks as cluster.pods gives it GPUs"
        )
    place = "/".join(filter(None, (params.storage.bucket, params.storage.prefix)))
    return JobRequest(
        stage=stage.name,
        run=work_id(stage, graph, root, commit=checkout.commit),
        pipeline=pipeline,
        attempt=1,
        commit=checkout.commit,
        image=image,
        storage=f"s3://{place}",
        endpoint=params.storage.endpoint,
        cpu=size.cpu,
        memory=size.memory,
        scratch=size.scratch,
        shared_memory=size.shared_memory,
        gpus=size.gpus,
        nodes=size.nodes if stage.template in TRAIN_TOGETHER else 1,
        parts=size.nodes if stage.template in MADE_IN_PARTS else 1,
        deadline_seconds=cluster.deadline_hours * HOUR,
        backbone=backbone if (backbone := stage.name.partition("@")[2]) in params.pipeline.backbones else None,
        tracking=cluster.tracking,
        namespace=cluster.namespace,
        overlays=tuple(name for name in cluster.overlays if size.gpus or not name.startswith(GPU)),
    )


def size_of(stage: GraphStage, cluster: "Cluster") -> "PodSize":
    """The pods' size: that of the stage's name, of its template's, or the default."""
    return next(cluster.pods[name] for name in (stage.name, stage.template, DEFAULT) if name in cluster.pods)


def work_id(stage: GraphStage, graph: Mapping[str, GraphStage], root: Path, *, commit: str) -> str:
    """An id of all that decides a stage's result: code, params.yaml and the hashes of its inputs in dvc.lock."""
    makers = sources(graph, stage)
    for path in stage.inputs:
        if not any(meet(path, out) for out in makers) and not is_tracked(root, path):
            raise ParametersError(
                f"{stage.name} reads {path}, which neither git has nor a stage makes, so it does not travel to a pod: "
                f"run it here (cluster.executor: {{{stage.template}: local}})"
            )
    hashes = read_outs(root, graph, stage)
    for path, maker in makers.items():
        if path not in hashes:
            raise ParametersError(f"{stage.name} reads {path}, which {maker.name} has not made yet: run that first")
    params = hashlib.sha256((root / PARAMS_FILE).read_bytes()).hexdigest()
    described = {"commit": commit, "stage": stage.name, "params": params, "inputs": hashes}
    return hashlib.sha256(canonical_json(described).encode()).hexdigest()[:20]
