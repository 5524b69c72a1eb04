"""Boards of wood on joints: the plank of a see-saw with its load, the seat of a swing."""

from typing import TYPE_CHECKING

import numpy as np

from components.errors import ParametersError
from components.simulation.props.looks import coloured
from components.simulation.props.rods import AXLE
from components.simulation.props.stands import POST, post, static
from components.simulation.props.weights import Weight
from components.simulation.scene import Body, Pattern, Shape, Vec3
from components.simulation.things.joints import Joint, JointedBody, jointed

if TYPE_CHECKING:
    from components.parameters.categories.articulated import Articulated

PLANK: Vec3 = (1.5, 0.3, 0.045)  # half extents in metres
LIGHT_WOOD = 300.0  # kg/m^3
FRICTION = 0.8  # of plank and boxes; those of two multiply
DISTANCE = (0.4, 1.2)  # metres from the axle to the middle of a box
UNBALANCED = 1.3  # at least, of the greater torque over the other: enough to see it within a clip
DRAWS = 200


def board(name: str, colour: str, size: Vec3, position: Vec3, joint: Joint, *, density: float) -> JointedBody:
    """A board of half extents `size` at rest, part of the assembly `stand`."""
    wood = Body(
        name=name,
        shape=Shape.BOX,
        size=size,
        texture=coloured(colour, Pattern.STRIPES),
        position=position,
        mass=density * 8 * float(np.prod(size)),
        material="wooden",
        assembly="stand",
    )
    return jointed(wood, joint)


def axle_on_posts(height: float) -> tuple[Body, Body, Body]:
    """An axle for a plank, between two posts."""
    aside = PLANK[1] + 2 * POST
    axle = static("axle", Shape.CYLINDER, (AXLE, 2 * aside, 0.0), (0.0, 0.0, height), along="y")
    front, back = (post(f"{name} post", 0.0, y, height + POST) for name, y in (("front", -aside), ("back", aside)))
    return axle, front, back


def draw_load(
    rng: np.random.Generator, ranges: "Articulated", colours: tuple[str, str]
) -> tuple[tuple[Weight, Weight], tuple[float, float]]:
    """Two boxes and their distances from the axle, of which one has the greater torque."""
    for _ in range(DRAWS):
        a, b = (
            Weight.draw(rng, radii=ranges.radius, densities=ranges.density, colour=colour, shape=Shape.BOX)
            for colour in colours
        )
        distances = (float(rng.uniform(*DISTANCE)), float(rng.uniform(*DISTANCE)))
        ratio = a.mass * distances[0] / (b.mass * distances[1])
        if max(ratio, 1 / ratio) > UNBALANCED:
            return (a, b), distances
    raise ParametersError("every see-saw balances: widen simulation.articulated.radius or density")
