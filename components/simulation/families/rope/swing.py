"""Swing: a seat on two ropes, drawn aside and let go."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.families.starts import HeldAside
from components.simulation.props.cord import LINKS, Cord, trestle
from components.simulation.props.curves import straight
from components.simulation.props.looks import draw_colours
from components.simulation.props.planks import board
from components.simulation.props.rods import hanging, swung
from components.simulation.rotations import vec3
from components.simulation.scene import Body, Captions, FloatArray, Thing, Vec3
from components.simulation.things.joints import Joint, JointKind

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

SEAT: Vec3 = (0.22, 0.34, 0.04)  # half extents in metres
APART = 0.3  # metres from the middle to each rope
STAND = 0.75  # metres from the middle to each post, which the ropes swing between
WOOD = 600.0  # kg/m^3
CLEARANCE = (0.3, 0.5)  # metres between floor and hanging seat
PLACE = (
    "a {seat} swing on two ropes, {first} and {second}, drawn {angle:.0f} degrees to the {side}.",
    "a {seat} wooden seat hangs on a {first} and a {second} rope of {length:.1f} metres, {angle:.0f} degrees to the"
    " {side} of straight down.",
    "on a grey stand, a swing with a {seat} seat is held {angle:.0f} degrees to the {side}; its ropes are {first} and"
    " {second}.",
)


@dataclass(frozen=True, kw_only=True)
class Swing(HeldAside):
    """angle in degrees from hanging towards +x, rate in radians per second, length of the ropes in metres."""

    seat: str
    cords: tuple[Cord, Cord]
    length: float
    clearance: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw equal ropes of different colours, and an angle."""
        ranges = simulation.rope
        seat, first, second = draw_colours(rng, 3)
        cord, length = Cord.draw(rng, ranges, first), float(rng.uniform(*ranges.length))
        return cls(
            seat=seat,
            cords=(cord, replace(cord, colour=second)),
            length=length,
            angle=float(rng.uniform(*ranges.angle) * rng.choice([-1.0, 1.0])),
            rate=float(rng.uniform(*physics.initial_speed) * rng.choice([-1.0, 1.0])) / length,
            clearance=float(rng.uniform(*CLEARANCE)),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The stand, the front rope, the seat, and the back rope that is tied to both."""
        height = self.clearance + 2 * SEAT[2] + self.length
        way, turning = hanging(self.angle), np.array([0.0, -self.rate, 0.0])
        ends = [np.array([0.0, y, height]) for y in (-APART, APART)]
        lines = [straight(end, end + self.length * way, LINKS) for end in ends]
        front = self.cords[0].rope(lines[0], first="beam", assembly="stand", turning=vec3(turning + 0.0))
        offset = (self.length + SEAT[2]) * way
        joint = Joint(parent=front.name, pivot=front.points[-1], kind=JointKind.FIXED)
        seat = board("seat", self.seat, SEAT, vec3(np.array([0.0, 0.0, height]) + offset), joint, density=WOOD)
        seat = swung(seat, offset, turning, angle=self.angle)
        back = self.cords[1].rope(lines[1], first="beam", last="seat", assembly="stand", turning=vec3(turning + 0.0))
        return (*trestle(height, behind=STAND), front, seat, back)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The seat, its ropes and where they are."""
        seat = next(thing for thing in self.bodies() if isinstance(thing, Body) and thing.dynamic)
        words = {"seat": self.seat, "first": self.cords[0].colour, "second": self.cords[1].colour}
        objects = [(f"{self.seat} seat", seat)]
        return self.describe(rng, extrinsics, [PLACE], objects, length=self.length, **words)
