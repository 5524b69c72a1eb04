"""Fixtures of servers: `pytest_plugins` of tests/conftest.py makes them known to all tests."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.storage.store import Storage
from tests.servers.ceph import Server, server
from tests.servers.proxy import Proxy, proxy_to


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Ceph's gateway, one for the session and all its workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with server(shared / "ceph") as running:
        yield running


@pytest.fixture
def keys(s3: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server's credentials file, which the environment names; nothing else of the environment has any."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(s3.credentials))
    settings = s3.credentials.with_name("config")
    settings.touch()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(settings))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return s3.credentials


@pytest.fixture
def storage(s3: Server, keys: Path) -> Storage:
    """A bucket of a test's own."""
    name = f"test-{secrets.token_hex(6)}"
    s3.make_bucket(name)
    return Storage(endpoint=s3.endpoint, bucket=name, prefix="team/phys4d")


@pytest.fixture
def line(s3: Server) -> Iterator[Proxy]:
    """A connection to the server that can be disturbed."""
    with proxy_to(s3.port) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of Prefect's server, for all tests of a process that need none of their own; it ends with that."""
    from flows.server import configure, start_server

    root = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", os.environ.copy())
        os.environ.pop("PREFECT_API_URL", None)
        configure(root)
        start_server(root)()
        return os.environ["PREFECT_API_URL"]


@pytest.fixture
def prefect(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, and runs of a test are told there."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    return prefect_server
