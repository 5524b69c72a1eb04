"""Whether an estimate fits a machine."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.planning.estimate import Estimate
from components.planning.machine import GIGA, Machine

# What a process grows by, over what is estimated of all but weights and data: measured of the laptop's twins by
# `python -m tests.planning.measured`. Kernels have buffers of their own, and the C library keeps what was freed in
# other sizes: stage 3 samples, reads and trains on batches that differ.
SAFETY = 1.5  # the most that was seen is 1.39
SAFETY_OF_STAGE: Mapping[str, float] = {"stage3": 2.8}  # seen: 2.67
PROGRAM = int(0.6 * GIGA)  # Python, torch and the libraries of models, which are in RAM


@dataclass(frozen=True, kw_only=True)
class Fit:
    """needed and there: bytes, of the memory that is the tightest; what: which one that is."""

    needed: int
    there: int
    what: str

    @property
    def fits(self) -> bool:
        """Whether there is enough."""
        return self.needed <= self.there


def fit(estimate: Estimate, machine: Machine, *, stage: str) -> Fit:
    """The memory that is the tightest: the one there is, or that of an accelerator and the RAM beside it."""
    computing = estimate.weights + round(SAFETY_OF_STAGE.get(stage, SAFETY) * (estimate.computing - estimate.weights))
    if not machine.accelerated:
        return Fit(needed=computing + estimate.data + PROGRAM, there=machine.memory, what="memory")
    fits = [Fit(needed=computing, there=machine.memory, what="memory of the accelerator")]
    if machine.ram is not None:
        fits.append(Fit(needed=estimate.data + PROGRAM, there=machine.ram, what="RAM"))
    return max(fits, key=lambda one: one.needed - one.there)
