"""Jelly: a soft block, cylinder or ball let go in the air."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.families.starts import InAir, draw_place
from components.simulation.props.blobs import Blob
from components.simulation.props.looks import draw_colours
from components.simulation.scene import Captions, FloatArray, Shape, Thing

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

REACH = (1.2, 0.4)  # metres from the middle, across and along the front view
TILT = (-35.0, 35.0)  # degrees from upright, except of balls
PLACE = (
    "{article} in the air, {height:.1f} metres above a grey floor.",
    "{height:.1f} metres over a grey floor, {article}, soft throughout.",
    "a soft body: {article}, {height:.1f} metres up in the air.",
    "above a grey floor, at a height of {height:.1f} metres, {article}.",
)


@dataclass(frozen=True, kw_only=True)
class Jelly(InAir):
    """`height` of the lowest point, `place` of the middle in the plane; metres."""

    blob: Blob

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw the blob and its place."""
        ranges = simulation.deformable
        shape = Shape(rng.choice([Shape.BOX, Shape.BOX, Shape.CYLINDER, Shape.SPHERE]))
        (colour,) = draw_colours(rng, 1)
        blob = Blob.draw(rng, ranges, physics, shape=shape, colour=colour)
        return cls(
            place=draw_place(rng, REACH),
            blob=replace(blob, tilt=0.0 if shape is Shape.SPHERE else float(rng.uniform(*TILT))),
            height=float(rng.uniform(*ranges.drop_height)),
        )

    def bodies(self) -> tuple[Thing, ...]:
        """The blob."""
        return (self.blob.over_floor(*self.place, self.height),)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The blob in the air."""
        phrase, (body,) = self.blob.phrase, self.bodies()
        return describe(rng, extrinsics, [PLACE], [(phrase, body)], article=article(phrase), height=self.height)
