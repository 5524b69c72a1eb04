"""phys4d serve refuses what cannot work before it starts anything, in one line."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from components.errors import ParametersError, Phys4dError
from components.locks import exclusive
from flows import serve
from flows.server import HOST


@pytest.fixture(autouse=True)
def starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(serve, "launch_server", lambda *_, **__: pytest.fail("a server was started"))


def test_a_second_one_in_the_same_project_says_which_process_is_the_first(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / serve.LOCK, "phys4d serve"),
        pytest.raises(Phys4dError, match=f"runs in this project already, as process {os.getpid()}: stop it with TERM"),
    ):
        serve.serve(tmp_path, 4200)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with closing(socket.socket()) as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ParametersError, match=rf"--port {port} cannot be used \(Address already in use\)"):
            serve.serve(tmp_path, port)


def test_a_server_that_is_there_already_is_not_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example/api")
    with pytest.raises(ParametersError, match=r"names the server 'http://prefect\.example/api': prefect\.yaml says"):
        serve.serve(tmp_path, 4200)
