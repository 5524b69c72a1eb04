"""One promotion of a model at a time, on all machines that share a registry.

MLflow has no compare-and-swap, but it makes a registered model of a name once: while NAME.promoting exists, its maker
alone moves the aliases of NAME. What is guaranteed: of processes that use this module, one at a time decides and moves;
each looks before and after its move whether the lock is still its own and the alias what it set, and fails otherwise.
What is not: a person may move aliases in MLflow's own pages meanwhile, and whoever takes away the lock of a process
that lives lets two decide at once.

In one folder of one machine a file lock stands before it, so a lock that the same folder left there is a dead process's
and is taken over. That of another machine is not: its owner is named, and `phys4d registry unlock` removes it.
"""

import hashlib
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import Phys4dError
from components.locks import exclusive

if TYPE_CHECKING:
    from mlflow import MlflowClient

FILE = ".phys4d/promotion-{name}.lock"
SUFFIX = ".promoting"
OWNER, TOKEN = "owner", "token"
PATIENCE, PAUSE = 60.0, 0.2  # seconds: for a decision of another process, which takes a few; between looks


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A held lock."""

    client: "MlflowClient"
    name: str
    token: str

    def check(self) -> None:
        """Phys4dError when somebody took the lock away."""
        if _tags(self.client, self.name).get(TOKEN) != self.token:
            raise Phys4dError(
                f"{self.name}: somebody removed this promotion's lock, and another may have begun: look at the aliases "
                "in MLflow, then run the same command again"
            )


@contextmanager
def turn(client: "MlflowClient", root: Path, name: str) -> Iterator[Turn]:
    """Hold the lock of model `name`; Phys4dError names who holds it, when that lasts more than a minute."""
    with exclusive(root / FILE.format(name=name), f"promotion of {name}"):
        held = Turn(client=client, name=name, token=uuid.uuid4().hex)
        _acquire(held, _owner(root))
        try:
            yield held
        except Exception:
            with suppress(
                Exception
            ):  # the server may be gone: what is left there, this folder's next command takes over
                _release(held)
            raise
        _release(held)


def unlock(client: "MlflowClient", name: str) -> str:
    """Remove the lock of model `name`, whoever holds it; its owner, empty when there was none."""
    owner = _tags(client, name).get(OWNER, "")
    if owner:
        client.delete_registered_model(name + SUFFIX)
    return owner


def _acquire(held: Turn, owner: str) -> None:
    from mlflow.exceptions import MlflowException

    deadline = time.monotonic() + PATIENCE
    tags = {OWNER: owner, TOKEN: held.token}
    while True:
        try:
            held.client.create_registered_model(
                held.name + SUFFIX, tags=tags, description="held while a promotion runs"
            )
            return
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = _tags(held.client, held.name)
        if found.get(TOKEN) == held.token:  # made by a request whose answer was lost
            return
        if found.get(OWNER) == owner:
            _delete(held.client, held.name)
        elif time.monotonic() > deadline:
            raise Phys4dError(
                f"{held.name} is being promoted by {found.get(OWNER, 'an unknown process')}: wait for it; if that "
                f"process is dead, run phys4d registry unlock {held.name}"
            )
        else:
            time.sleep(PAUSE)


def _release(held: Turn) -> None:
    if _tags(held.client, held.name).get(TOKEN) == held.token:
        _delete(held.client, held.name)


def _delete(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.delete_registered_model(name + SUFFIX)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _tags(client: "MlflowClient", name: str) -> dict[str, str]:
    """Tags of the lock, none when nobody holds it."""
    for model in client.search_registered_models(filter_string=f"name = '{name}{SUFFIX}'"):
        return {str(key): str(value) for key, value in model.tags.items()}
    return {}


def _owner(root: Path) -> str:
    """The machine, and a name of the folder on it."""
    folder = str(root.resolve())
    return f"{socket.gethostname()}:{root.resolve().name}-{hashlib.sha256(folder.encode()).hexdigest()[:8]}"
