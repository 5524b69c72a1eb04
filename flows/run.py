"""The flows: the whole pipeline, the evaluation alone, the promotion alone. prefect.yaml deploys them.

They work in the folder their process works in. Stale stages are tasks in the graph's order, then come registration and
promotion; Prefect shows the lines and the progress of each stage, dvc.lock and a page with the verdicts.
"""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.runtime import deployment
from prefect.states import AwaitingRetry, Cancelled, Failed

from components.errors import Phys4dError, StoppedError
from components.parameters.loader import load_params
from components.params import Params
from components.pipeline.graph import load_graph
from components.pipeline.stale import stale_stages
from components.processes import die_with_parent
from components.recorded import read_lockfile
from components.report.run_record import write_copy
from components.stopping import LEAVING
from components.tracked_run import PIPELINE, pipeline_run
from flows.place import room_of
from flows.plan import walk
from flows.promotion import Judged, foresee
from flows.request import (
    Backbones,
    DryRun,
    Force,
    Parallel,
    Profile,
    Request,
    Retries,
    Stages,
    new_id,
    read_request,
)
from flows.stage import Attempts, stop_requests
from flows.summary import Outcome, broken_off, plan_text, summary
from flows.tasks import error_of, error_of_task, promotion_task, stage_task
from flows.turn import turn
from flows.work import REPORT, Work, WorkOf, evaluation, explained, promotion, whole


@flow(name="phys4d", validate_parameters=False)  # `read_request` says it better
def pipeline(
    *,
    profile: Profile = None,
    backbones: Backbones = (),
    stages: Stages = (),
    force: Force = False,
    dry_run: DryRun = False,
    parallel: Parallel = None,
    retries: Retries = 1,
) -> Outcome | State[Any]:
    """Bring the graph up to date, then decide on promotion."""
    values = {"profile": profile, "backbones": backbones, "stages": stages, "force": force, "dry_run": dry_run}
    return _conduct(whole, {**values, "parallel": parallel, "retries": retries})


@flow(name="phys4d-evaluate", validate_parameters=False)
def evaluate(
    *, profile: Profile = None, backbones: Backbones = (), force: Force = False, dry_run: DryRun = False
) -> Outcome | State[Any]:
    """Measure the models that are there, and make the report; nothing is trained, nothing is promoted."""
    return _conduct(evaluation, {"profile": profile, "backbones": backbones, "force": force, "dry_run": dry_run})


@flow(name="phys4d-promote", validate_parameters=False)
def promote(*, profile: Profile = None, backbones: Backbones = (), dry_run: DryRun = False) -> Outcome | State[Any]:
    """Register the models that were measured, and decide on their promotion; no stage runs."""
    return _conduct(promotion, {"profile": profile, "backbones": backbones, "dry_run": dry_run})


def _conduct(work_of: WorkOf, values: Mapping[str, object]) -> Outcome | State[Any]:
    """Check what is asked for, wait for another run of this project, and do it."""
    root, log = Path.cwd(), get_run_logger()
    if deployment.id:
        die_with_parent()  # the worker: killed, it leaves nothing behind
    with stop_requests() as stopping:
        try:
            params, graph = load_params(), load_graph(root)
            request = read_request(values, params=params, graph=graph)
            work = work_of(request, graph, params)
            with turn(root, stopped=stopping.is_set, say=log.info):
                if request.dry_run:
                    return _foreseen(root, work, request, params, log.info)
                pipeline_id = os.environ.setdefault(PIPELINE, new_id())  # for the stages' own runs
                with pipeline_run(root, profile=params.profile, pipeline=pipeline_id) as tracked:
                    outcome = _run(root, work, request, params, stopping)
                    if outcome.report:
                        tracked.attach(outcome.report)
                    tracked.tag(**{f"verdict_{backbone}": one.text for backbone, one in outcome.verdicts.items()})
                    return outcome
        except StoppedError as error:
            if LEAVING.is_set():
                return AwaitingRetry(message="its driver was stopped; the next driver goes on with it")
            return Cancelled(message=str(error), data=error)
        except Phys4dError as error:
            return Failed(message=str(error), data=error)


def _foreseen(root: Path, work: Work, request: Request, params: Params, say: Callable[[str], None]) -> Outcome:
    reasons = explained(work, stale_stages(root), force=request.force)
    verdicts = {} if work.targets else {name: foresee(root, name, params) for name in work.judged}
    for name, reason in reasons.items():
        say(f"would run {name}: {reason}")
    create_markdown_artifact(
        key="plan", markdown=plan_text(reasons, verdicts), description="What a run would do, and why"
    )
    return Outcome(stages=(), verdicts=verdicts, report=None, plan=reasons)


def _run(root: Path, work: Work, request: Request, params: Params, stopping: threading.Event) -> Outcome:

    def takes(name: str) -> int:
        return room_of(work.graph[name], params, counted=bool(request.parallel))

    plan = work.plan(root, stale_stages(root) if work.targets else {}, force=request.force, takes=takes)
    ran: list[str] = []

    def submit(name: str, done: Callable[[Phys4dError | None], None]) -> None:
        def end(ended: PrefectFuture[None]) -> None:
            error = error_of_task(ended, name)
            if not error:
                ran.append(name)
            done(error)

        attempts = Attempts(request.retries, stopping)
        stage_task(name, force=name in plan.forced, attempts=attempts, stopping=stopping).submit().add_done_callback(
            end
        )

    failure = walk(plan, submit, room=request.parallel or cores(), takes=takes, stopping=stopping)
    if work.targets and (recorded := read_lockfile(root)):
        text = f"```yaml\n{recorded.decode()}\n```"
        create_markdown_artifact(key="dvc-lock", markdown=text, description="dvc.lock as this run left it")
    if stopping.is_set():
        failure = StoppedError("stopped; the same command continues")
    if failure:
        text = broken_off(ran, str(failure))
        create_markdown_artifact(key="summary", markdown=text, description="What was done, and why it ended there")
        raise failure
    verdicts: dict[str, Judged] = {}
    for backbone in work.judged:
        state = promotion_task(backbone)(root, backbone, params, return_state=True)
        if error := error_of(state, f"promote@{backbone}"):
            raise error
        verdicts[backbone] = state.result()
    report = str(write_copy(root, load_graph(root))) if REPORT in work.targets else None
    outcome = Outcome(stages=tuple(ran), verdicts=verdicts, report=report)
    create_markdown_artifact(
        key="summary",
        markdown=summary(root, outcome, request.backbones or params.pipeline.backbones),
        description="The verdicts, their figures, and the report",
    )
    return outcome


def cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0))
