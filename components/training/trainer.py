"""The loop that every stage trains in: step, record, save, stop, go on where it was stopped.

A stage owns the update (`Learner`), a backbone its forward pass; what is periodic is here. Budgets are steps, never
seconds, so that the same seed gives the same bytes; only how often a checkpoint is written depends on the clock.
Ranks that train together do the same steps; the one that leads writes, logs and displays.
"""

import csv
import io
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from components.errors import Phys4dError, StoppedError
from components.training import ranks
from components.training.checkpoints import CHECKPOINT_FILE, Checkpoint, read_checkpoint, write_checkpoint
from components.training.optimisers import DivergedError

if TYPE_CHECKING:
    from components.progress import Progress

SAVE_EVERY = 20.0  # seconds at least: what a kill can cost
SAVE_SHARE = 0.05  # of the time at most: what takes long to save is saved less often


class Learner(Protocol):
    """What a stage trains, one update at a time. steps: read before each; a learner that ends early lowers it."""

    steps: int

    def update(self, step: int) -> Mapping[str, float]:
        """Do step `step` of `steps`; the figures to record, the same on all ranks.

        DivergedError when one is not finite: the state is then as it was before the step.
        """
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

    StoppedError after saving, when a signal asked some rank to stop. Phys4dError when a figure is not finite, after
    saving the state before that step.
    """
    history = _resume(learner, around.folder)
    around.display.resume(len(history))
    saving = _Saving(learner, history, around.folder)
    while (step := len(history)) < learner.steps:
        stop, due = ranks.any_of(around.stopped(), saving.is_due())
        if stop or due:
            saving.save()
        if stop:
            raise StoppedError(f"stopped at step {step} of {learner.steps}; the same command goes on from there")
        try:
            figures = learner.update(step)
            _check(figures)
        except DivergedError as error:
            path = saving.save()
            raise Phys4dError(
                f"step {step}: {error}; {path} is the training before that step, from which the same command goes on"
            ) from error
        history.append(figures)
        if ranks.leads():
            around.log(figures, step)
        around.display.advance()
    if any(ranks.any_of(saving.is_due())):
        saving.save()
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


class _Saving:
    """Writes checkpoints, and says when one is due: on the rank that leads, by its clock."""

    def __init__(self, learner: Learner, history: list[Mapping[str, float]], folder: Path) -> None:
        self._learner, self._history, self._folder = learner, history, folder
        self._saved, self._pause = time.monotonic(), SAVE_EVERY

    def is_due(self) -> bool:
        """Whether the last one is too long ago."""
        return ranks.leads() and len(self._history) > 0 and time.monotonic() - self._saved > self._pause

    def save(self) -> Path:
        """Write the state as it is; all ranks call it, for each may hold a part of it."""
        began = time.monotonic()
        state = self._learner.state()
        if ranks.leads():
            write_checkpoint(Checkpoint(history=self._history, state=state), self._folder)
        self._saved = time.monotonic()
        self._pause = max(SAVE_EVERY, (self._saved - began) / SAVE_SHARE)
        return self._folder / CHECKPOINT_FILE


def _check(figures: Mapping[str, float]) -> None:
    for name, value in figures.items():
        if not math.isfinite(value):
            raise DivergedError(name, value)


def _resume(learner: Learner, folder: Path) -> list[Mapping[str, float]]:
    """Put the leader's checkpoint into the learner, if there is one; the figures of the steps that are done."""
    found = read_checkpoint(folder) if ranks.leads() else None
    history: list[Mapping[str, float]] = json.loads(ranks.text_from_leader(json.dumps(found.history if found else [])))
    if history:
        learner.load_state(ranks.from_leader(found.state if found else {}))
    return history
