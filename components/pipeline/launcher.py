"""`phys4d stage NAME`: one stage through `dvc repro -s`, with the exit code DVC cannot pass on.

DVC turns every failing command into 255 and passes no signal on. The stage's own command leaves its code in
`.phys4d/run/`; a TERM or INT given to this process is given to that command alone, and DVC is waited for.
"""

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from components.errors import ExitCode, GateRefusedError, ParametersError, Phys4dError, StoppedError
from components.locks import exclusive, lock_holder
from components.parameters.loader import load_params
from components.pipeline.execution import LAUNCH, STATE, check_inputs, lock_path, read_record
from components.pipeline.graph import find_stage, load_graph
from components.pipeline.lockfile import keep_lockfile, mend_lockfile
from components.processes import die_with_parent
from components.progress import TERMINAL
from components.stopping import stop_event

LOCK_ATTEMPTS = 8
TAIL = 16_384  # bytes of DVC's messages kept for the cause of a failure
ERRORS = {error.code: error for error in (GateRefusedError, StoppedError, ParametersError)}


def launch(name: str, *, force: bool = False) -> None:
    """Bring stage `name` up to date; raises what the stage's own command ended with, Phys4dError for anything else."""
    root = Path.cwd()
    identity = secrets.token_hex(8)
    with _stop_requests() as asked:
        load_params()
        check_inputs(find_stage(load_graph(root), name), root)
        with exclusive(root / STATE / "run" / "lockfile.lock", "keeping dvc.lock"):
            existed = keep_lockfile(root)
        for attempt in range(LOCK_ATTEMPTS):
            code, messages = _dvc_repro(root, name, asked, force=force, identity=identity)
            if code == 0:
                return
            record = read_record(root, name, launch=identity)
            if record or not _lock_was_taken(messages) or asked.wait(0.2 * 2**attempt):
                break
        # still no room: the next launch mends it, and how the stage ended is what matters now
        with contextlib.suppress(Phys4dError):
            mend_lockfile(root, existed=existed)
    if record and record[0] is not ExitCode.DONE:
        raise ERRORS.get(record[0], Phys4dError)(record[1])
    cause = _cause(messages) or f"dvc repro ended with {code}"
    if record:
        raise Phys4dError(
            f"{name}: its command is done, but DVC could not record it ({cause}): "
            f"mend that (a full disk?), then keep the result with dvc commit --force {name}"
        )
    if own := re.search(r"exited with (65|75|78)$", cause):  # it ended before it could leave a record
        raise ERRORS[ExitCode(int(own[1]))](f"{name}: {cause}")
    if asked.is_set():
        raise StoppedError(f"{name}: stopped before its command began; run the same command again")
    raise Phys4dError(f"{name}: {cause}")


@contextlib.contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """An event that TERM and INT set."""
    asked = stop_event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    previous = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _dvc_repro(root: Path, name: str, asked: threading.Event, *, force: bool, identity: str) -> tuple[int, str]:
    """Run DVC in a process group of its own; its exit code and the end of its messages."""
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", *(["--force"] if force else []), name]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "DVC_NO_ANALYTICS": "1",
        LAUNCH: identity,
        TERMINAL: "1" if sys.stderr.isatty() else "0",
    }
    launcher = os.getpid()
    process = subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=lambda: die_with_parent(launcher),  # noqa: PLW1509 -- no thread runs yet
    )
    tail = bytearray()
    relay = threading.Thread(target=_relay, args=(process, tail), daemon=True)
    relay.start()
    _wait(process, lock_path(root, name), asked)
    relay.join()
    return process.returncode, tail.decode(errors="replace")


def _wait(process: subprocess.Popen[bytes], lock: Path, asked: threading.Event) -> None:
    """Wait for DVC; a request to stop goes once to the holder of the stage's lock, as soon as there is one."""
    passed_on = False
    while process.poll() is None:
        holder = lock_holder(lock) if asked.is_set() and not passed_on else None
        if holder:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself just now: DVC will say how
                if os.getpgid(holder) == process.pid:  # another launch's stage is not ours to stop
                    os.kill(holder, signal.SIGTERM)
                    passed_on = True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)


def _relay(process: subprocess.Popen[bytes], tail: bytearray) -> None:
    """All that DVC and the stage say goes to standard error: standard output is for `--json`."""
    if process.stdout is None:
        raise AssertionError("DVC's output is a pipe")
    while chunk := os.read(process.stdout.fileno(), 65_536):
        sys.stderr.buffer.write(chunk)
        sys.stderr.flush()
        tail += chunk
        del tail[:-TAIL]


def _lock_was_taken(messages: str) -> bool:
    return "Unable to acquire lock" in messages or "is busy, it is being blocked by" in messages


def _cause(messages: str) -> str:
    """DVC's last error in one line."""
    errors = [line for line in messages.splitlines() if line.startswith("ERROR: ")]
    return errors[-1].removeprefix("ERROR: ") if errors else ""
