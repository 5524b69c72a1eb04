"""DVC's own transfers, to and from the object storage that params.yaml names."""

import os
import subprocess
import sys
import time
from pathlib import Path

from components.errors import Phys4dError
from components.storage.store import Storage

REMOTE = "phys4d"
FOLDER = "dvc"  # below the storage's prefix
LOCK_ATTEMPTS = 60
LOCK_WAIT = 5.0  # seconds: another's transfer of large files takes minutes
# It asks for a large file in parts, for each of them once: a broken connection fails the command, which then goes on
# from the files that are whole.
BROKEN = ("Response payload is not completed", "Read timeout on endpoint URL")
BROKEN_ATTEMPTS = 5
BUSY = ("Unable to acquire lock", "is busy, it is being blocked by")
# What components.storage.client says for our client, for the one inside DVC. Its own patience ended after 28 s of an
# outage; with this a push came through one of 60 s (tests/servers/proxy.py refusing all connections).
TRANSFERS = {
    "AWS_RETRY_MODE": "standard",
    "AWS_MAX_ATTEMPTS": "12",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}


def dvc(root: Path, *arguments: str) -> str:
    """What a command of DVC prints; Phys4dError with DVC's words when it fails.

    Another's lock is waited for, and a file whose connection broke is asked for again.
    """
    environment = {**TRANSFERS, **os.environ, "DVC_NO_ANALYTICS": "1"}
    broken = 0
    for _ in range(LOCK_ATTEMPTS):
        result = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode == 0:
            return result.stdout
        if any(words in result.stderr for words in BUSY):
            time.sleep(LOCK_WAIT)
            continue
        broken += 1
        if broken == BROKEN_ATTEMPTS or not any(words in result.stderr for words in BROKEN):
            break
    raise Phys4dError(f"dvc {' '.join(arguments)}: {_cause(result.stderr) or result.returncode}")


def use_remote(root: Path, storage: Storage) -> None:
    """Have DVC keep its data in `storage`, unless the project names a remote of its own.

    It is written to .dvc/config.local, which git does not track.
    """
    settings = dict(line.split("=", 1) for line in dvc(root, "config", "--list").splitlines() if "=" in line)
    if settings.get("core.remote", REMOTE) != REMOTE:
        return
    url = "/".join(part for part in (f"s3://{storage.bucket}", storage.prefix, FOLDER) if part)
    wanted = {"core.remote": REMOTE, f"remote.{REMOTE}.url": url, f"remote.{REMOTE}.endpointurl": storage.endpoint}
    if all(settings.get(name) == value for name, value in wanted.items()):
        return
    dvc(root, "remote", "add", "--local", "--force", "--default", REMOTE, url)
    if storage.endpoint:
        dvc(root, "remote", "modify", "--local", REMOTE, "endpointurl", storage.endpoint)


def _cause(messages: str) -> str:
    """The first error, which is the cause, and the last with all that follows, which is the consequence."""
    first, last = messages.find("ERROR: "), messages.rfind("ERROR: ")
    parts = [messages[max(last, 0) :]] if first == last else [messages[first:].partition("\n")[0], messages[last:]]
    return " ".join(" ".join(part.split())[:500] for part in parts)
