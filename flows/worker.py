"""A worker on this machine: `python -m flows.worker` makes its pool, deploys prefect.yaml and runs what is due.

One process for three of Prefect's commands, each of which takes seconds to load.
"""

import sys

from prefect.cli import app
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, WorkPoolFilter
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

from flows.server import DEPLOYED, POOL

BEGUN = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]


def main() -> None:
    """Run the commands one after the other; the last one ends with the process."""
    bury()
    prefect("work-pool", "create", POOL, "--type", "process", "--overwrite")
    prefect("--no-prompt", "deploy", "--all")
    sys.stdout.write(f"{DEPLOYED}\n")
    sys.stdout.flush()
    prefect("worker", "start", "--pool", POOL, "--type", "process", "--name", POOL, "--limit", "1")


def prefect(*command: str) -> None:
    """Run a command of Prefect's in this process; SystemExit when it fails."""
    sys.argv = ["prefect", *command]
    try:
        app()
    except SystemExit as ended:
        if ended.code:
            raise


def bury() -> None:
    """Runs that a killed worker left as if they ran: it is the only one of this server, and they ended with it."""
    of_pool = WorkPoolFilter.model_validate({"name": {"any_": [POOL]}})
    begun = FlowRunFilter.model_validate({"state": {"type": {"any_": BEGUN}}})
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=begun, work_pool_filter=of_pool):
            message = "phys4d serve ended while it ran; the next run continues its work"
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)


if __name__ == "__main__":
    main()
