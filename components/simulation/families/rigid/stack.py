"""Stack: boxes on each other, and one more let go above them, over their middle or beyond their edge."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, side
from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import RigidObject, draw_object
from components.simulation.scene import Body, Captions, FloatArray, Shape

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

COUNT = (2, 4)  # boxes that stand
SIZE = ((0.6, 0.8), (0.6, 0.8), (0.35, 0.5))  # half extents over the radius of the category's balls
SHIFT = 0.15  # of the half width at most, from box to box: no part of the stack overhangs its support
STABLE, UNSTABLE = (0.0, 0.45), (1.15, 1.5)  # of the half width: how far aside the last box begins; 1 is balance
GAP = (0.1, 0.35)  # metres under it
REACH = 1.1  # metres from the middle, across the front view
PLACE = (
    "a stack of {count} boxes, {colours}; {gap:.2f} metres above it, {aside}, {thing}.",
    "{count} boxes stand on each other, from below {colours}, and {gap:.2f} metres over them, {aside}, is {thing}.",
    "over a stack of {count} boxes, from below {colours}, {gap:.2f} metres higher and {aside}: {thing}.",
    "on a grey floor a tower of {count} boxes, {colours}; in the air over it, {aside}, {thing}.",
)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Boxes from below; places of their centres in the plane, the last one `gap` above the others; metres."""

    boxes: tuple[RigidObject, ...]
    places: tuple[tuple[float, float], ...]
    gap: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw boxes of one width and depth, their places, and where the last begins."""
        ranges, count = simulation.rigid, int(rng.integers(COUNT[0], COUNT[1] + 1))
        wide, deep, _ = (float(rng.uniform(*ranges.radius) * rng.uniform(*share)) for share in SIZE)
        boxes, places, x = [], [], float(rng.uniform(-REACH, REACH))
        for colour in draw_colours(rng, count + 1):
            size = (wide, deep, float(rng.uniform(*ranges.radius) * rng.uniform(*SIZE[2])))
            boxes.append(draw_object(rng, ranges, physics, shape=Shape.BOX, size=size, colour=colour))
            places.append((x + wide * float(rng.uniform(-SHIFT, SHIFT)), deep * float(rng.uniform(-SHIFT, SHIFT))))
        aside = float(rng.choice([-1, 1]) * rng.uniform(*(STABLE if rng.random() < 0.5 else UNSTABLE)))
        places[-1] = (places[-2][0] + aside * wide, places[-1][1])
        return cls(boxes=tuple(boxes), places=tuple(places), gap=float(rng.uniform(*GAP)))

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The last box a little higher or lower."""
        return replace(self, gap=self.gap * max(float(rng.normal(1.0, spread)), 0.5))

    def bodies(self) -> tuple[Body, ...]:
        """The boxes; what stands begins at rest."""
        bodies, top = [], 0.0
        for number, (box, (x, y)) in enumerate(zip(self.boxes, self.places, strict=True)):
            last = number == len(self.boxes) - 1
            thing = box if last else replace(box, velocity=(0.0, 0.0, 0.0))
            bodies.append(thing.body(position=(x, y, top + box.size[2] + (self.gap if last else 0.0))))
            top += 2 * box.size[2]
        return tuple(bodies)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The stack and the box above it."""
        *standing, last = (box.phrase for box in self.boxes)
        (x, y), (below, _) = self.places[-1], self.places[-2]
        way = side(extrinsics, (x, y, 1.0), (x - below, 0.0, 0.0))
        far = abs(x - below) / self.boxes[0].size[0]
        aside = "over its middle" if far < 0.1 else f"{abs(x - below):.2f} metres to the {way} of the uppermost"
        colours = " and ".join([", ".join(box.colour for box in self.boxes[:-2]), self.boxes[-2].colour])
        words = {"count": len(standing), "colours": colours, "gap": self.gap, "aside": aside, "thing": article(last)}
        objects = zip([*standing, last], self.bodies(), strict=True)
        return describe(rng, extrinsics, [PLACE], objects, **words)
