"""Whether an estimate fits a machine."""

from dataclasses import dataclass

from components.planning.estimate import Estimate
from components.planning.machine import GIGA, Machine

# What a process grows by, over what is estimated of training, activations and temporaries: 18 stages of the laptop's
# twins were measured (tests/planning/measured.py), and none grew by more.
SAFETY = 1.35
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


def fit(estimate: Estimate, machine: Machine) -> Fit:
    """The memory that is the tightest: the one there is, or that of an accelerator and the RAM beside it."""
    computing = estimate.weights + round(SAFETY * (estimate.computing - estimate.weights))
    if not machine.accelerated:
        return Fit(needed=computing + estimate.data + PROGRAM, there=machine.memory, what="memory")
    fits = [Fit(needed=computing, there=machine.memory, what="memory of the accelerator")]
    if machine.ram is not None:
        fits.append(Fit(needed=estimate.data + PROGRAM, there=machine.ram, what="RAM"))
    return max(fits, key=lambda one: one.needed - one.there)
