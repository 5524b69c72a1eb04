"""How things begin that are let go: what families share of it, and what take 2 changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from components.simulation.captions import describe, side
from components.simulation.props.incline import Incline
from components.simulation.rotations import about, vec3
from components.simulation.scene import Captions, FloatArray, Thing, Vec3
from components.simulation.things.membrane import Air

RISE = 0.4  # seconds within which a wind gets up
LOWEST = 0.5  # of a height at least is left in take 2


def draw_place(rng: np.random.Generator, reach: tuple[float, float]) -> tuple[float, float]:
    """A place in the plane within `reach` metres of the middle, along x and y."""
    return float(rng.uniform(-reach[0], reach[0])), float(rng.uniform(-reach[1], reach[1]))


def draw_offset(rng: np.random.Generator, share: float, size: tuple[float, float]) -> tuple[float, float]:
    """An offset along x and y of at most a share of each size."""
    x, y = (rng.uniform(-share, share, size=2) * size).tolist()
    return x, y


@dataclass(frozen=True, kw_only=True)
class InAir:
    """In the air: `height` of the lowest point, `place` of the middle in the plane; metres."""

    place: tuple[float, float]
    height: float

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A little higher or lower, and aside."""
        x, y, z = rng.normal(1.0, spread, size=3).tolist()
        return replace(self, place=(self.place[0] * x, self.place[1] * y), height=self.height * max(z, LOWEST))


@dataclass(frozen=True, kw_only=True)
class Above:
    """Above something: `gap` over its top, `offset` from above its middle; metres."""

    gap: float
    offset: tuple[float, float]

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A little higher or lower, and aside."""
        x, y, gap = rng.normal(1.0, spread, size=3).tolist()
        return replace(self, offset=(self.offset[0] * x, self.offset[1] * y), gap=self.gap * max(gap, LOWEST))


@dataclass(frozen=True, kw_only=True)
class HeldAside:
    """Held aside from where it hangs: `angle` in degrees towards +x, at a `rate` in radians per second."""

    angle: float
    rate: float

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another angle, and as much another rate."""
        angle, rate = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, angle=self.angle * angle, rate=self.rate * rate)

    def describe(
        self,
        rng: np.random.Generator,
        extrinsics: FloatArray,
        wordings: Sequence[Sequence[str]],
        objects: Iterable[tuple[str, Thing]],
        /,
        **words: object,
    ) -> Captions:
        """As `captions.describe`, with the `angle` and the `side` of the picture on which it is held."""
        way = side(extrinsics, (0.0, 0.0, 1.0), (self.angle, 0.0, 0.0))
        return describe(rng, extrinsics, wordings, objects, angle=abs(self.angle), side=way, **words)


@dataclass(frozen=True, kw_only=True)
class OnSlope:
    """On a ramp as in `Incline`, `distance` metres up from its foot."""

    angle: float
    yaw: float
    distance: float

    @property
    def slope(self) -> Incline:
        """The ramp's plane."""
        return Incline(angle=self.angle, yaw=self.yaw)

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """A little further up or down."""
        return replace(self, distance=self.distance * float(rng.normal(1.0, spread)))


@dataclass(frozen=True, kw_only=True)
class InWind:
    """In a `wind` in m/s towards `yaw` degrees from +x; sway and period as in `Air`."""

    wind: float
    yaw: float
    sway: float
    period: float

    @property
    def way(self) -> Vec3:
        """Unit vector down the wind."""
        return vec3(about("z", self.yaw).apply([1.0, 0.0, 0.0]))

    def air(self, drag: float) -> Air:
        """The air around what has a drag; at frame 0 it is at rest too."""
        x, y, _ = self.way
        wind = (x * self.wind, y * self.wind, 0.0)
        return Air(drag=drag, wind=wind, sway=self.sway, period=self.period, rise=RISE)
