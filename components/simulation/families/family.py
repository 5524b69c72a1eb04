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
class Category:
    """Families by name, where the parameters keep their shares, and the solver by its function and its package."""

    families: Mapping[str, type[Family]]
    shares: Callable[["Simulation"], Mapping[str, float]]
    simulate: Callable[[Scene], Motion]
    solver: str  # as installed: clips record its version
    kernels: tuple[ModuleType, ...] = ()  # of its solver: compiled before the first clip
