"""A bucket on this machine: listings and objects as the storage serves them, with faults to order."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = 2  # objects on a page of a listing


@dataclass(kw_only=True)
class Storage:
    """What the server has, does wrong, and was asked."""

    objects: dict[str, bytes]
    cut_after: list[int] = field(default_factory=list)  # bytes after which the next answers of objects end
    answers: list[int] = field(default_factory=list)  # codes of the next answers, before anything is served
    damaged: int = 0  # answers of objects whose last byte will be wrong
    ranges: bool = True
    checksums: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # name, Range
    url: str = ""

    def page(self, query: dict[str, list[str]]) -> bytes:
        """A page of a listing."""
        names = sorted(name for name in self.objects if name.startswith(query["prefix"][0]))
        start = int(query.get("pageToken", ["0"])[0])
        items = []
        for name in names[start : start + PAGE]:
            item = {"name": name, "size": str(len(self.objects[name]))}
            if self.checksums:
                digest = hashlib.md5(self.objects[name], usedforsecurity=False).digest()
                item["md5Hash"] = base64.b64encode(digest).decode()
            items.append(item)
        page: dict[str, object] = {"items": items} if items else {}
        return json.dumps(page | ({"nextPageToken": str(start + PAGE)} if start + PAGE < len(names) else {})).encode()


class _Handler(BaseHTTPRequestHandler):
    storage: Storage

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if self.storage.answers:
            self._answer(self.storage.answers.pop(0), b"")
        elif url.path.startswith("/storage/v1/b/the-bucket/o"):
            self._answer(200, self.storage.page(parse_qs(url.query)))
        else:
            self._object(unquote(url.path.removeprefix("/the-bucket/")))

    def _object(self, name: str) -> None:
        storage, range_ = self.storage, self.headers.get("Range")
        storage.asked.append((name, range_))
        content = storage.objects.get(name)
        if content is None:
            self._answer(404, b"")
            return
        if storage.damaged:
            storage.damaged -= 1
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = int(range_.removeprefix("bytes=").removesuffix("-")) if range_ and storage.ranges else 0
        if start and start >= len(content):
            self._answer(416, b"")
            return
        cut = storage.cut_after.pop(0) if storage.cut_after else None
        self._answer(206 if start else 200, content[start:], cut=cut)

    def _answer(self, code: int, content: bytes, *, cut: int | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@contextmanager
def serve(objects: dict[str, bytes]) -> Iterator[Storage]:
    """Serve the bucket `the-bucket` on loopback."""
    storage = Storage(objects=objects)
    handler = type("Handler", (_Handler,), {"storage": storage})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        storage.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield storage
        finally:
            server.shutdown()
            thread.join()
