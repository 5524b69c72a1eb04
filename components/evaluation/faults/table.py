"""The table of reactions: every metric under every fault at growing strength, and whether it does what it should."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from components.errors import ParametersError
from components.evaluation.consistency.catalogue import BY_NAME, FRECHET, METRICS
from components.evaluation.consistency.frechet import PixelFeatures, frechet_distance
from components.evaluation.consistency.observed import Observed
from components.evaluation.consistency.truth import Truth
from components.evaluation.consistency.world import world_metrics
from components.evaluation.faults.expected import REACTS
from components.evaluation.faults.kinds import FAULTS, Fault

if TYPE_CHECKING:
    from components.clip import Clip

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
NOTICED = 1e-3  # in the metric's own unit: less is no reaction
WAVER = 0.05  # of a metric's range over strengths: a step back by less is none

Tick = Callable[[int, int], None]  # (done, in all)


class Course(StrEnum):
    """What a figure does as a fault grows."""

    WORSE = "worse"  # and never much better on the way
    WAVERS = "wavers"
    BETTER = "better"
    STILL = "still"


@dataclass(frozen=True, kw_only=True)
class Reaction:
    """One metric under one fault: its mean over clips at each of STRENGTHS. None: it is not measured there."""

    fault: str
    metric: str
    values: tuple[float, ...]
    course: Course
    declared: bool

    @property
    def kept(self) -> bool:
        """Whether what is declared holds."""
        return self.course is Course.WORSE or not self.declared


@dataclass(frozen=True, kw_only=True)
class Table:
    """The reactions, fault by fault in the order of metrics; clips: how many of the clips each fault fits."""

    clips: tuple[str, ...]
    seed: int
    strengths: tuple[float, ...]
    counts: dict[str, int]
    reactions: tuple[Reaction, ...]

    @property
    def broken(self) -> tuple[Reaction, ...]:
        """What is declared and does not hold."""
        return tuple(reaction for reaction in self.reactions if not reaction.kept)

    def to_json(self) -> dict[str, Any]:
        """The table as a document."""
        return {**asdict(self), "broken": [f"{one.fault}: {one.metric}" for one in self.broken]}


def course_of(metric: str, values: Sequence[float]) -> Course:
    """What the figure does from the first to the last strength."""
    steps = [BY_NAME[metric].worse(after, before) for before, after in pairwise(values)]
    span = max(values) - min(values)
    if span <= NOTICED:
        return Course.STILL
    total = BY_NAME[metric].worse(values[-1], values[0])
    if total > NOTICED and min(steps) >= -WAVER * span:
        return Course.WORSE
    return Course.BETTER if total < -NOTICED and max(steps) <= WAVER * span else Course.WAVERS


def table_of(
    truths: Sequence[Truth],
    *,
    seed: int,
    faults: Sequence[Fault] = FAULTS,
    strengths: Sequence[float] = STRENGTHS,
    progress: Tick | None = None,
) -> Table:
    """Plant every fault in every clip it fits, at every strength, and measure.

    ParametersError: a fault that no clip fits, or one clip alone, of which no set of videos can be made.
    """
    if len(truths) < 2:
        raise ParametersError(f"{len(truths)} clips to plant faults in, expected two or more: give more of them")
    tell = progress or (lambda done, total: None)
    fitting = {fault.name: [truth for truth in truths if fault.fits(truth.clip)] for fault in faults}
    for fault in faults:
        if len(fitting[fault.name]) < 2:
            raise ParametersError(
                f"{fault.name} fits {len(fitting[fault.name])} of the {len(truths)} clips, expected two or more: "
                f"give more clips, with at least {fault.objects} moving objects"
            )
    total = sum(map(len, fitting.values())) * len(strengths)
    reactions: list[Reaction] = []
    done = 0
    for fault in faults:
        measured = []
        for strength in strengths:
            measured.append(_measure(fault, strength, fitting[fault.name], seed))
            done += len(fitting[fault.name])
            tell(done, total)
        reactions += _reactions(fault, measured)
    return Table(
        clips=tuple(truth.clip.meta.clip_id for truth in truths),
        seed=seed,
        strengths=tuple(strengths),
        counts={name: len(fits) for name, fits in fitting.items()},
        reactions=tuple(reactions),
    )


def _measure(fault: Fault, strength: float, truths: Sequence[Truth], seed: int) -> dict[str, float]:
    """Each metric's mean over the clips in which it is defined."""
    found, features = [], PixelFeatures()
    wrong: list[Clip] = []
    for number, truth in enumerate(truths):
        wrong.append(fault.plant(truth.clip, strength, np.random.default_rng((seed, number))))
        found.append(world_metrics(Observed.of(wrong[-1]), truth))
    means = {
        name: float(np.mean([figures[name] for figures in found if name in figures]))
        for name in BY_NAME
        if any(name in figures for figures in found)
    }
    sets = (np.array([features(one.rgb) for one in side]) for side in (wrong, [truth.clip for truth in truths]))
    return means | {FRECHET: frechet_distance(*sets)}


def _reactions(fault: Fault, measured: Sequence[dict[str, float]]) -> Iterator[Reaction]:
    for metric in METRICS:
        if all(metric.name in figures for figures in measured):
            values = tuple(float(f"{figures[metric.name]:.6g}") for figures in measured)
            yield Reaction(
                fault=fault.name,
                metric=metric.name,
                values=values,
                course=course_of(metric.name, values),
                declared=metric.name in REACTS[fault.name],
            )
