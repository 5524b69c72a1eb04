"""The driver of a cluster: `python -m flows.driver` has a worker run what the server of PREFECT_API_URL has due.

It is the first process of its pod. Asked to end, it has what runs save and be due again, so that the next driver goes
on with it; a Job that was made is left to run, and the next driver finds it.
"""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from components.errors import ParametersError, Phys4dError
from components.stopping import LEAVE
from flows.child import start
from flows.serve import SAVING, only_one, outermost, runs_of
from flows.server import configure

AGAIN = 1.0  # seconds after which a run is asked again: it does not hear while it starts


def main() -> None:
    """Drive until TERM or INT; exit with the code of what went wrong, if anything did."""
    with outermost("stopped; the next driver goes on"):
        drive(Path.cwd())


def drive(root: Path) -> None:
    """Have a worker run what is due; it never returns by itself."""
    if not os.environ.get("PREFECT_API_URL"):
        raise ParametersError("PREFECT_API_URL is not set, expected the server that has the runs; phys4d serve has one")
    with only_one(root, "python -m flows.driver"):
        configure(root)
        os.environ["PHYS4D_ROOT"] = str(root)
        error, output = sys.stderr.fileno(), sys.stdout.fileno()
        worker = start("flows.worker", "--driver", environment=os.environ, log=error, output=output)
        try:
            raise Phys4dError(f"Prefect's worker ended with {worker.wait()}: its last lines say why")
        finally:
            _leave(worker)
            worker.kill()  # not asked to end: it would cancel what it runs; the next driver puts in order what it left
            worker.wait()


def _leave(worker: subprocess.Popen[bytes]) -> None:
    """Have what the worker runs save and be due again."""
    deadline = time.monotonic() + SAVING
    while (runs := runs_of(worker)) and time.monotonic() < deadline:
        for run in runs:
            with suppress(psutil.NoSuchProcess):
                run.send_signal(LEAVE)
        psutil.wait_procs(runs, timeout=AGAIN)


if __name__ == "__main__":
    main()
