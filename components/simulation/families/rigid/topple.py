"""Topple: a column on one of its edges, leaning short of or beyond its point of balance."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.errors import ParametersError
from components.simulation.captions import article, choose, write_captions
from components.simulation.families.rigid.objects import RigidObject, draw_colours, draw_object
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Captions, Shape

if TYPE_CHECKING:
    from components.params import Physics, Simulation

BALANCED = 2.0  # degrees around the point of balance that are left out: too slow to move within a clip
WIDTH = 1.2  # of a column, over the radius of a ball
PLACE = (
    "a tall {thing} on one edge, leaning {tilt:.0f} degrees to the {side}.",
    "on a grey floor, a tall {thing} leans to the {side} by {tilt:.0f} degrees.",
    "a column, {article}, is tilted to the {side}, {tilt:.0f} degrees from upright.",
    "tilted {tilt:.0f} degrees to the {side}, a tall {thing} touches a grey floor with one edge.",
)


@dataclass(frozen=True, kw_only=True)
class Topple:
    """lean: degrees beyond balance; yaw: where it leans, degrees from +x; pivot: middle of the edge on the floor."""

    thing: RigidObject
    lean: float
    yaw: float
    pivot: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw a column and how it leans."""
        ranges = simulation.rigid
        half = float(rng.uniform(*ranges.radius)) * WIDTH / 2
        size = (half, half * float(rng.uniform(0.9, 1.3)), half * float(rng.uniform(*ranges.slenderness)))
        (colour,) = draw_colours(rng, 1)
        right = bool(rng.random() < 0.5)
        return cls(
            thing=draw_object(rng, ranges, physics, shape=Shape.BOX, size=size, colour=colour),
            lean=_draw_lean(rng, ranges.lean),
            yaw=(0.0 if right else 180.0) + float(rng.uniform(-30.0, 30.0)),
            pivot=(float(rng.uniform(0.2, 0.8)) * (-1.0 if right else 1.0), float(rng.uniform(-0.3, 0.3))),
        )

    @property
    def tilt(self) -> float:
        """Degrees from upright; at atan(width / height) the centre of mass stands above the edge."""
        return float(np.degrees(np.arctan2(self.thing.size[0], self.thing.size[2]))) + self.lean

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Another tilt on the same side of balance, and another place."""
        x, y, turn = rng.normal(1.0, spread, size=3).tolist()
        side = np.copysign(1.0, self.lean)
        lean = side * max(side * (self.lean + self.tilt * (turn - 1)), abs(self.lean) / 2)
        return replace(self, lean=float(lean), pivot=(self.pivot[0] * x, self.pivot[1] * y))

    def bodies(self) -> tuple[Body, ...]:
        """The column, its lower edge on the floor."""
        rotation = about("z", self.yaw) * about("y", self.tilt)
        edge = rotation.apply([self.thing.size[0], 0.0, -self.thing.size[2]])
        position = vec3(np.array([*self.pivot, 0.0]) - edge)
        return (self.thing.body(position=position, orientation=quaternion(rotation)),)

    def captions(self, rng: np.random.Generator) -> Captions:
        """The column and its tilt."""
        sentence = choose(rng, PLACE).format(
            thing=self.thing.phrase,
            article=article(self.thing.phrase),
            tilt=self.tilt,
            side="right" if np.cos(np.radians(self.yaw)) > 0 else "left",
        )
        return write_captions(rng, sentences=[sentence], moving=[(self.thing.phrase, self.thing.velocity)])


def _draw_lean(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Uniform over `bounds` without the neighbourhood of balance."""
    low, high = bounds
    before, beyond = max(-BALANCED - low, 0.0), max(high - BALANCED, 0.0)
    if before + beyond == 0.0:
        raise ParametersError(f"simulation.rigid.lean is {list(bounds)}, expected values beyond +-{BALANCED} degrees")
    place = float(rng.uniform(0.0, before + beyond))
    return low + place if place < before else max(low, BALANCED) + place - before
