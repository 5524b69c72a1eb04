"""Ramp: a ball or cylinder on a rough ramp, or a box on a polished one, let go above the foot."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, choose, write_captions
from components.simulation.families.rigid.objects import RigidObject, draw_colours, draw_object, draw_size
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Captions, Pattern, Shape, Texture

if TYPE_CHECKING:
    from components.params import Physics, Simulation

LENGTH, WIDTH, THICKNESS = 2.8, 1.3, 0.1  # metres
ROUGH, POLISHED = 1.0, 0.15  # friction, which multiplies with the object's: a box of any material slides
PLACE = (
    "{thing} on a {ramp} that slopes down to the {side} at {angle:.0f} degrees.",
    "a {ramp} slopes down to the {side} at {angle:.0f} degrees, and {thing} is on it.",
    "on a {ramp}, {angle:.0f} degrees steep and lower on the {side}, there is {thing}.",
    "{thing} and a {ramp} of {angle:.0f} degrees under it, its foot on the {side}.",
)


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """angle and yaw in degrees (yaw 0: downhill is +x); distance up the slope from the foot, offset across it."""

    thing: RigidObject
    angle: float
    yaw: float
    distance: float
    offset: float
    grey: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the ramp, the object and its place on it."""
        ranges = simulation.rigid
        shape = Shape(rng.choice([Shape.SPHERE, Shape.SPHERE, Shape.CYLINDER, Shape.BOX]))
        (colour,) = draw_colours(rng, 1)
        return cls(
            thing=draw_object(rng, ranges, physics, shape=shape, size=draw_size(rng, ranges, shape), colour=colour),
            angle=float(rng.uniform(*ranges.ramp_angle)),
            yaw=float(rng.choice([0.0, 180.0]) + rng.uniform(-20.0, 20.0)),
            distance=float(rng.uniform(1.4, 2.3)),
            offset=float(rng.uniform(-0.1, 0.1)),
            grey=float(rng.uniform(0.15, 0.25)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The object a little further up, down or aside, still on the surface."""
        along, across = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, distance=self.distance * along, offset=self.offset * across)

    def bodies(self) -> tuple[Body, ...]:
        """The ramp, whose upper surface meets the floor at its foot, and the object on that surface."""
        rotation = about("z", self.yaw) * about("y", self.angle)
        downhill, across, normal = rotation.as_matrix().T
        foot = about("z", self.yaw).apply([LENGTH / 2 * np.cos(np.radians(self.angle)), 0.0, 0.0])
        ramp = Body(
            name="ramp",
            shape=Shape.BOX,
            size=(LENGTH / 2, WIDTH / 2, THICKNESS / 2),
            texture=Texture(
                pattern=Pattern.NOISE, colour=(self.grey,) * 3, second_colour=(self.grey * 0.7,) * 3, scale=0.4
            ),
            position=vec3(foot - downhill * LENGTH / 2 - normal * THICKNESS / 2),
            orientation=quaternion(rotation),
            restitution=1.0,
            friction=self._friction,
        )
        lying = rotation * about("x", 90.0) if self.thing.shape is Shape.CYLINDER else rotation
        height = self.thing.size[2] if self.thing.shape is Shape.BOX else self.thing.size[0]
        place = foot - downhill * self.distance + across * self.offset + normal * height
        return (ramp, self.thing.body(position=vec3(place), orientation=quaternion(lying)))

    def captions(self, rng: np.random.Generator) -> Captions:
        """The ramp, its slope and what is on it."""
        sentence = choose(rng, PLACE).format(
            thing=article(self.thing.phrase),
            ramp="rough ramp" if self._friction == ROUGH else "polished ramp",
            side="right" if np.cos(np.radians(self.yaw)) > 0 else "left",
            angle=self.angle,
        )
        return write_captions(rng, sentences=[sentence], moving=[(self.thing.phrase, self.thing.velocity)])

    @property
    def _friction(self) -> float:
        return POLISHED if self.thing.shape is Shape.BOX else ROUGH
