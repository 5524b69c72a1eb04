"""What DVC finds out of date, and why."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.errors import Phys4dError

LOCK_ATTEMPTS = 8
BUSY = ("Unable to acquire lock", "is busy, it is being blocked by")


def stale_stages(root: Path) -> dict[str, str]:
    """The stages that DVC finds out of date as things are now, each with the reason in one line.

    Phys4dError with DVC's words when it cannot say.
    """
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", "status", "--json"]
    for attempt in range(LOCK_ATTEMPTS):
        result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            found = json.loads(result.stdout or "{}")
            return {
                stage: "; ".join(line for entry in entries for line in _reasons(entry))
                for stage, entries in found.items()
            }
        if not any(words in result.stderr for words in BUSY):
            break
        time.sleep(0.2 * 2**attempt)
    raise Phys4dError(f"dvc status: {' '.join(result.stderr.split()) or result.returncode}")


def _reasons(entry: str | Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """DVC's entry of a stage as a reader says it: "changed command", or {"changed deps": {path: "modified"}}."""
    if isinstance(entry, str):
        yield entry
        return
    for kind, changes in entry.items():
        yield f"{kind}: {', '.join(_change(path, how) for path, how in changes.items())}"


def _change(path: str, how: str | Mapping[str, str]) -> str:
    if isinstance(how, str):
        return f"{path} {how}"
    return ", ".join(f"{key} {what}" for key, what in how.items())  # of params.yaml: its keys
