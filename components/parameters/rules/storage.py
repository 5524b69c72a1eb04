"""Rules of the object storage: an address that a client can use, and no key in it."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from components.parameters.rules.problem import Problem
from components.params import Params

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # as S3 demands it
PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")


def check_endpoint(params: Params) -> Iterator[Problem]:
    """An endpoint is a server's address alone; its value is not repeated, for it may hold a password."""
    endpoint = params.storage.endpoint
    if endpoint is not None and not _is_address(endpoint):
        yield Problem(
            field="storage.endpoint",
            message="not a server's address, expected http(s)://host or http(s)://host:port without a path or a "
            "user's name: keys belong into the environment or a credentials file",
        )


def check_bucket(params: Params) -> Iterator[Problem]:
    """A bucket has a name S3 allows, and nothing else is said without one."""
    storage = params.storage
    if storage.bucket is None and (storage.endpoint or storage.prefix):
        yield Problem(field="storage.bucket", message="missing: write the bucket's name, or empty the section storage")
    if storage.bucket is not None and not BUCKET.fullmatch(storage.bucket):
        yield Problem(
            field="storage.bucket",
            message=f"{storage.bucket[:80]!r} is no name of a bucket, expected 3 to 63 of a-z, 0-9, - and .",
        )


def check_prefix(params: Params) -> Iterator[Problem]:
    """A prefix is a path of plain names."""
    prefix = params.storage.prefix
    if prefix is not None and (not PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        yield Problem(
            field="storage.prefix",
            message=f"{prefix[:80]!r} is wrong, expected names of A-Z, a-z, 0-9, _, - and . with / between them, "
            "such as team/phys4d",
        )


def _is_address(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        parts.port  # noqa: B018 -- raises for one that is no number
    except ValueError:
        return False
    plain = not (parts.path or parts.query or parts.fragment) and parts.username is None and parts.password is None
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain
