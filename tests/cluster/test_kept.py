"""What a pod sends of a stage that runs: a whole state of its work, and only the newest."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from components.cluster.kept import COPIED, KeptWork
from components.errors import Phys4dError
from components.files import PART
from components.storage.contents import Contents, contents_of
from components.storage.place import MissingObjectError
from tests.integration.project import wait_until

if TYPE_CHECKING:
    from components.storage.store import Storage

KEY = "progress/train/abc"


@dataclass
class Bucket:
    """As much of an object storage as is asked of it, in memory."""

    objects: dict[str, bytes] = field(default_factory=dict)
    meanwhile: Callable[[], None] = lambda: None  # what happens while a folder is being read
    failures: int = 0
    sent: list[dict[str, bytes]] = field(default_factory=list)  # files of each publication

    def publish(self, folder: Path, key: str) -> Contents:
        self.meanwhile()
        if self.failures:
            self.failures -= 1
            raise Phys4dError("no bucket just now")
        contents = contents_of(folder)
        for name, file in contents.files.items():
            self.objects[f"{key}/files/{file.sha256}/{name}"] = (folder / name).read_bytes()
        self.sent.append({name: (folder / name).read_bytes() for name in contents.files})
        self.objects[f"{key}/manifest.json"] = contents.to_json()
        return contents

    def published(self, key: str) -> bool:
        return f"{key}/manifest.json" in self.objects

    def fetch(self, key: str, folder: Path) -> None:
        (folder / "part").mkdir(parents=True)
        raise MissingObjectError(key)

    def keys(self, below: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(below))

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def files(self) -> dict[str, bytes]:
        """By their names in the folder."""
        found = {key: content for key, content in self.objects.items() if not key.endswith("manifest.json")}
        return {key.split("/", 5)[5]: content for key, content in found.items()}


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def kept(tmp_path: Path, bucket: Bucket) -> KeptWork:
    work = tmp_path / ".phys4d/progress/train/abc"
    work.mkdir(parents=True)
    return KeptWork(storage=cast("Storage", bucket), stage="train", work=work, aside=tmp_path / ".phys4d/kept")


def replace(path: Path, content: bytes) -> None:
    """As stages write: beside, then in its place."""
    path.with_name(f".{path.name}{PART}").write_bytes(content)
    path.with_name(f".{path.name}{PART}").replace(path)


def test_what_is_replaced_and_what_grows_while_it_is_sent_arrives_as_it_was(kept: KeptWork, bucket: Bucket) -> None:
    checkpoint, curve = kept.work / "checkpoint", kept.work / "curve"
    checkpoint.write_bytes(b"1" * (COPIED + 1))
    curve.write_bytes(b"one\n")
    (kept.work / f".next{PART}").write_bytes(b"half")

    def train() -> None:
        replace(checkpoint, b"2" * (COPIED + 1))
        with curve.open("ab") as file:
            file.write(b"two\n")
        bucket.meanwhile = lambda: None

    bucket.meanwhile = train
    with kept.kept_regularly(seconds=0.01):
        wait_until(lambda: len(bucket.sent) == 2)
    first, second = bucket.sent
    assert first == {"checkpoint": b"1" * (COPIED + 1), "curve": b"one\n"}
    assert second == {"checkpoint": b"2" * (COPIED + 1), "curve": b"one\ntwo\n"}
    assert bucket.files() == second  # the first one's are gone
    assert not list((kept.work.parents[2] / "kept").iterdir())


def test_what_did_not_change_is_not_sent_again(kept: KeptWork, bucket: Bucket) -> None:
    (kept.work / "shard").write_bytes(b"1")
    with kept.kept_regularly(seconds=0.01):
        wait_until(lambda: bool(bucket.sent))
        threading.Event().wait(0.2)
    assert len(bucket.sent) == 1


def test_what_could_not_be_sent_is_said_and_tried_again(
    kept: KeptWork, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept.work / "shard").write_bytes(b"1")
    bucket.failures = 2
    with kept.kept_regularly(seconds=0.01):
        wait_until(lambda: bucket.published(KEY))
    assert capsys.readouterr().err.count("could not be sent yet: no bucket just now") == 2


def test_work_of_which_something_is_missing_is_begun_anew(
    kept: KeptWork, bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    (kept.work / "shard").write_bytes(b"1")
    kept.keep()
    (kept.work / "shard").unlink()
    kept.work.rmdir()
    kept.resume()
    assert "begun anew" in capsys.readouterr().err
    assert not kept.work.exists()
    kept.forget()
    assert bucket.objects == {}
