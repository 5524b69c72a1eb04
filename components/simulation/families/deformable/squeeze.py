"""Squeeze: a plate that two posts guide, let go above a soft body on the floor."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe
from components.simulation.props.blobs import CLEARANCE, Blob
from components.simulation.props.looks import coloured, draw_colours
from components.simulation.props.stands import POST, post
from components.simulation.scene import Captions, FloatArray, Pattern, Shape, Thing
from components.simulation.things.soft import Guided

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

PLATE = (0.75, 0.5, 0.06)  # metres, half extents: wider than a soft body that is pressed to half of its height
SLIT = 0.005  # metres between plate and posts
POSTS = 1.9  # metres high
REACH = 0.6  # metres from the middle, across the front view
GAP = 0.6  # metres at most, so that the plate begins between its posts
PLACE = (
    "{thing} stands on a grey floor, {gap:.1f} metres under {plate} plate between two posts.",
    "between two posts {plate} plate, and {gap:.1f} metres under it {thing}.",
    "{plate} plate hangs level between two posts, {gap:.1f} metres over {thing} on the floor.",
    "two posts with {plate} plate between them; below the plate, {gap:.1f} metres lower, {thing}.",
)


@dataclass(frozen=True, kw_only=True)
class Squeeze:
    """The plate begins `gap` above the blob, both around `x`; metres; density in kg/m^3."""

    blob: Blob
    colour: str
    density: float
    x: float
    gap: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw blob and plate."""
        ranges = simulation.deformable
        colour, other = draw_colours(rng, 2)
        shape = Shape(rng.choice([Shape.BOX, Shape.CYLINDER, Shape.SPHERE]))
        blob = Blob.draw(rng, ranges, physics, shape=shape, colour=colour)
        return cls(
            blob=replace(blob, velocity=(0.0, 0.0, 0.0)),
            colour=other,
            density=float(rng.uniform(*ranges.plate_density)),
            x=float(rng.uniform(-REACH, REACH)),
            gap=float(rng.uniform(*np.minimum(ranges.drop_height, GAP))),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The plate a little higher or lower, all of it aside."""
        x, gap = rng.normal(1.0, spread, size=2).tolist()
        return replace(self, x=self.x * x, gap=self.gap * max(gap, 0.5))

    def bodies(self) -> tuple[Thing, ...]:
        """Posts, the blob on the floor, the plate above it."""
        top, aside = self.blob.height + 2 * CLEARANCE, PLATE[0] + SLIT + POST
        plate = Guided(
            name=f"{self.colour} plate",
            shape=Shape.BOX,
            size=PLATE,
            texture=coloured(self.colour, Pattern.STRIPES),
            position=(self.x, 0.0, top + self.gap + PLATE[2]),
            mass=8 * self.density * float(np.prod(PLATE)),
            material="wooden",
        )
        posts = [post(f"{name} post", self.x + way * aside, 0.0, POSTS) for name, way in (("left", -1), ("right", 1))]
        return (*posts, self.blob.over_floor(self.x, 0.0), plate)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The blob and the plate above it."""
        phrase, *_, blob, plate = self.blob.phrase, *self.bodies()
        board, things = f"{self.colour} wooden", [(phrase, blob), (f"{self.colour} wooden plate", plate)]
        return describe(rng, extrinsics, [PLACE], things, thing=article(phrase), plate=article(board), gap=self.gap)
