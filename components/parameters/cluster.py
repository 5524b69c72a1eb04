"""Where stages run: here, or in pods of a cluster; and how large these pods are. Tracked by no stage, seen by none."""

from typing import Annotated, Literal

from pydantic import Field

from components.parameters.fields import Section

Cpu = Annotated[str, Field(pattern=r"^([1-9][0-9]{0,4}|[1-9][0-9]{0,6}m)$")]  # cores, such as 8 or 500m
Bytes = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}(Mi|Gi|Ti)$")]  # such as 64Gi


class PodSize(Section):
    """What each pod of a stage is given, and how many there are: they train together, or simulate a part each."""

    nodes: Annotated[int, Field(ge=1, le=512)]
    gpus: Annotated[int, Field(ge=0, le=64)]
    cpu: Cpu
    memory: Bytes
    scratch: Bytes  # for the project's data, models and DVC's cache
    shared_memory: Bytes  # a part of `memory`


class Cluster(Section):
    """Which stages run in pods, and in which."""

    executor: dict[str, Literal["local", "kubernetes"]]  # by a stage's name, or its template's; else local
    image: str | None  # of the commit that is checked out; none: PHYS4D_IMAGE, which a driver in the cluster has
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    context: str | None  # of the kubeconfig; none: a pod's own account, or the current context
    tracking: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._-]+)*$")]  # for pods
    overlays: list[str]  # names of files in k8s/overlays
    deadline_hours: Annotated[int, Field(ge=1, le=1440)]  # of a pod that has its node
    keep_minutes: Annotated[float, Field(gt=0, le=1440)]  # until a pod's unfinished work is sent to the storage again
    bring: Literal["data", "entry"]  # what comes back: a stage's outs, or its entry of dvc.lock alone
    pods: dict[str, PodSize]  # by a stage's name, or its template's; `default` for all others
