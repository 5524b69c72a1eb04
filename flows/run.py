"""The flow: stale stages as Prefect tasks in the graph's order, then registration and promotion."""

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import Task, flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Failed

from components.errors import Phys4dError, StoppedError
from components.parameters.loader import load_params
from components.params import Params
from components.pipeline.graph import load_graph
from components.pipeline.lockfile import LOCKFILE
from components.tracked_run import PIPELINE, pipeline_run
from components.tracking import UnreachableError
from flows.plan import Plan, chosen, stale_stages, walk
from flows.promotion import backbones_to_judge, judge
from flows.stage import Attempts, run_stage, stop_requests

RESUMPTIONS = 1000  # Prefect wants a bound; which ends are tried again, and how often, `Attempts` says
DELAY = 1.0  # seconds before another attempt
REGISTRY_RETRIES = 3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did: the stages that were brought up to date, and the verdict on each backbone's model."""

    stages: tuple[str, ...]
    verdicts: Mapping[str, str]


def cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0))


@flow(name="phys4d", validate_parameters=False)
def pipeline(
    *,
    stages: Sequence[str],
    force: bool,
    parallel: int | None,
    retries: int,
    pipeline_id: str,
    stale: Sequence[str] | None = None,
) -> Outcome | State[Any]:
    """Bring the graph of the folder this process works in up to date.

    stages: names of stages or of templates, none for all, with what they depend on; force: also where these are up to
    date; parallel: stages at a time, None for as many as there are cores for; retries: of a stage that fails without
    being stopped or refused; stale: what DVC finds out of date, where that has been asked just now.
    """
    os.environ[PIPELINE] = pipeline_id  # for the stages' own runs
    with stop_requests() as stopping:
        try:
            with pipeline_run(Path.cwd(), profile=load_params().profile, pipeline=pipeline_id) as tracked:
                found = stale_stages(Path.cwd()) if stale is None else stale
                outcome = _run(stages, stale=found, force=force, parallel=parallel, retries=retries, stopping=stopping)
                tracked.tag(**{f"verdict_{backbone}": text for backbone, text in outcome.verdicts.items()})
                return outcome
        except StoppedError as error:
            return Cancelled(message=str(error), data=error)
        except Phys4dError as error:
            return Failed(message=str(error), data=error)


def error_of(state: State[Any], name: str) -> Phys4dError | None:
    """What a task or flow ended by, None when it ended well."""
    if state.is_completed():
        return None
    error = state.result(raise_on_failure=False)
    return error if isinstance(error, Phys4dError) else Phys4dError(f"{name}: {state.message}")


def _error_of_task(future: PrefectFuture[None], name: str) -> Phys4dError | None:
    """What a task that ended ended by; whatever goes wrong in asking must not leave the graph waiting for it."""
    try:
        future.wait()  # which takes the state from the task itself: the server's word of it comes later
        return error_of(future.state, name)
    except BaseException as error:  # noqa: BLE001
        return Phys4dError(f"{name}: {type(error).__name__}: {error}")


def _run(
    stages: Sequence[str],
    *,
    stale: Collection[str],
    force: bool,
    parallel: int | None,
    retries: int,
    stopping: threading.Event,
) -> Outcome:
    root, graph, params = Path.cwd(), load_graph(Path.cwd()), load_params()
    targets = chosen(graph, stages)
    each = params.resources.processes * params.resources.threads

    def takes(name: str) -> int:
        return 1 if parallel else graph[name].cores or each

    plan = Plan(root, graph, targets=targets, stale=stale, forced=targets if force else (), takes=takes)
    ran: list[str] = []

    def submit(name: str, done: Callable[[Phys4dError | None], None]) -> None:
        future = _stage_task(name, name in plan.forced, Attempts(retries, stopping), stopping).submit()
        future.add_done_callback(lambda ended: done(_error_of_task(ended, name)))
        ran.append(name)

    failure = walk(plan, submit, room=parallel or cores(), takes=takes, stopping=stopping)
    if (root / LOCKFILE).exists():
        text = f"```yaml\n{(root / LOCKFILE).read_text()}\n```"
        create_markdown_artifact(key="dvc-lock", markdown=text, description="dvc.lock as this run left it")
    if stopping.is_set():
        raise StoppedError("stopped; the same command continues")
    if failure:
        raise failure
    verdicts = {}
    for backbone in backbones_to_judge(graph, stages):
        state = _promotion_task(backbone)(root, backbone, params, return_state=True)
        if error := error_of(state, f"promote@{backbone}"):
            raise error
        verdicts[backbone] = str(state.result())
    return Outcome(stages=tuple(ran), verdicts=verdicts)


def _stage_task(name: str, force: bool, attempts: Attempts, stopping: threading.Event) -> Task[[], None]:
    def another(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
        return isinstance(state.data, Phys4dError) and attempts.another(state.data)

    @task(
        name=name,
        task_run_name=name,
        retries=RESUMPTIONS,
        retry_delay_seconds=DELAY,
        retry_condition_fn=another,
        cache_policy=NO_CACHE,  # what is up to date is DVC's to say
    )
    def bring_up_to_date() -> None:
        run_stage(name, force=force, stopping=stopping, say=get_run_logger().info)

    return bring_up_to_date


def _promotion_task(backbone: str) -> Task[[Path, str, Params], str]:
    def unreachable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
        return isinstance(state.data, UnreachableError)

    name = f"promote@{backbone}"
    return Task(
        judge,
        name=name,
        task_run_name=name,
        retries=REGISTRY_RETRIES,
        retry_delay_seconds=DELAY,
        retry_condition_fn=unreachable,
        cache_policy=NO_CACHE,
    )
