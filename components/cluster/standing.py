"""How a Job stands, from what the API server says of it and of its pods: conditions, not phases, say when it ended."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from components.errors import ExitCode, GateRefusedError, ParametersError, Phys4dError, StoppedError

Fields = Mapping[str, Any]  # of an object, as JSON has it

CONTAINER = "stage"
INDEX = "batch.kubernetes.io/job-completion-index"  # annotation of a gang's pods
HOPELESS = (  # what a container may wait for in vain; ErrImagePull is tried again, and is ImagePullBackOff then
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
)
ERRORS = {error.code: error for error in (GateRefusedError, StoppedError, ParametersError)}
KILLED = 137  # 128 and SIGKILL
SAID = "phys4d: "  # how the line begins in which a command says why it failed
CAUSE = re.compile(  # what the Job controller says of the pod that a rule of podFailurePolicy was for
    r"[Pp]od [^/ ]+/(?P<pod>\S+) (?P<what>has condition DisruptionTarget|failed with exit code)"
)


class Phase(Enum):
    """Where an attempt is. HOPELESS: it has not ended, and cannot begin."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    HOPELESS = "hopeless"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where an attempt is, why in one line, the pod whose log tells, and what it failed by."""

    phase: Phase
    why: str
    pod: str | None = None
    error: Phys4dError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""
        return self.phase in (Phase.DONE, Phase.FAILED, Phase.HOPELESS)


def standing_of(job: Fields, pods: Sequence[Fields], *, stage: str) -> Standing:
    """How a Job (batch/v1) and its pods stand."""
    leaders = [pod for pod in pods if _annotations(pod).get(INDEX, "0") == "0"]
    leader = max(leaders, key=_created, default=None)
    pod = None if leader is None else str(leader["metadata"]["name"])
    conditions = {one["type"]: one for one in _status(job).get("conditions") or () if one.get("status") == "True"}
    if "Complete" in conditions:
        return Standing(phase=Phase.DONE, why="done", pod=pod)
    if "Failed" in conditions:
        error = _failure(conditions["Failed"], pods, stage=stage)
        return Standing(phase=Phase.FAILED, why=str(error), pod=pod, error=error)
    for one in pods:
        for reason, message in _waits(one):
            if reason in HOPELESS:
                error = ParametersError(f"{stage}: pod {one['metadata']['name']} cannot begin: {reason}: {message}")
                return Standing(phase=Phase.HOPELESS, why=str(error), pod=pod, error=error)
    if job.get("spec", {}).get("suspend"):
        return Standing(phase=Phase.WAITING, why="waits in its queue")
    phases = {_status(one).get("phase", "Pending") for one in pods}
    if not pods or "Pending" in phases:
        return Standing(phase=Phase.WAITING, why=_why_waiting(pods), pod=pod if "Running" in phases else None)
    return Standing(phase=Phase.RUNNING, why="runs", pod=pod)


def _failure(condition: Fields, pods: Sequence[Fields], *, stage: str) -> Phys4dError:
    """What a Job that failed failed by: what took its pod away, or the exit code of its stage's command."""
    cause = CAUSE.search(condition.get("message") or "")
    if cause and cause["what"].startswith("has"):  # an evicted pod is deleted, so it may be gone
        return StoppedError(f"{stage}: pod {cause['pod']} was taken away; another goes on from what it saved")

    def guilt(pod: Fields) -> tuple[bool, bool, str]:
        """The pod that the controller names, then those that nobody stopped; of pods in turns the last."""
        metadata = pod["metadata"]
        return bool(cause and metadata["name"] == cause["pod"]), "deletionTimestamp" not in metadata, _created(pod)

    words = ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
    errors = (_error_of(pod, stage=stage) for pod in sorted(pods, key=guilt, reverse=True))
    return next(filter(None, errors), Phys4dError(f"{stage}: its Job failed: {words or 'no reason given'}"))


def _error_of(pod: Fields, *, stage: str) -> Phys4dError | None:
    """What a pod ended by; None for one that did what it had to, or has not ended."""
    name, status, ended = pod["metadata"]["name"], _status(pod), _terminated(pod)
    if taken := _taken_away(pod):
        return StoppedError(f"{stage}: pod {name} was taken away ({taken}); another goes on from what it saved")
    if status.get("reason") == "DeadlineExceeded":
        return Phys4dError(f"{stage}: pod {name} ran longer than cluster.deadline_hours: raise it")
    if ended is None or ended["exitCode"] == ExitCode.DONE:
        return None
    if ended.get("reason") == "OOMKilled":
        return Phys4dError(f"{stage}: pod {name} ran out of memory: raise memory in cluster.pods")
    if ended["exitCode"] == KILLED:
        return StoppedError(f"{stage}: pod {name} was killed; it goes on from what was saved")
    said = [line.removeprefix(SAID) for line in str(ended.get("message") or "").splitlines() if line.startswith(SAID)]
    words = said[-1] if said else f"{stage}: pod {name} exited with {ended['exitCode']}"
    return ERRORS.get(ended["exitCode"], Phys4dError)(words)


def _taken_away(pod: Fields) -> str:
    """By what a pod was evicted, preempted or lost with its node; empty when it was not."""
    for condition in _status(pod).get("conditions") or ():
        if condition["type"] == "DisruptionTarget" and condition.get("status") == "True":
            return str(condition.get("reason") or "disruption")
    return "Evicted" if _status(pod).get("reason") == "Evicted" else ""


def _terminated(pod: Fields) -> Fields | None:
    for container in _status(pod).get("containerStatuses") or ():
        if container["name"] == CONTAINER:
            found: Fields | None = container.get("state", {}).get("terminated")
            return found
    return None


def _waits(pod: Fields) -> Iterator[tuple[str, str]]:
    """Reason and message of every container that waits, as the kubelet says them."""
    status = _status(pod)
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = container.get("state", {}).get("waiting")
        if waiting:
            yield str(waiting.get("reason", "")), " ".join(str(waiting.get("message", "")).split())


def _why_waiting(pods: Sequence[Fields]) -> str:
    for pod in pods:
        for condition in _status(pod).get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition.get("status") == "False":
                return f"waits for a node: {condition.get('message') or condition.get('reason')}"
        for reason, message in _waits(pod):
            if reason not in ("", "PodInitializing", "ContainerCreating"):
                return f"waits: {reason}: {message}"
    return "its containers are being made" if pods else "waits for its pod"


def _status(thing: Fields) -> Fields:
    found: Fields = thing.get("status") or {}
    return found


def _annotations(pod: Fields) -> Fields:
    found: Fields = pod["metadata"].get("annotations") or {}
    return found


def _created(pod: Fields) -> str:
    return str(pod["metadata"].get("creationTimestamp") or "")
