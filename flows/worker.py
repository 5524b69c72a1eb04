"""A worker on this machine: `python -m flows.worker` makes its pool, deploys prefect.yaml and runs what is due.

One process for three of Prefect's commands, each of which takes seconds to load. It is the only one of its pool: what
the server has as begun when it starts was left by one that is dead.
"""

import signal
import sys

from prefect.cli import app
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import State, StateType
from prefect.states import AwaitingRetry, Cancelled, Crashed

from components.stopping import LEAVE
from flows.server import DEPLOYED, POOL

BEGUN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
DRIVER = "--driver"  # of a cluster: what was begun is run again, and http://0.0.0.0:8080/health says whether it works


def main() -> None:
    """Run the commands one after the other; the last one ends with the process."""
    driver = DRIVER in sys.argv
    signal.signal(LEAVE, signal.SIG_IGN)  # and so of a run that starts, until it can heed it
    settle(again=driver)
    prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
    prefect("--no-prompt", "deploy", "--all")
    sys.stdout.write(f"{DEPLOYED}\n")
    sys.stdout.flush()
    health = ["--with-healthcheck"] if driver else []
    prefect("worker", "start", "--pool", POOL, "--type", "process", "--name", POOL, "--limit", "1", *health)


def prefect(*command: str) -> None:
    """Run a command of Prefect's in this process; SystemExit when it fails."""
    sys.argv = ["prefect", *command]
    try:
        app()
    except SystemExit as ended:
        if ended.code:
            raise


def settle(*, again: bool) -> None:
    """Bring runs that a dead worker left as if they ran to an end; again: to their start, the same runs once more.

    Their tasks end in any case: a run that begins once more has new ones.
    """
    of_pool = WorkPoolFilter.model_validate({"name": {"any_": [POOL]}})
    begun = {"state": {"type": {"any_": BEGUN}}}
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(begun), work_pool_filter=of_pool):
            tasks = TaskRunFilter.model_validate({**begun, "flow_run_id": {"any_": [run.id]}})
            for task in client.read_task_runs(task_run_filter=tasks):
                client.set_task_run_state(task.id, Crashed(message="its run's process ended"), force=True)
            cancelled = run.state_type is StateType.CANCELLING
            client.set_flow_run_state(run.id, _after_death(cancelled=cancelled, again=again), force=True)


def _after_death(*, cancelled: bool, again: bool) -> State[None]:
    if cancelled:
        return Cancelled(message="its worker ended before it did; the next run continues its work")
    if again:
        return AwaitingRetry(message="its driver ended while it ran; the next driver goes on with it")
    return Crashed(message="phys4d serve ended while it ran; the next run continues its work")


if __name__ == "__main__":
    main()
