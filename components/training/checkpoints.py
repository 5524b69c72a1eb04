"""Checkpoints of a training: whole or not there, checksummed; the one before is kept in case the last is damaged."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from components.files import atomic_file

CHECKPOINT_FILE = "checkpoint.safetensors"
PREVIOUS_FILE = "checkpoint.previous.safetensors"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where a training was: the figures of the steps that are done, and all that updates change."""

    history: Sequence[Mapping[str, float]]
    state: Mapping[str, Tensor]


class DamagedError(Exception):
    """A file is not a whole checkpoint."""


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write the last checkpoint; the one that was the last becomes the previous one."""
    from safetensors.torch import save

    path = folder / CHECKPOINT_FILE
    history = json.dumps(checkpoint.history)
    state = {name: value.detach().cpu().contiguous() for name, value in checkpoint.state.items()}
    content = save(state, {"history": history, "sha256": _digest(history, state)})
    with atomic_file(path) as file:
        file.write(content)
        file.flush()
        if path.is_file():  # killed after this, the previous one is what is left, and it is whole
            path.replace(folder / PREVIOUS_FILE)
    return path


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The last checkpoint that is whole; none where there is none. A damaged one is named on standard error.

    It costs time and nothing else, because the same steps give the same bits.
    """
    for name in (CHECKPOINT_FILE, PREVIOUS_FILE):
        path = folder / name
        if not path.is_file():
            continue
        try:
            return _read(path)
        except DamagedError as error:
            older = folder / PREVIOUS_FILE
            instead = (
                f"{older.name} is taken" if path != older and older.is_file() else "it is made again from the beginning"
            )
            sys.stderr.write(f"{path}: not a whole checkpoint ({error}): {instead}\n")
    return None


def _read(path: Path) -> Checkpoint:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            history, expected = metadata["history"], metadata["sha256"]
            state = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 -- not a mapping
        steps: list[Mapping[str, float]] = json.loads(history)
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise DamagedError(str(error)) from error
    if _digest(history, state) != expected:
        raise DamagedError("its bytes do not match its checksum")
    return Checkpoint(history=steps, state=state)


def _digest(history: str, state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(history.encode())
    for name, value in sorted(state.items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
