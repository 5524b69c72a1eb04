"""Drop: one or more objects in the air above the floor, which fall, bounce and may meet."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.spatial.transform import Rotation

from components.simulation.captions import article, choose, write_captions
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import RigidObject, draw_object, draw_size
from components.simulation.props.placement import draw_place
from components.simulation.rotations import quaternion
from components.simulation.scene import IDENTITY, Body, Captions, FloatArray, Quaternion, Shape, Vec3

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

PLACE = (
    "{thing} in the air, {height:.1f} metres above a grey floor.",
    "{thing}, {height:.1f} metres over a grey floor.",
    "{height:.1f} metres above a grey floor there is {thing}.",
    "above a grey floor, at a height of {height:.1f} metres, {thing}.",
)


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Objects, and where the centre of each begins."""

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
            turned = IDENTITY if shape is Shape.SPHERE else quaternion(Rotation.from_quat(rng.normal(size=4)))
            positions.append(draw_place(rng, ranges.drop_height, thing, turned, others))
            objects.append(thing)
            orientations.append(turned)
        return cls(objects=tuple(objects), positions=tuple(positions), orientations=tuple(orientations))

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Every coordinate scaled; no object is lowered below half of its clearance."""
        moved = []
        for (x, y, z), clearance in zip(self.positions, self._clearances, strict=True):
            fx, fy, fz = rng.normal(1.0, spread, size=3).tolist()
            moved.append((x * fx, y * fy, max(z * fz, z - clearance / 2)))
        return replace(self, positions=tuple(moved))

    def bodies(self) -> tuple[Body, ...]:
        """The objects."""
        places = zip(self.objects, self.positions, self.orientations, strict=True)
        return tuple(thing.body(position=place, orientation=turned) for thing, place, turned in places)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """One sentence for each object."""
        phrases = [thing.phrase for thing in self.objects]
        sentences = [
            choose(rng, PLACE).format(thing=article(phrase), height=clearance)
            for phrase, clearance in zip(phrases, self._clearances, strict=True)
        ]
        objects = zip(phrases, self.bodies(), strict=True)
        return write_captions(rng, extrinsics=extrinsics, sentences=sentences, objects=objects)

    @property
    def _clearances(self) -> tuple[float, ...]:
        """Metres between the floor and each object's lowest point."""
        places = zip(self.objects, self.positions, self.orientations, strict=True)
        return tuple(place[2] - thing.depth(turned) for thing, place, turned in places)
