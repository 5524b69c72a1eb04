"""A real S3 server, Ceph's gateway, for the tests of one session: `server(folder)`.

Workers of pytest-xdist share it: each holds a lock while it may use the server, and the process that keeps the daemons
(tests.servers.ceph_daemons) ends them when nobody holds it any more, also when the tests were killed.
"""

import fcntl
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

PROGRAMS = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "monmaptool")
INSTALL = "apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"
PATIENCE = 180.0  # seconds; 15 on an idle machine


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the gateway listens, and the credentials file of its one user."""

    endpoint: str
    credentials: Path

    @property
    def port(self) -> int:
        return int(self.endpoint.rsplit(":", 1)[1])

    def make_bucket(self, name: str) -> None:
        """A bucket; the caller's environment names the credentials."""
        config = Config(s3={"addressing_style": "path"})
        client = boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", config=config)
        client.create_bucket(Bucket=name)


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """The server whose files lie in `folder`: started if it is not running, left to whoever else uses it."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        raise FileNotFoundError(f"{', '.join(missing)}: not installed; as root: {INSTALL}")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (folder / "starting").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            ready = folder / "ready.json"
            if not ready.exists():
                _start(folder, ready)
            found = json.loads(ready.read_text())
        yield Server(endpoint=found["endpoint"], credentials=Path(found["credentials"]))


def _start(folder: Path, ready: Path) -> None:
    output = folder / "daemons.out"
    with output.open("wb") as out:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.ceph_daemons", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    deadline = time.monotonic() + PATIENCE
    while not ready.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.terminate()
            raise RuntimeError(f"Ceph did not start: {output.read_text()[-2000:]}")
        time.sleep(0.1)
