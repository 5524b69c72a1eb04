"""The tasks of a run: a stage, which is named as DVC names it, and the decision on a backbone's promotion."""

import threading
from pathlib import Path
from typing import Any

from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import PrefectFuture

from components.errors import Phys4dError
from components.params import Params
from components.tracking import UnreachableError
from flows.place import bring
from flows.progress import ProgressArtifact
from flows.promotion import Judged, judge
from flows.stage import Attempts

RESUMPTIONS = 1000  # Prefect wants a bound; which ends are tried again, and how often, `Attempts` says
DELAYS = [1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0]  # seconds before another attempt, and between all after these
REGISTRY_RETRIES = 3


def stage_task(name: str, *, force: bool, attempts: Attempts, stopping: threading.Event) -> Task[[], None]:
    """The task that brings a stage up to date, its lines in Prefect's log, its progress in an artifact."""

    def another(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
        return isinstance(state.data, Phys4dError) and attempts.another(state.data)

    @task(
        name=name,
        task_run_name=name,
        retries=RESUMPTIONS,
        retry_delay_seconds=DELAYS,
        retry_condition_fn=another,
        cache_policy=NO_CACHE,  # what is up to date is DVC's to say
    )
    def bring_up_to_date() -> None:
        log = get_run_logger().info
        with ProgressArtifact(name) as progress:

            def say(line: str) -> None:
                log(line)
                progress.note(line)

            bring(name, force=force, stopping=stopping, say=say)

    return bring_up_to_date


def promotion_task(backbone: str) -> Task[[Path, str, Params], Judged]:
    """The task that decides on a backbone's promotion; a registry out of reach is tried again."""

    def unreachable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
        return isinstance(state.data, UnreachableError)

    name = f"promote@{backbone}"
    return Task(
        judge,
        name=name,
        task_run_name=name,
        retries=REGISTRY_RETRIES,
        retry_delay_seconds=DELAYS,
        retry_condition_fn=unreachable,
        cache_policy=NO_CACHE,
    )


def error_of(state: State[Any], name: str) -> Phys4dError | None:
    """What a task or flow ended by, None when it ended well."""
    if state.is_completed():
        return None
    error = state.result(raise_on_failure=False)
    return error if isinstance(error, Phys4dError) else Phys4dError(f"{name}: {state.message}")


def error_of_task(future: PrefectFuture[None], name: str) -> Phys4dError | None:
    """What a task that ended ended by; whatever goes wrong in asking must not leave the graph waiting for it."""
    try:
        future.wait()  # which takes the state from the task itself: the server's word of it comes later
        return error_of(future.state, name)
    except BaseException as error:  # noqa: BLE001
        return Phys4dError(f"{name}: {type(error).__name__}: {error}")
