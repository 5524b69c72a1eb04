"""Grains that families share: packings that touch nothing, and how grains look."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from components.simulation.captions import choose
from components.simulation.props.looks import coloured
from components.simulation.rotations import vec3
from components.simulation.scene import Body, FloatArray, Pattern, Shape, Vec3
from components.simulation.things.particles import Grains, Sand

if TYPE_CHECKING:
    from components.parameters.categories.granular import Granular

GAP = 1.02  # distance of neighbours over a diameter: free of overlap, and shaken down in an instant
DENSITY = 2500.0  # kg/m^3, of stone
# Rolling friction over a grain's radius: of angular ones, and of what flows through a slot
ROLLING, ROUND = 0.25, 0.1
MOST = 1200  # grains that are solved one by one: at 1000 asked for, a hopper holds up to a ninth more
MARKS = 0.5  # metres: period of the darker shade by which grains are told apart
NAMES = ("pebbles", "stones", "grains")


def block(size: Vec3, radius: float, rng: np.random.Generator) -> FloatArray:
    """Centres (P,3) of a face-centred packing in a block; the middle of its base is the origin, whatever it stands on.

    `rng` puts every grain a little off its place, within the gaps.
    """
    edge = 2 * radius * GAP * np.sqrt(2)
    counts = [int(np.ceil(length / edge)) + 1 for length in size]
    corners = np.stack(np.meshgrid(*[np.arange(n) for n in counts], indexing="ij"), axis=-1).reshape(-1, 1, 3)
    cell = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    points = (corners + cell).reshape(-1, 3) * edge + radius * GAP
    points = points[(points <= np.array(size) - radius + 1e-9).all(axis=1)]
    points -= [*((points[:, :2].min(axis=0) + points[:, :2].max(axis=0)) / 2), 0.0]
    return np.asarray(points + rng.uniform(-1, 1, size=points.shape) * radius * (GAP - 1) / 2, np.float64)


def radius_for(rng: np.random.Generator, ranges: "Granular", *, volume: float) -> float:
    """Of grains of which about `ranges.grains` fill a volume in a face-centred packing."""
    share = np.pi / (3 * np.sqrt(2)) / GAP**3
    return float((3 * share * volume / (4 * np.pi * rng.uniform(*ranges.grains))) ** (1 / 3))


@dataclass(frozen=True, kw_only=True)
class Packing:
    """Equal grains: what they are called, radius in metres; seed: of the disorder in which they lie."""

    name: str
    radius: float
    friction: float
    seed: int

    def block(self, size: Vec3) -> FloatArray:
        """Centres (P,3) of those in a block: see `block`."""
        return block(size, self.radius, np.random.default_rng(self.seed))

    def grains(self, points: FloatArray, colour: str, *, rolling: float = ROLLING) -> Grains:
        """Grains at rest at points (P,3); as sand where there are too many to solve them one by one."""
        kind = Sand if len(points) > MOST else Grains
        return kind(
            name=f"{colour} {self.name}",
            texture=coloured(colour, Pattern.NOISE, scale=MARKS),
            position=vec3(points.mean(axis=0)),
            mass=DENSITY * 4 / 3 * np.pi * self.radius**3 * len(points),
            material="stone",
            points=points,
            radius=self.radius,
            friction=self.friction,
            rolling_friction=rolling * self.radius,
        )


def draw_name(rng: np.random.Generator) -> str:
    """What grains are called."""
    return choose(rng, NAMES)


def steel_ball(colour: str, radius: float, density: float, position: Vec3, velocity: Vec3) -> Body:
    """A heavy ball, to fall among grains."""
    return Body(
        name=f"{colour} ball",
        shape=Shape.SPHERE,
        size=(radius, 0.0, 0.0),
        texture=coloured(colour, Pattern.PLAIN),
        position=position,
        velocity=velocity,
        mass=density * 4 / 3 * np.pi * radius**3,
        material="steel",
        restitution=0.2,
        friction=0.8,
    )
