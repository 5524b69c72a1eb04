"""Object storage as the rest of the project sees it: small objects, and folders that are published whole.

A published folder is `<key>/manifest.json` and `<key>/files/<sha256>/<path>`. The files go first and are never
overwritten, the manifest goes last in one request: who finds a manifest finds all it names, also while another version
is being published. What an older manifest named stays; a lifecycle rule of the bucket may end it, and uploads that
nobody finished.
"""

import base64
import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import ParametersError, Phys4dError
from components.storage.client import ATTEMPTS, STREAMS, connect, explained
from components.storage.contents import UNFINISHED, Contents, StoredFile, contents_of, parse_contents
from components.storage.download import download, read
from components.storage.parallel import each
from components.storage.place import Place
from components.storage.upload import PART, object_size, upload

if TYPE_CHECKING:
    from components.params import ObjectStorage

MANIFEST = "manifest.json"
PROBES = 2  # attempts of a check: who asks whether it works does not want to wait for it


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was tried, whether it went well, and what to do if not."""

    good: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A bucket, or what lies below a prefix in it. endpoint: None for AWS's own.

    Credentials come from where boto3 looks for them, never from here. All methods raise StorageError for what another
    attempt may mend, StorageSetupError (exit code 78) for what it cannot.
    """

    endpoint: str | None
    bucket: str
    prefix: str = ""
    attempts: int = ATTEMPTS  # of a request

    def publish(self, folder: Path, key: str) -> Contents:
        """Send a folder, then its manifest; what is there already is not sent again."""
        contents = contents_of(folder)
        small = [(name, file) for name, file in contents.files.items() if file.size <= PART]
        large = [(name, file) for name, file in contents.files.items() if file.size > PART]

        def send(named: tuple[str, StoredFile]) -> None:
            name, file = named
            upload(self._client, self._place, self._file_key(key, name, file), folder / name, file)

        each(send, small, streams=STREAMS)
        for named in large:  # its parts go side by side
            send(named)
        self.put_bytes(f"{key}/{MANIFEST}", contents.to_json())
        return contents

    def fetch(self, key: str, folder: Path) -> Contents:
        """Have `folder` hold all files of a published folder; what it has of them is not fetched again.

        Each file takes its name when it is whole and its sha256 is right.
        """
        contents = self.contents(key)

        def receive(named: tuple[str, StoredFile]) -> None:
            name, file = named
            source, rest = self._file_key(key, name, file), folder / UNFINISHED / f"{file.sha256}-{_short(name)}"
            download(self._client, self._place, source, folder / name, file, unfinished=rest)

        each(receive, contents.files.items(), streams=STREAMS)
        with suppress(FileNotFoundError):
            shutil.rmtree(folder / UNFINISHED)
        return contents

    def contents(self, key: str) -> Contents:
        """The manifest of a published folder; MissingObjectError when it was not published, or not to its end."""
        return parse_contents(
            self.get_bytes(f"{key}/{MANIFEST}"), source=self._place.name(self._full(f"{key}/{MANIFEST}"))
        )

    def put_bytes(self, key: str, content: bytes) -> None:
        """Write a small object in one request: whole or not at all."""
        name = self._full(key)
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        with explained(self._place, name):
            self._client.put_object(Bucket=self.bucket, Key=name, Body=content, ContentMD5=digest)

    def get_bytes(self, key: str) -> bytes:
        """A small object; MissingObjectError when there is none."""
        return read(self._client, self._place, self._full(key))

    def exists(self, key: str) -> bool:
        """Whether there is such an object; of a published folder, ask for its manifest by `published`."""
        return object_size(self._client, self._place, self._full(key)) is not None

    def published(self, key: str) -> bool:
        """Whether a folder was published under that key, to its end."""
        return self.exists(f"{key}/{MANIFEST}")

    def keys(self, below: str) -> list[str]:
        """Keys of the objects whose key begins with `below`, in order."""
        return list(self._list(below))

    def delete(self, key: str) -> None:
        """Remove an object; nothing when there is none."""
        with explained(self._place, self._full(key)):
            self._client.delete_object(Bucket=self.bucket, Key=self._full(key))

    def check(self) -> list[Finding]:
        """Write, read and delete an object of its own; what went well, and at its end what did not."""
        key, content = f"probe/{secrets.token_hex(8)}", secrets.token_bytes(64)
        quick, done = replace(self, attempts=PROBES), list[Finding]()
        try:
            quick.put_bytes(key, content)
            done.append(Finding(good=True, text=f"{self._place.name(self.prefix)}: can be written"))
            same = quick.get_bytes(key) == content
            text = "can be read" if same else "gave back other bytes than were written: do not use this server"
            done.append(Finding(good=same, text=f"{self._place.name(self.prefix)}: {text}"))
            quick.delete(key)
            done.append(Finding(good=True, text=f"{self._place.name(self.prefix)}: what was written can be deleted"))
        except Phys4dError as error:
            done.append(Finding(good=False, text=str(error)))
        return done

    def _list(self, below: str) -> Iterator[str]:
        start = self._full("")
        with explained(self._place, self._full(below)):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._full(below))
            for page in pages:
                yield from (str(one["Key"]).removeprefix(start) for one in page.get("Contents", []))

    def _full(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _file_key(self, key: str, name: str, file: StoredFile) -> str:
        return self._full(f"{key}/files/{file.sha256}/{name}")

    @property
    def _place(self) -> Place:
        return Place(endpoint=self.endpoint, bucket=self.bucket)

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 -- botocore makes the class as it runs
        return connect(self._place, attempts=self.attempts)


def storage_of(section: "ObjectStorage") -> Storage:
    """The storage that params.yaml names; ParametersError when it names none."""
    if section.bucket is None:
        raise ParametersError("storage.bucket: empty in params.yaml, expected the name of an S3 bucket: write it there")
    return Storage(endpoint=section.endpoint, bucket=section.bucket, prefix=section.prefix or "")


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]  # two files may have the same bytes
