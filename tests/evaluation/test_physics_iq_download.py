"""The download of the benchmark against a bucket on this machine: whole and verified files, or none, whatever fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.__main__ import run
from components.errors import ParametersError, Phys4dError
from components.evaluation import physics_iq_bucket
from components.evaluation.physics_iq_bucket import Bucket
from components.evaluation.physics_iq_download import Downloaded, download
from components.evaluation.physics_iq_home import real_folder
from tests.evaluation.storage_server import Storage, serve

TESTING = "split-videos/testing/30FPS"
FILES = {
    f"{TESTING}/": b"",
    f"{TESTING}/0001_testing-videos_30FPS_perspective-left_take-1_trimmed-a.mp4": b"video one" * 999,
    f"{TESTING}/0002_testing-videos_30FPS_perspective-left_take-2_trimmed-b & c.mp4": b"video two" * 999,
    f"{TESTING}/0003_empty.mp4": b"",
    "split-videos/testing/8FPS/0001.mp4": b"slow",
    "split-videos/conditioning/30FPS/0001.mp4": b"before",
    "switch-frames/0001.jpg": b"first frame",
}
FIRST, SECOND, EMPTY = (name for name in FILES if name.startswith(TESTING) and name[-1] != "/")


@pytest.fixture
def storage() -> Iterator[Storage]:
    with serve(dict(FILES)) as storage:
        yield storage


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def bucket(storage: Storage, waits: list[float]) -> Bucket:
    return Bucket(host=storage.url, name="the-bucket", wait=waits.append)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def wanted(*names: str) -> dict[str, bytes]:
    return {name: FILES[name] for name in names}


def part_of(folder: Path, name: str) -> Path:
    path = folder / f"{name}.part"
    path.parent.mkdir(parents=True)
    return path


def test_the_rate_asked_for_comes_and_nothing_else(bucket: Bucket, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    found = download(tmp_path, fps=30, inputs=False, bucket=bucket, progress=lambda *counts: done.append(counts))
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)
    assert found == Downloaded(files=3, already_there=0, bytes=2 * 9 * 999, without_checksum=0)
    assert done == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_inputs_come_on_request(bucket: Bucket, tmp_path: Path) -> None:
    download(tmp_path, fps=30, inputs=True, bucket=bucket)
    inputs = ("split-videos/conditioning/30FPS/0001.mp4", "switch-frames/0001.jpg")
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY, *inputs)


def test_what_is_there_is_not_asked_for_again(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    storage.asked.clear()
    (tmp_path / SECOND).write_bytes(b"video 2.0" * 999)  # as long, other bytes
    assert download(tmp_path, fps=30, inputs=False, bucket=bucket).already_there == 2
    assert storage.asked == [(SECOND, None)]
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)


def test_a_cut_connection_goes_on_where_it_ended(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    storage.cut_after = [1000, 500]
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert storage.asked[:3] == [(FIRST, None), (FIRST, "bytes=1000-"), (FIRST, "bytes=1500-")]
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)


def test_a_later_run_goes_on_where_the_network_failed(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    storage.cut_after = [1000, *[0] * 5]
    with pytest.raises(Phys4dError, match=r"5 attempts .*1000 of 8991 bytes.*run the same command again"):
        download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert files(tmp_path) == {f"{FIRST}.part": FILES[FIRST][:1000]}
    storage.asked.clear()
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert storage.asked[0] == (FIRST, "bytes=1000-")
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)


def test_a_server_without_ranges_sends_the_whole_file(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    storage.ranges, storage.cut_after = False, [1000]
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)


@pytest.mark.parametrize("rest", [b"another version", b"of another version" * 999])
def test_the_rest_of_another_version_is_replaced(bucket: Bucket, tmp_path: Path, rest: bytes) -> None:
    part_of(tmp_path, FIRST).write_bytes(rest)
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)


def test_a_file_that_was_complete_but_not_yet_named_is_named(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    part_of(tmp_path, FIRST).write_bytes(FILES[FIRST])
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert FIRST not in [name for name, _ in storage.asked]


def test_a_file_that_shrank_meanwhile(bucket: Bucket, storage: Storage, tmp_path: Path, waits: list[float]) -> None:
    (listed,) = (stored for stored in bucket.objects(TESTING) if stored.name == FIRST)
    storage.objects[FIRST] = b"short"
    part_of(tmp_path, FIRST).write_bytes(b"a longer rest")
    with pytest.raises(Phys4dError, match="5 attempts"):
        bucket.fetch(listed, tmp_path / FIRST)
    assert waits == [2.0, 4.0, 8.0, 16.0]
    assert not (tmp_path / FIRST).exists()


def test_bytes_damaged_once_are_asked_for_again(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    storage.damaged = 1
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert storage.asked[:2] == [(FIRST, None), (FIRST, None)]
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)


def test_bytes_damaged_twice_are_refused(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    storage.damaged = 2
    with pytest.raises(Phys4dError, match="another checksum than the bucket lists, twice"):
        download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert files(tmp_path) == {}


def test_an_object_that_is_gone_is_named_at_once(
    bucket: Bucket, storage: Storage, tmp_path: Path, waits: list[float]
) -> None:
    (listed, *_) = (stored for stored in bucket.objects(TESTING) if stored.name == FIRST)
    del storage.objects[FIRST]
    with pytest.raises(Phys4dError, match=r"trimmed-a\.mp4 answers 404 Not Found"):
        bucket.fetch(listed, tmp_path / "a.mp4")
    assert waits == []


def test_a_bucket_that_is_gone(bucket: Bucket, tmp_path: Path, storage: Storage) -> None:
    storage.answers = [403]
    with pytest.raises(Phys4dError, match=r"storage/v1/b/the-bucket/o.* answers 403 Forbidden"):
        download(tmp_path, fps=30, inputs=False, bucket=bucket)
    storage.objects.clear()
    with pytest.raises(Phys4dError, match=f"has nothing below {TESTING}"):
        download(tmp_path, fps=30, inputs=False, bucket=bucket)


def test_a_busy_server_is_asked_again_later(
    bucket: Bucket, storage: Storage, tmp_path: Path, waits: list[float]
) -> None:
    storage.answers = [503, 429]
    download(tmp_path, fps=30, inputs=False, bucket=bucket)
    assert waits == [2.0, 4.0]
    assert files(tmp_path) == wanted(FIRST, SECOND, EMPTY)


def test_nobody_at_the_address(tmp_path: Path, waits: list[float]) -> None:
    with serve({}) as storage:
        url = storage.url
    with pytest.raises(Phys4dError, match=r"could not be read in 5 attempts \(.*refused"):
        download(tmp_path, fps=30, inputs=False, bucket=Bucket(host=url, wait=waits.append))
    assert waits == [2.0, 4.0, 8.0, 16.0]


def test_objects_without_checksum_are_counted(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    storage.checksums = False
    assert download(tmp_path, fps=30, inputs=False, bucket=bucket).without_checksum == 3


def test_a_disk_without_room(bucket: Bucket, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "components.evaluation.physics_iq_download.shutil.disk_usage", lambda _: SimpleNamespace(free=2**28)
    )
    with pytest.raises(Phys4dError, match=r"has room for 0\.27 GB, 0\.27 GB are needed: .*--out"):
        download(tmp_path / "new/folder", fps=30, inputs=False, bucket=bucket)
    assert (storage.asked, files(tmp_path)) == ([], {})


def test_a_name_that_leads_out_of_the_folder(bucket: Bucket, storage: Storage, tmp_path: Path) -> None:
    storage.objects[f"{TESTING}/../../../../out.mp4"] = b"x"
    with pytest.raises(Phys4dError, match="leads out of"):
        download(tmp_path / "a", fps=30, inputs=False, bucket=bucket)
    assert files(tmp_path) == {}


def test_a_rate_that_is_not_stored(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=r"--fps is 25; expected one of 8, 16, 24, 30"):
        download(tmp_path, fps=25, inputs=False, bucket=bucket)


def test_the_command_downloads_to_where_score_looks(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    served = Bucket(host=storage.url, name="the-bucket", wait=lambda _: None)
    monkeypatch.setattr(physics_iq_bucket, "Bucket", lambda **_: served)
    assert run(["physics-iq", "download", "--json"], debug=False) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["files"] == 3
    assert document["real"] == str(real_folder())
    assert files(real_folder()) == {f"30FPS/{Path(name).name}": FILES[name] for name in (FIRST, SECOND, EMPTY)}
