"""Keeps Ceph's daemons while somebody uses them: `python -m tests.servers.ceph_daemons FOLDER`.

One monitor, one store on a sparse file, one gateway. They trust each other (no cephx), so they listen on loopback only.
"""

import ctypes
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

PATIENCE = 60.0  # seconds
PR_SET_PDEATHSIG = 1
SETTINGS = """[global]
fsid = {fsid}
mon_host = v1:127.0.0.1:{monitor}
mon_initial_members = a
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_crush_chooseleaf_type = 0
osd_crush_update_on_start = false
osd_class_update_on_start = false
osd_memory_target = 1073741824
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_crit = 1
mon_data_avail_warn = 2
mon_osd_full_ratio = .99
osd_objectstore = bluestore
bluestore_block_size = 6442450944
bluestore_block_create = true
run_dir = {folder}
admin_socket =
log_file = {folder}/$name.log
mon_data = {folder}/mon
osd_data = {folder}/osd
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
"""


def main() -> None:
    """Start the daemons, say where they are in ready.json, and end them when no user is left."""
    folder = Path(sys.argv[1]).resolve()
    daemons: list[subprocess.Popen[bytes]] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        start(folder, daemons)
        while in_use(folder / "users") and all(daemon.poll() is None for daemon in daemons):
            time.sleep(0.5)
    finally:
        (folder / "ready.json").unlink(missing_ok=True)
        stop(daemons)
        shutil.rmtree(folder / "osd", ignore_errors=True)  # the large one


def start(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> None:
    """A new cluster with one user, and its gateway's address in ready.json."""
    gateway, monitor, fsid, store = free_port(), free_port(), str(uuid.uuid4()), str(uuid.uuid4())
    for name in ("mon", "osd"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    settings = folder / "ceph.conf"
    settings.write_text(SETTINGS.format(folder=folder, gateway=gateway, monitor=monitor, fsid=fsid))
    with_settings = ("-c", str(settings))
    monmap = str(folder / "monmap")

    def daemon(*command: str) -> None:
        daemons.append(subprocess.Popen([command[0], "-f", *with_settings, *command[1:]], preexec_fn=die_with_parent))  # noqa: PLW1509

    run("monmaptool", "--create", "--clobber", "--addv", "a", f"[v1:127.0.0.1:{monitor}]", "--fsid", fsid, monmap)
    run("ceph-mon", *with_settings, "--mkfs", "-i", "a", "--monmap", monmap)
    daemon("ceph-mon", "-i", "a")
    run("ceph", *with_settings, "osd", "new", store)
    run("ceph-osd", *with_settings, "-i", "0", "--mkfs", "--osd-uuid", store)
    # not left to the daemon: it asks the monitor for this before it knows the cluster, and now and then ends by that
    run("ceph", *with_settings, "osd", "crush", "add", "osd.0", "1", "host=h", "root=default")
    daemon("ceph-osd", "-i", "0")
    daemon("radosgw", "-n", "client.rgw")
    key, secret = f"test{secrets.token_hex(6)}", secrets.token_hex(20)
    user = ("--uid=test", "--display-name=test", f"--access-key={key}", f"--secret-key={secret}")
    run("radosgw-admin", *with_settings, "user", "create", *user)
    wait_for_port(gateway)
    credentials = folder / "credentials"
    credentials.touch(mode=0o600)
    credentials.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    ready = {"endpoint": f"http://127.0.0.1:{gateway}", "credentials": str(credentials)}
    (folder / "ready.part").write_text(json.dumps(ready))
    (folder / "ready.part").rename(folder / "ready.json")


def stop(daemons: list[subprocess.Popen[bytes]]) -> None:
    """The gateway first, the monitor last: a store without its monitor waits two minutes before it ends."""
    for daemon in reversed(daemons):
        daemon.terminate()
        try:
            daemon.wait(timeout=10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def in_use(lock: Path) -> bool:
    """Whether a process holds the lock that users share."""
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def run(*command: str) -> None:
    """A command that must end well; what it says is this process's output."""
    subprocess.run(command, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def die_with_parent() -> None:
    """A killed keeper leaves no daemon behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()


if __name__ == "__main__":
    main()
