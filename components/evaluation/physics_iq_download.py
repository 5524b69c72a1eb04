"""Download of the videos of Physics-IQ that a model is scored against, and on request of what it starts from."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.errors import ParametersError, Phys4dError
from components.evaluation.physics_iq_bucket import Bucket, StoredObject, is_whole
from components.evaluation.physics_iq_home import TESTING

RATES = (8, 16, 24, 30)  # frames a second that the benchmark stores
SPARE = 2**28  # bytes of the disk that are left free


@dataclass(frozen=True, kw_only=True, slots=True)
class Downloaded:
    """What a download left in the folder."""

    files: int
    already_there: int
    bytes: int  # of all files
    without_checksum: int  # files of which the bucket lists no MD5: their length alone was verified


def download(
    out: Path, *, fps: int, inputs: bool, bucket: Bucket, progress: Callable[[int, int], None] | None = None
) -> Downloaded:
    """Bring the real videos at `fps` frames a second to `out`, in the benchmark's folders.

    With `inputs` also the first frames and the conditioning videos. Files that are whole already are left alone, a file
    that was cut off goes on, every file is verified. ParametersError for a rate that the benchmark does not store;
    Phys4dError when the disk has no room or the bucket cannot be read.
    """
    if fps not in RATES:
        raise ParametersError(
            f"--fps is {fps}; expected one of {', '.join(map(str, RATES))}, which the benchmark stores: videos of "
            "another rate are scored against those of 30"
        )
    prefixes = [f"{TESTING}/{fps}FPS/"]
    prefixes += ["switch-frames/", f"split-videos/conditioning/{fps}FPS/"] if inputs else []
    objects = [stored for prefix in prefixes for stored in _objects(bucket, prefix)]
    missing = [stored for stored in objects if not is_whole(_place(out, stored), stored)]
    _check_room(out, missing)
    done = len(objects) - len(missing)
    if progress is not None:
        progress(done, len(objects))
    for stored in missing:
        bucket.fetch(stored, _place(out, stored))
        done += 1
        if progress is not None:
            progress(done, len(objects))
    return Downloaded(
        files=len(objects),
        already_there=len(objects) - len(missing),
        bytes=sum(stored.size for stored in objects),
        without_checksum=sum(stored.md5 is None for stored in objects),
    )


def _objects(bucket: Bucket, prefix: str) -> list[StoredObject]:
    found = [stored for stored in bucket.objects(prefix) if not stored.name.endswith("/")]  # folders are empty objects
    if not found:
        raise Phys4dError(
            f"{bucket.host}: the bucket {bucket.name} has nothing below {prefix}; expected the benchmark's files: it "
            "may have moved"
        )
    return found


def _place(out: Path, stored: StoredObject) -> Path:
    name = PurePosixPath(stored.name)
    if name.is_absolute() or ".." in name.parts:
        raise Phys4dError(f"the bucket lists {stored.name!r}, which leads out of {out}: nothing was downloaded")
    return out / name


def _check_room(out: Path, missing: Sequence[StoredObject]) -> None:
    there = out.absolute()
    while not there.exists():
        there = there.parent
    parts = (_place(out, stored).with_name(PurePosixPath(stored.name).name + ".part") for stored in missing)
    begun = sum(part.stat().st_size for part in parts if part.is_file())
    needed, free = sum(stored.size for stored in missing) - begun, shutil.disk_usage(there).free
    if missing and needed + SPARE > free:
        raise Phys4dError(
            f"{out} has room for {free / 1e9:.2f} GB, {(needed + SPARE) / 1e9:.2f} GB are needed: free some, or choose "
            "another folder with --out"
        )
