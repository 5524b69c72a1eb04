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
SAFETY_OF_ACCELERATORS = 1.2  # what their allocator leaves between blocks: not measured
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
    safety = SAFETY_OF_ACCELERATORS if machine.accelerated else SAFETY_OF_STAGE.get(stage, SAFETY)
    computing = round(safety * estimate.computing)
    if not machine.accelerated:
        needed = estimate.weights + estimate.data + max(computing, estimate.reading) + PROGRAM
        return Fit(needed=needed, there=machine.memory, what="memory")
    fits = [Fit(needed=estimate.weights + computing, there=machine.memory, what="memory of the accelerator")]
    if machine.ram is not None:
        needed = estimate.data + estimate.reading + PROGRAM
        fits.append(Fit(needed=needed, there=machine.ram, what="RAM"))
    return max(fits, key=lambda one: one.needed - one.there)
