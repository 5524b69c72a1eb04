"""The watch over reinforcement learning: training ends when the judge falls while the reward rises.

Every so often an independent instrument measures the policy. Its figure is the judge's 4D Chamfer on dev scenes: the
reward's own quantity, so that both should go the same way, and the one in which stage 3 has to beat stage 2 to be
promoted. The instrument measures what would be kept if training ended there, so that what is compared is what can be
chosen.

A look has fallen when the 95 % interval of its paired difference to the best look before it is worse as a whole, while
the reward of the same videos is higher than at that best. Of the same videos, not of those that were trained on: these
are of other scenes in every iteration, and how scenes differ would pass for a rise or a fall. The best, not the start:
a policy that gains and then loses all of it again is the rule of reward hacking, and would be level with the start. The
best of several noisy looks is a little too good, but all share scenes and noise, and a false alarm costs little: what
is kept is what the judge found best. `patience` such looks in a row end the training; the policy of the best is kept,
be it that of the start.

So dev scenes choose the policy: figures of an evaluation on dev are then a little too good, those on test are not.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from components.errors import Phys4dError
from components.evaluation.bootstrap import draws, means_of_draws, percentile_interval
from components.training.instrument import Reading

DIGITS = 9  # significant ones, as in losses.csv


class Instrument(Protocol):
    """What measures the policy as it is now."""

    def measure(self) -> Reading:
        """The same policy gives the same reading."""
        ...


@dataclass(frozen=True, kw_only=True)
class Look:
    """The policy after so many iterations. chamfer: the judge's, metres; reward: the reader's, of the same videos.

    change: of chamfer since the start, with its paired 95 % interval; fallen: looks in a row, this one the last, that
    were worse than the best before them beyond their interval, at a higher reward.
    """

    iteration: int
    chamfer: float
    change: float
    low: float
    high: float
    reward: float
    fallen: int


class Watch:
    """The looks so far, and what they say."""

    def __init__(self, *, patience: int, seed: int) -> None:
        self._patience, self._seed = patience, seed
        self._readings: list[Reading] = []
        self.looks: list[Look] = []
        self.best = 0  # number of the look that the judge found best

    @property
    def stops(self) -> bool:
        """Whether the judge fell often enough."""
        return bool(self.looks) and self.looks[-1].fallen >= self._patience

    def add(self, iteration: int, reading: Reading) -> bool:
        """Take in a reading of the policy after so many iterations; whether it is the best so far."""
        measured = np.count_nonzero(np.isfinite(reading.chamfer))
        if measured < 2:
            raise Phys4dError(
                f"stage3.watch.scenes: the judge can measure {measured} of {len(reading.chamfer)} scenes of dev, "
                "expected 2 or more, for something has to move in them: raise it"
            )
        self._readings.append(reading)
        change, low, high = self._change(reading, since=self._readings[0])
        fallen = self._has_fallen(reading)
        self.looks.append(
            Look(
                iteration=iteration,
                chamfer=float(np.nanmean(reading.chamfer)),
                change=change,
                low=low,
                high=high,
                reward=reading.reward,
                fallen=(self.looks[-1].fallen + 1 if self.looks else 1) if fallen else 0,
            )
        )
        better = len(self.looks) == 1 or self.looks[-1].chamfer < self.looks[self.best].chamfer
        if better:
            self.best = len(self.looks) - 1
        return better

    def state(self) -> dict[str, Tensor]:
        """All readings."""
        return {
            "iteration": torch.tensor([look.iteration for look in self.looks]),
            "reward": torch.tensor([reading.reward for reading in self._readings], dtype=torch.float64),
            "chamfer": torch.from_numpy(np.array([reading.chamfer for reading in self._readings])),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._readings, self.looks, self.best = [], [], 0
        for iteration, reward, chamfer in zip(state["iteration"], state["reward"], state["chamfer"], strict=True):
            self.add(int(iteration), Reading(chamfer=chamfer.numpy(), reward=float(reward)))

    def _has_fallen(self, reading: Reading) -> bool:
        best = self._readings[self.best]
        _, low, _ = self._change(reading, since=best)
        return low > 0 and reading.reward > best.reward

    def _change(self, reading: Reading, *, since: Reading) -> tuple[float, float, float]:
        """Mean difference of the judge's figure over the scenes, and its 95 % interval; above 0 is worse."""
        differences = reading.chamfer - since.chamfer
        counts = draws(len(differences), rng=np.random.default_rng(self._seed))
        return float(np.nanmean(differences)), *percentile_interval(means_of_draws(differences, counts))


def looks_csv(looks: Sequence[Look]) -> bytes:
    """The looks as a table, a row each."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [field.name for field in fields(Look)], lineterminator="\n")
    writer.writeheader()
    for look in looks:
        values = asdict(look).items()
        writer.writerow({name: f"{value:.{DIGITS}g}" if isinstance(value, float) else value for name, value in values})
    return buffer.getvalue().encode()
