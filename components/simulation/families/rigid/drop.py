"""Drop: one or more objects in the air above the floor, which fall, bounce and may meet."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.spatial.transform import Rotation

from components.simulation.captions import article, choose, write_captions
from components.simulation.families.rigid.objects import RigidObject, draw_colours, draw_object, draw_size
from components.simulation.families.rigid.placement import draw_place
from components.simulation.rotations import quaternion
from components.simulation.scene import IDENTITY, Body, Captions, Quaternion, Shape, Vec3

if TYPE_CHECKING:
    from components.params import Physics, Simulation

PLACE = (
    "{thing} in the air, {height:.1f} metres above a grey floor.",
    "{thing}, {height:.1f} metres over a grey floor.",
    "{height:.1f} metres above a grey floor there is {thing}.",
    "above a grey floor, at a height of {height:.1f} metres, {thing}.",
)


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Objects, and where each begins."""

    objects: tuple[RigidObject, ...]
    positions: tuple[Vec3, ...]
    orientations: tuple[Quaternion, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw objects, then places in which their bounding spheres keep a gap."""
        ranges = simulation.rigid
        count = int(rng.integers(ranges.objects[0], ranges.objects[1] + 1))
        objects: list[RigidObject] = []
        positions: list[Vec3] = []
        orientations: list[Quaternion] = []
        for colour in draw_colours(rng, count):
            shape = Shape(rng.choice([Shape.SPHERE, Shape.SPHERE, Shape.BOX, Shape.CYLINDER]))
            thing = draw_object(rng, ranges, physics, shape=shape, size=draw_size(rng, ranges, shape), colour=colour)
            others = [(*other, known.bounding_radius) for known, other in zip(objects, positions, strict=True)]
            positions.append(draw_place(rng, ranges.drop_height, thing.bounding_radius, others))
            objects.append(thing)
            orientations.append(
                IDENTITY if shape is Shape.SPHERE else quaternion(Rotation.from_quat(rng.normal(size=4)))
            )
        return cls(objects=tuple(objects), positions=tuple(positions), orientations=tuple(orientations))

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Every coordinate scaled; no object is lowered below half of its clearance."""
        moved = []
        for thing, (x, y, z) in zip(self.objects, self.positions, strict=True):
            lowest = (z + thing.bounding_radius) / 2
            fx, fy, fz = rng.normal(1.0, spread, size=3).tolist()
            moved.append((x * fx, y * fy, max(z * fz, lowest)))
        return replace(self, positions=tuple(moved))

    def bodies(self) -> tuple[Body, ...]:
        """The objects."""
        places = zip(self.objects, self.positions, self.orientations, strict=True)
        return tuple(thing.body(position=place, orientation=turned) for thing, place, turned in places)

    def captions(self, rng: np.random.Generator) -> Captions:
        """One sentence for each object."""
        sentences = [
            choose(rng, PLACE).format(thing=article(thing.phrase), height=place[2] - thing.bounding_radius)
            for thing, place in zip(self.objects, self.positions, strict=True)
        ]
        return write_captions(
            rng, sentences=sentences, moving=[(thing.phrase, thing.velocity) for thing in self.objects]
        )
