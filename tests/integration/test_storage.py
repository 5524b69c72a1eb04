"""Object storage against a real S3 server, over a connection that is disturbed."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.errors import ExitCode, Phys4dError
from components.storage import client as client_module
from components.storage import upload as upload_module
from components.storage.contents import Contents, contents_of
from components.storage.place import MissingObjectError, StorageError, StorageSetupError
from components.storage.store import Storage
from tests.servers.ceph_daemons import free_port
from tests.servers.proxy import Cut, Hold, Proxy

pytestmark = pytest.mark.slow

MEBIBYTE = 2**20
LARGE = 30 * MEBIBYTE + 12_345  # seven parts; the server asks for 5 MiB at least
PUBLISH = """
import sys
from pathlib import Path
from components.storage import upload
from components.storage.store import Storage
upload.PART = 5 * 2**20
storage = Storage(endpoint=sys.argv[1], bucket=sys.argv[2])
getattr(storage, sys.argv[3])(*(Path(word) if word.startswith("/") else word for word in sys.argv[4:]))
"""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_module, "PART", 5 * MEBIBYTE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's files: a large one, small ones, an empty one, one below."""
    noise = np.random.default_rng(0)
    root = tmp_path / "model"
    (root / "below").mkdir(parents=True)
    (root / "weights.safetensors").write_bytes(noise.bytes(LARGE))
    (root / "below/heads.safetensors").write_bytes(noise.bytes(100_000))
    (root / "model.json").write_bytes(b"{}")
    (root / "empty").touch()
    return root


def content(folder: Path) -> dict[str, str]:
    """sha256 of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def through(line: Proxy, storage: Storage) -> Storage:
    return replace(storage, endpoint=line.endpoint)


def start(endpoint: str, storage: Storage, method: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A method of the storage in a process of its own, which can be killed."""
    command = [sys.executable, "-c", PUBLISH, endpoint, storage.bucket, method, *arguments]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(Path.cwd())})


def kill_when_held(line: Proxy, process: subprocess.Popen[bytes]) -> None:
    assert line.holding.wait(60)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    line.hold = None


def wait_for_bytes(folder: Path, size: int) -> None:
    """Until the files of a folder have so many bytes together."""
    deadline = time.monotonic() + 60
    while sum(path.stat().st_size for path in folder.glob("*")) < size:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_published_folder_comes_back_whole(storage: Storage, folder: Path, tmp_path: Path) -> None:
    sent = storage.publish(folder, "models/one")
    fetched = storage.fetch("models/one", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder) == {name: file.sha256 for name, file in sent.files.items()}
    assert fetched == sent
    assert storage.published("models/one")


def test_what_is_there_is_not_sent_or_fetched_again(
    storage: Storage, line: Proxy, folder: Path, tmp_path: Path
) -> None:
    storage.publish(folder, "models/one")
    through(line, storage).publish(folder, "models/one")
    assert line.passed["up"] < 50_000
    storage.fetch("models/one", tmp_path / "copy")
    (tmp_path / "copy/model.json").unlink()
    through(line, storage).fetch("models/one", tmp_path / "copy")
    assert line.passed["down"] < 50_000
    assert content(tmp_path / "copy") == content(folder)


def test_another_version_leaves_what_readers_of_the_first_need(storage: Storage, folder: Path, tmp_path: Path) -> None:
    first = storage.publish(folder, "models/one")
    before = set(storage.keys("models/one/files/"))
    (folder / "model.json").write_bytes(b'{"new": 1}')
    second = storage.publish(folder, "models/one")
    assert before < set(storage.keys("models/one/files/"))
    assert storage.contents("models/one") == second != first


def test_an_upload_killed_half_way_is_not_there_and_goes_on(
    storage: Storage, line: Proxy, folder: Path, tmp_path: Path
) -> None:
    line.hold = Hold("up", after=27 * MEBIBYTE)  # four parts at most are under way then, the others are there
    plain = replace(storage, prefix="")
    kill_when_held(line, start(line.endpoint, plain, "publish", str(folder), "models/one"))
    assert not plain.published("models/one")
    with pytest.raises(MissingObjectError, match=r"models/one/manifest\.json"):
        plain.fetch("models/one", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    before = line.passed["up"]
    through(line, plain).publish(folder, "models/one")
    assert line.passed["up"] - before <= LARGE - 5 * MEBIBYTE  # one part at least was there
    plain.fetch("models/one", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder)


def test_a_download_killed_half_way_leaves_no_file_and_goes_on(
    storage: Storage, line: Proxy, folder: Path, tmp_path: Path
) -> None:
    plain = replace(storage, prefix="")
    plain.publish(folder, "models/one")
    line.hold = Hold("down", after=10 * MEBIBYTE)
    process = start(line.endpoint, plain, "fetch", "models/one", str(tmp_path / "copy"))
    assert line.holding.wait(60)
    wait_for_bytes(tmp_path / "copy/.fetching", 6 * MEBIBYTE)  # what has passed may not be written yet
    kill_when_held(line, process)
    assert not (tmp_path / "copy/weights.safetensors").exists()
    before = line.passed["down"]
    through(line, plain).fetch("models/one", tmp_path / "copy")
    assert line.passed["down"] - before < LARGE - 5 * MEBIBYTE
    assert content(tmp_path / "copy") == content(folder)


def test_a_rest_of_something_else_is_thrown_away(storage: Storage, folder: Path, tmp_path: Path) -> None:
    sent = storage.publish(folder, "models/one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("components.storage.store._short", lambda name: "rest")
        rest = tmp_path / f"copy/.fetching/{sent.files['weights.safetensors'].sha256}-rest"
        rest.parent.mkdir(parents=True)
        rest.write_bytes(b"something else")
        storage.fetch("models/one", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder)


@pytest.mark.parametrize("cut", [Cut("up", after=7 * MEBIBYTE, times=2), Cut("down", after=200, times=3)])
def test_broken_connections_of_an_upload_are_made_again(
    storage: Storage, line: Proxy, folder: Path, tmp_path: Path, cut: Cut
) -> None:
    line.cut = cut
    times = cut.times
    through(line, storage).publish(folder, "models/one")
    assert line.cuts == times
    storage.fetch("models/one", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder)


def test_broken_connections_of_a_download_go_on_where_they_broke(
    storage: Storage, line: Proxy, folder: Path, tmp_path: Path
) -> None:
    storage.publish(folder, "models/one")
    line.cut = Cut("down", after=6 * MEBIBYTE, times=3)
    through(line, storage).fetch("models/one", tmp_path / "copy")
    assert line.cuts == 3
    assert line.passed["down"] < 1.5 * LARGE
    assert content(tmp_path / "copy") == content(folder)


def test_an_outage_is_outlived(storage: Storage, line: Proxy, folder: Path, tmp_path: Path) -> None:
    line.refuse = 3
    through(line, storage).publish(folder, "models/one")
    assert line.refused == 3
    line.break_all()
    line.refuse = 3
    through(line, storage).fetch("models/one", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder)


def test_a_slow_connection_is_waited_for(storage: Storage, line: Proxy, folder: Path, tmp_path: Path) -> None:
    storage.publish(folder, "models/one")
    line.rate = 8 * MEBIBYTE
    through(line, storage).fetch("models/one", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder)


def test_a_dead_connection_is_given_up_and_made_again(
    storage: Storage, line: Proxy, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "READ_SECONDS", 1)
    storage.publish(folder, "models/one")
    line.hold = Hold("down", after=10 * MEBIBYTE)

    def lift() -> None:
        line.holding.wait(60)
        line.hold = None

    lifting = threading.Thread(target=lift)
    lifting.start()
    through(line, storage).fetch("models/one", tmp_path / "copy")
    lifting.join()
    assert line.holding.is_set()
    assert content(tmp_path / "copy") == content(folder)


ASKS: dict[str, Callable[[Storage, Path], object]] = {
    "publish": lambda storage, folder: storage.publish(folder, "models/one"),
    "fetch": lambda storage, folder: storage.fetch("models/one", folder),
    "put": lambda storage, folder: storage.put_bytes("one", b"1"),
    "get": lambda storage, folder: storage.get_bytes("one"),
    "exists": lambda storage, folder: storage.exists("one"),
    "keys": lambda storage, folder: storage.keys(""),
}


@pytest.mark.parametrize("ask", ASKS)
def test_a_missing_bucket_is_named(storage: Storage, folder: Path, ask: str) -> None:
    with pytest.raises(StorageSetupError, match=r"no bucket 'nowhere-to-be-found'.*storage\.bucket") as caught:
        ASKS[ask](replace(storage, bucket="nowhere-to-be-found"), folder)
    assert caught.value.code == ExitCode.BAD_PARAMETERS


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("wrong", ["aws_access_key_id", "aws_secret_access_key"])
def test_wrong_keys_are_told_from_other_errors_and_never_shown(
    storage: Storage,
    keys: Path,
    folder: Path,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ask: str,
    wrong: str,
) -> None:
    right = dict(line.split(" = ") for line in keys.read_text().splitlines()[1:])
    theirs = right | {wrong: "VERYWRONG0123456789"}
    (tmp_path / "keys").write_text("[default]\n" + "".join(f"{name} = {value}\n" for name, value in theirs.items()))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    with pytest.raises(StorageSetupError, match="AWS_SHARED_CREDENTIALS_FILE") as caught:
        ASKS[ask](storage, folder)
    assert caught.value.code == ExitCode.BAD_PARAMETERS
    assert not [value for value in theirs.values() if value in str(caught.value)]


def test_without_keys_it_is_said_where_they_are_looked_for(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(StorageSetupError, match=r"no credentials .*AWS_SHARED_CREDENTIALS_FILE"):
        storage.exists("one")


def test_a_server_that_is_not_there_is_named(storage: Storage) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StorageError, match=rf"{nowhere}.*cannot be reached.*storage\.endpoint") as caught:
        replace(storage, endpoint=nowhere, attempts=2).exists("one")
    assert caught.value.code == ExitCode.FAILED


@pytest.mark.parametrize(("length", "words"), [(LARGE - 1, "truncated"), (LARGE, "sha256"), (0, "truncated")])
def test_a_damaged_object_becomes_no_file(
    storage: Storage, folder: Path, tmp_path: Path, length: int, words: str
) -> None:
    sent = storage.publish(folder, "models/one")
    key = f"models/one/files/{sent.files['weights.safetensors'].sha256}/weights.safetensors"
    storage.put_bytes(key, bytes(length))
    with pytest.raises(StorageError, match=rf"{storage.bucket}/.*weights\.safetensors.*{words}.*publish it again"):
        storage.fetch("models/one", tmp_path / "copy")
    assert not (tmp_path / "copy/weights.safetensors").exists()


def test_publishing_again_mends_a_truncated_object(storage: Storage, folder: Path, tmp_path: Path) -> None:
    sent = storage.publish(folder, "models/one")
    storage.put_bytes(f"models/one/files/{sent.files['model.json'].sha256}/model.json", b"")
    storage.publish(folder, "models/one")
    storage.fetch("models/one", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "model.json"])
def test_a_file_that_changes_while_it_is_sent_is_not_published(
    storage: Storage, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_then_change(folder: Path) -> Contents:
        found = contents_of(folder)
        with (folder / name).open("r+b") as file:
            file.truncate(found.files[name].size - 1)
        return found

    monkeypatch.setattr("components.storage.store.contents_of", look_then_change)
    with pytest.raises(Phys4dError, match=f"{name}: changed while it was being sent"):
        storage.publish(folder, "models/one")
    assert not storage.published("models/one")


@pytest.mark.parametrize("size", [10, 6 * MEBIBYTE])
def test_the_server_refuses_what_arrives_different(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    digest = hashlib.md5

    def of_another(content: bytes = b"", **options: bool) -> object:
        return digest(content + b"!", **options)  # as if a byte had been lost on the way

    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights").write_bytes(bytes(size))
    monkeypatch.setattr(hashlib, "md5", of_another)
    with pytest.raises(StorageError, match=r"weights.*other bytes arrived"):
        storage.publish(tmp_path / "model", "models/one")
    with pytest.raises(StorageError, match="other bytes arrived"):
        storage.put_bytes("one", b"content")
    assert storage.keys("") == []


def test_a_check_writes_reads_and_deletes(storage: Storage) -> None:
    assert [finding.good for finding in storage.check()] == [True, True, True]
    assert storage.keys("") == []


def test_a_check_ends_with_what_is_wrong(storage: Storage) -> None:
    (finding,) = replace(storage, bucket="nowhere-to-be-found").check()
    assert not finding.good
    assert "nowhere-to-be-found" in finding.text


def test_keys_are_listed_below_the_prefix_in_order(storage: Storage) -> None:
    for key in ("runs/b", "runs/a", "other"):
        storage.put_bytes(key, b"")
    assert storage.keys("runs/") == ["runs/a", "runs/b"]
    assert replace(storage, prefix="").keys("") == [f"{storage.prefix}/{key}" for key in ("other", "runs/a", "runs/b")]


def test_a_small_object_is_overwritten_as_a_whole(storage: Storage) -> None:
    storage.put_bytes("one", b"a long content")
    storage.put_bytes("one", b"short")
    assert storage.get_bytes("one") == b"short"
    storage.delete("one")
    storage.delete("one")
    with pytest.raises(MissingObjectError, match="no such object"):
        storage.get_bytes("one")
