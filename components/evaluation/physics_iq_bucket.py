"""The public bucket that holds Physics-IQ: what is in it, and one object after the other as files, over HTTP.

Listings are those of the JSON API of Google Cloud Storage (storage/v1/b/BUCKET/o), objects are read by their public
address HOST/BUCKET/NAME. An object goes to NAME.part first; what is there already is asked for no more (Range), and the
file takes its name when its MD5 is the listed one.
"""

import base64
import hashlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from components.errors import Phys4dError
from components.files import NO_ROOM

HOST = "https://storage.googleapis.com"
BUCKET = "physics-iq-benchmark"
TIMEOUT = 60.0  # seconds without a byte
ATTEMPTS = 5  # in a row that bring no byte
CHUNK = 2**20
BUSY = {408, 429, 500, 502, 503, 504}  # answers that may differ the next time


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredObject:
    """One object of the bucket."""

    name: str
    size: int
    md5: bytes | None  # None for objects that the storage put together from parts


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket at `host`; `wait` is called with the seconds to wait before another attempt."""

    wait: Callable[[float], None]
    host: str = HOST
    name: str = BUCKET

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose names begin with `prefix`; Phys4dError when the listing cannot be read."""
        query = {"prefix": prefix, "fields": "nextPageToken,items(name,size,md5Hash)"}
        while True:
            url = f"{self.host}/storage/v1/b/{self.name}/o?{urllib.parse.urlencode(query)}"
            page = self._page(url)
            for item in page.get("items", []):
                try:
                    md5 = base64.b64decode(item["md5Hash"]) if "md5Hash" in item else None
                    yield StoredObject(name=str(item["name"]), size=int(item["size"]), md5=md5)
                except (KeyError, ValueError, TypeError) as error:
                    raise Phys4dError(f"{url} lists an object without name or size: {item!r}; try later") from error
            if not page.get("nextPageToken"):
                return
            query["pageToken"] = page["nextPageToken"]

    def fetch(self, stored: StoredObject, path: Path) -> None:
        """Bring an object to `path`, whole and verified, or not at all; what came so far stays in `path`.part.

        Phys4dError when the connection fails again and again, for an object that is not there, and when the bytes are
        not those of the listing twice.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        for _ in range(2):
            self._complete(stored, part)
            if is_whole(part, stored):
                part.replace(path)
                return
            part.unlink()  # the rest of another version, or damaged on the way: once more from nothing
        raise Phys4dError(
            f"{self._url(stored)} has another checksum than the bucket lists, twice: something on the way changes it "
            "(a proxy?), or it is being replaced; try again later"
        )

    def _complete(self, stored: StoredObject, part: Path) -> None:
        """Add to `part` until it is as long as the object; what gets no further than before is a failed attempt."""
        failures, furthest = 0, _size(part)
        while _size(part) < stored.size or not part.exists():
            try:
                self._append(stored, part, have=_size(part))
            except (OSError, http.client.HTTPException) as error:
                self._check(error, self._url(stored), part)
                failures = 0 if _size(part) > furthest else failures + 1
                furthest = max(furthest, _size(part))
                if failures == ATTEMPTS:
                    raise _given_up(self._url(stored), error) from error
                self.wait(2.0**failures)

    def _append(self, stored: StoredObject, part: Path, *, have: int) -> None:
        with self._open(self._url(stored), start=have) as answer:
            resumed = answer.status == http.client.PARTIAL_CONTENT  # otherwise the whole object comes
            with part.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
        if part.stat().st_size < stored.size:
            raise ConnectionError(f"the connection ended after {part.stat().st_size} of {stored.size} bytes")

    def _page(self, url: str) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._open(url) as answer:
                    page = json.loads(answer.read())
                return page if isinstance(page, dict) else {}
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._check(error, url, None)
                if attempt == ATTEMPTS:
                    raise _given_up(url, error) from error
                self.wait(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _url(self, stored: StoredObject) -> str:
        return f"{self.host}/{self.name}/{urllib.parse.quote(stored.name)}"

    def _open(self, url: str, *, start: int = 0) -> http.client.HTTPResponse:
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310 -- the host is https, a test's is http
        return cast("http.client.HTTPResponse", answer)

    def _check(self, error: Exception, url: str, part: Path | None) -> None:
        """Raise what another attempt cannot help; a range that the server does not have begins from nothing."""
        if isinstance(error, urllib.error.HTTPError):
            error.close()
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and part is not None:
                part.unlink(missing_ok=True)
            elif error.code not in BUSY:
                raise Phys4dError(
                    f"{url} answers {error.code} {error.reason}; expected the benchmark's public bucket: is it "
                    "reachable from here, and still there?"
                ) from error
        elif isinstance(error, OSError) and error.errno in NO_ROOM:
            raise Phys4dError(
                f"cannot write {part}: {NO_ROOM[error.errno]}; free some room and run the same command again: what "
                "came so far is kept"
            ) from error


def is_whole(path: Path, stored: StoredObject) -> bool:
    """Whether a file is the object: as long, and of the listed MD5 where one is listed."""
    if not path.is_file() or path.stat().st_size != stored.size:
        return False
    if stored.md5 is None:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest() == stored.md5


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _given_up(url: str, error: Exception) -> Phys4dError:
    reason = getattr(error, "reason", None) or error
    return Phys4dError(
        f"{url} could not be read in {ATTEMPTS} attempts ({reason}); what came so far is kept: run the same command "
        "again when the network is back"
    )
