"""Stage 3 under its watch: looks at the policy while it trains, and the end that they may bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from components.training.stage3 import Reinforcement
from components.training.watch import Instrument, Look, Watch, looks_csv

if TYPE_CHECKING:
    from components.params import Stage3Watch

COURSE_FILE = "watch.csv"
_LOOKS, _BEST = "watch/look/", "watch/best/"  # in a checkpoint


class Watched:
    """A learner that does what `learner` does, bit for bit, unless its watch ends it."""

    def __init__(self, learner: Reinforcement, instrument: Instrument, section: "Stage3Watch", *, seed: int) -> None:
        self.steps = learner.steps
        self.heads, self.changed, self.adapters = learner.heads, learner.changed, learner.adapters
        self._learner, self._instrument, self._every = learner, instrument, section.every
        self._watch = Watch(patience=section.patience, seed=seed)
        self._best: dict[str, Tensor] = {}

    def update(self, step: int) -> Mapping[str, float]:
        """One iteration, and a look where one is due: before the first, every so many, after the last."""
        if step == 0:
            self._look(0)
        figures = self._learner.update(step)
        done = step + 1
        if done % self._every and done < self._learner.steps:
            return figures
        look = self._look(done)
        if self._watch.stops:
            self._learner.put(self._best)
            self.steps = done
        return {**figures, "watch_chamfer": look.chamfer, "watch_reward": look.reward}

    def state(self) -> dict[str, Tensor]:
        """The learner's, the readings, and the best policy."""
        looks = {_LOOKS + name: value for name, value in self._watch.state().items()} if self._watch.looks else {}
        return {**self._learner.state(), **looks, **{_BEST + name: value for name, value in self._best.items()}}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._learner.load_state(state)
        self._best = _without(_BEST, state)
        if looks := _without(_LOOKS, state):
            self._watch.load_state(looks)
        if self._watch.stops:
            self.steps = self._watch.looks[-1].iteration

    def outcome(self) -> "Outcome":
        """What the watch found, when training is done."""
        looks = self._watch.looks
        kept = looks[self._watch.best] if self._watch.stops else looks[-1]
        return Outcome(looks=tuple(looks), kept=kept, stopped=self._watch.stops, iterations=self._learner.steps)

    def _look(self, done: int) -> Look:
        with self._learner.as_if_ended(done) as adapter:
            if self._watch.add(done, self._instrument.measure()):
                self._best = adapter
        return self._watch.looks[-1]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a watched training ended: its looks, the one whose policy is kept, and how many iterations were meant."""

    looks: tuple[Look, ...]
    kept: Look
    stopped: bool
    iterations: int

    def facts(self) -> dict[str, str | int]:
        """For the manifest."""
        return {
            "stopped_by": "watch" if self.stopped else "end",
            "stopped_at": self.looks[-1].iteration,
            "kept_iteration": self.kept.iteration,
        }

    def files(self) -> dict[str, bytes]:
        """The course of the looks, for the model's folder."""
        return {COURSE_FILE: looks_csv(self.looks)}

    def figures(self) -> dict[str, float]:
        """Of the policy that is kept."""
        kept = self.kept
        return {
            "watch_stopped": float(self.stopped),
            "watch_stopped_at": self.looks[-1].iteration,
            "watch_kept_iteration": kept.iteration,
            "watch_kept_chamfer": kept.chamfer,
            "watch_kept_change": kept.change,
            "watch_kept_change_low": kept.low,
            "watch_kept_change_high": kept.high,
        }

    def verdict(self) -> str:
        """One line."""
        start, last, kept = self.looks[0], self.looks[-1], self.kept
        measured = (
            f"the judge's 4D Chamfer on dev {start.chamfer:.3f} -> {kept.chamfer:.3f} m, "
            f"{kept.change:+.3f} [{kept.low:+.3f}, {kept.high:+.3f}]"
        )
        if not self.stopped:
            return f"the watch let all {self.iterations} iterations be: {measured}"
        return (
            f"stopped by the watch at iteration {last.iteration} of {self.iterations}: the judge fell beyond its "
            f"interval in {last.fallen} looks in a row while the reward rose; kept the policy of iteration "
            f"{kept.iteration}: {measured}"
        )


def _without(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
