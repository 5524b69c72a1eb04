"""What a family of scenes is, and what a category of families is."""

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from components.simulation.scene import Captions, FloatArray, Motion, Scene, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation


class Family(Protocol):
    """One configuration of a family: a frozen dataclass whose JSON-able fields are what was drawn and are hashed."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a configuration; `physics` is what the split believes about the world."""

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The same configuration from an initial state scaled by N(1, spread), free of penetration as before."""

    def bodies(self) -> tuple[Thing, ...]:
        """Everything but the floor, whose top is the plane z = 0."""

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """One of many wordings of frame 0 as the camera of `extrinsics` (4,4) sees it; `rng` alone picks the words."""


@dataclass(frozen=True, kw_only=True)
class Solver:
    """A function from a scene to its motion, for scenes that hold a thing of some type."""

    simulate: Callable[[Scene, str], Motion]  # the second: the device, as Warp names it
    library: str  # that it rests on, as installed: clips record its version
    of: type[Thing] = Thing
    kernels: tuple[ModuleType, ...] = ()  # compiled before the first clip


def on_processor(simulate: Callable[[Scene], Motion]) -> Callable[[Scene, str], Motion]:
    """A solver that knows no other device: PyBullet's, NumPy's."""

    def solve(scene: Scene, _device: str) -> Motion:
        return simulate(scene)

    return solve


@dataclass(frozen=True, kw_only=True)
class Category:
    """Families by name, and solvers, of which the first that fits solves a scene."""

    families: Mapping[str, type[Family]]
    solvers: tuple[Solver, ...]

    @property
    def kernels(self) -> tuple[ModuleType, ...]:
        """Of all its solvers."""
        return tuple(module for solver in self.solvers for module in solver.kernels)

    def solver(self, scene: Scene) -> Solver:
        """The solver of a scene; TypeError where it holds nothing that one of them can move."""
        for solver in self.solvers:
            if any(isinstance(thing, solver.of) for thing in scene.bodies):
                return solver
        expected = ", ".join(solver.of.__name__ for solver in self.solvers)
        raise TypeError(f"a scene of {scene.category}/{scene.family} holds none of: {expected}")

    def simulate(self, scene: Scene, device: str = "cpu") -> Motion:
        """Solve a scene, on `device` where its solver can; raises as its solver does."""
        return self.solver(scene).simulate(scene, device)
