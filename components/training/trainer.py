"""The loop that every stage trains in: step, record, save, stop, go on where it was stopped.

A stage owns the update (`Learner`), a backbone its forward pass; what is periodic is here. Budgets are steps, never
seconds, so that the same seed gives the same bytes; only how often a checkpoint is written depends on the clock.
"""

import csv
import io
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from components.errors import Phys4dError, StoppedError
from components.files import atomic_file

if TYPE_CHECKING:
    from components.progress import Progress

CHECKPOINT_FILE = "checkpoint.safetensors"
SAVE_EVERY = 20.0  # seconds at least: what a kill can cost
SAVE_SHARE = 0.05  # of the time at most: what takes long to save is saved less often


class Learner(Protocol):
    """What a stage trains, one update at a time. steps: read before each; a learner that ends early lowers it."""

    steps: int

    def update(self, step: int) -> Mapping[str, float]:
        """Do step `step` of `steps`; the figures to record."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Everything that updates change: weights, optimisers, random generators."""
        ...

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`: the next update gives the same bits as if there had been no interruption."""
        ...


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where a training runs: a folder for checkpoints, a display, a way to stop, and a log of figures by step."""

    folder: Path
    display: "Progress"
    stopped: Callable[[], bool]
    log: Callable[[Mapping[str, float], int], None]


def train(learner: Learner, around: Surroundings) -> list[Mapping[str, float]]:
    """Run all updates; the figures of every step.

    StoppedError after saving, when a signal asked to stop. Phys4dError when a figure is not finite.
    """
    path = around.folder / CHECKPOINT_FILE
    history = _resume(learner, path)
    around.display.resume(len(history))
    saved, pause = time.monotonic(), SAVE_EVERY
    while (step := len(history)) < learner.steps:
        if around.stopped():
            _save(learner, history, path)
            raise StoppedError(f"stopped at step {step} of {learner.steps}; the same command goes on from there")
        figures = learner.update(step)
        _check(figures, step)
        history.append(figures)
        around.log(figures, step)
        around.display.advance()
        if time.monotonic() - saved > pause:
            began = time.monotonic()
            _save(learner, history, path)
            saved = time.monotonic()
            pause = max(SAVE_EVERY, (saved - began) / SAVE_SHARE)
    return history


def losses_csv(history: Sequence[Mapping[str, float]]) -> bytes:
    """The figures of every step as rows step,name,value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("step", "name", "value"))
    writer.writerows(
        (step, name, f"{value:.9g}") for step, figures in enumerate(history) for name, value in figures.items()
    )
    return buffer.getvalue().encode()


def _save(learner: Learner, history: list[Mapping[str, float]], path: Path) -> None:
    from safetensors.torch import save

    state = {name: value.detach().cpu().contiguous() for name, value in learner.state().items()}
    with atomic_file(path) as file:
        file.write(save(state, {"history": json.dumps(history)}))


def _check(figures: Mapping[str, float], step: int) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            raise Phys4dError(f"step {step}: {name} is {value}, expected a finite number: lower the learning rates")


def _resume(learner: Learner, path: Path) -> list[Mapping[str, float]]:
    """Put a checkpoint into the learner, if there is a whole one; the figures of the steps that are done.

    A damaged one costs time and nothing else, because the same steps give the same bits: training starts afresh.
    """
    if not path.is_file():
        return []
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            history: list[Mapping[str, float]] = json.loads(file.metadata()["history"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        sys.stderr.write(f"{path}: not a whole checkpoint ({error}): training starts afresh\n")
        return []
    learner.load_state(state)
    return history
