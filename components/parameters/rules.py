"""Rules that join fields of params.yaml: each returns what is wrong, where, and what to write instead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from components.params import Params

SOLVER_RATE = 960  # Hz: the solver's time step is accurate at this rate, and a frame is a whole number of steps
SPATIAL_FACTOR = {("wan22", "tiny"): 8 * 2, ("wan22", "5b"): 16 * 2}  # spatial stride of the VAE x patch of the DiT


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One wrong value: its dotted field and what to do."""

    field: str
    message: str

    def __str__(self) -> str:
        """The field and the message."""
        return f"{self.field}: {self.message}"


def broken_rules(params: Params) -> list[Problem]:
    """Every rule that `params` breaks, in the order of params.yaml."""
    return [problem for rule in RULES for problem in rule(params)]


def check_frames(params: Params) -> Iterator[Problem]:
    """Wan2.2's VAE covers 4 frames by a latent, and the first frame alone: T = 4 k + 1."""
    frames = params.video.frames
    if frames % 4 != 1:
        nearest = max(5, 4 * round((frames - 1) / 4) + 1)
        yield Problem(
            field="video.frames",
            message=f"{frames} does not fit backbone wan22, expected 4 k + 1: write {nearest}",
        )


def check_size(params: Params) -> Iterator[Problem]:
    """Height and width are whole numbers of latent patches."""
    size = params.backbones.wan22.size
    factor = SPATIAL_FACTOR["wan22", size]
    for field, value in (("video.height", params.video.height), ("video.width", params.video.width)):
        if value % factor:
            yield Problem(
                field=field,
                message=f"{value} does not fit backbone wan22 ({size}), expected a multiple of {factor} "
                f"(VAE stride x patch): write {factor * ceil(value / factor)}",
            )


def check_rate(params: Params) -> Iterator[Problem]:
    """A frame is a whole number of solver steps."""
    if SOLVER_RATE % params.video.fps:
        rates = [rate for rate in range(1, SOLVER_RATE + 1) if SOLVER_RATE % rate == 0]
        nearest = min(rates, key=lambda rate: abs(rate - params.video.fps))
        yield Problem(
            field="video.fps",
            message=f"{params.video.fps} does not divide the solver's {SOLVER_RATE} steps a second: write {nearest}",
        )


def check_shards(params: Params) -> Iterator[Problem]:
    """All views and takes of a configuration lie in one shard."""
    size = params.simulation.clips_per_shard
    for name, split in params.simulation.splits:
        if size % (split.views * split.takes):
            yield Problem(
                field="simulation.clips_per_shard",
                message=f"{size} is not a multiple of {split.views} views x {split.takes} takes of split {name}: "
                "write a multiple of 6",
            )


def check_evaluation(params: Params) -> Iterator[Problem]:
    """A score needs two takes of the real world."""
    name = params.evaluation.split
    split = params.simulation.splits.test if name == "test" else params.simulation.splits.dev
    if split.takes != 2:
        yield Problem(
            field=f"simulation.splits.{name}.takes",
            message=f"{split.takes}, expected 2: the score of evaluation.split measures against both takes",
        )
    if split.physics != "real":
        yield Problem(
            field=f"simulation.splits.{name}.physics",
            message=f"{split.physics!r}, expected 'real': models are scored on true physics",
        )


RULES: tuple[Callable[[Params], Iterator[Problem]], ...] = (
    check_frames,
    check_size,
    check_rate,
    check_shards,
    check_evaluation,
)
