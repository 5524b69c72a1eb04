"""Upright pieces in a row, the first of which leans towards the others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from components.simulation.props.looks import draw_colours
from components.simulation.props.objects import RigidObject, draw_object
from components.simulation.props.stands import static
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, Shape

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

HEIGHT, WIDTH, THICKNESS = (0.55, 0.7), (0.5, 0.65), (0.14, 0.18)  # metres; over the height; likewise
BLOCK = (0.25, 0.3, 0.35)  # half extents of a block over the height of a piece


def draw_pieces(
    rng: np.random.Generator, simulation: "Simulation", physics: "Physics", count: int
) -> tuple[RigidObject, ...]:
    """Equal pieces at rest, of as many colours."""
    height = float(rng.uniform(*HEIGHT))
    size = (height * float(rng.uniform(*THICKNESS)) / 2, height * float(rng.uniform(*WIDTH)) / 2, height / 2)
    one = draw_object(rng, simulation.rigid, physics, shape=Shape.BOX, size=size, colour="")
    return tuple(replace(one, colour=colour, velocity=(0.0, 0.0, 0.0)) for colour in draw_colours(rng, count))


def row_of(pieces: Sequence[RigidObject], places: Sequence[float], *, yaw: float, lean: float) -> tuple[Body, ...]:
    """Pieces at places along x, turned by `yaw` about z; the first one on its edge, `lean` degrees beyond balance."""
    turn = about("z", yaw)
    bodies: list[Body] = []
    for piece, place in zip(pieces, places, strict=True):
        half, first = piece.size, not bodies
        tilt = float(np.degrees(np.arctan2(half[0], half[2]))) + lean if first else 0.0
        rotation = turn * about("y", tilt)
        edge = np.array([half[0], 0.0, -half[2]])  # on the floor, upright or not
        centre = turn.apply(edge + np.array([place, 0.0, half[2]])) - rotation.apply(edge)
        body = piece.body(position=vec3(centre), orientation=quaternion(rotation))
        bodies.append(replace(body, name=f"{piece.colour} domino"))
    return tuple(bodies)


def block_at(place: float, *, yaw: float, height: float) -> Body:
    """A grey block in a row of pieces of a height; metres and degrees."""
    x, y, z = (height * share for share in BLOCK)
    turn = about("z", yaw)
    block = static("block", Shape.BOX, (x, y, z), vec3(turn.apply([place, 0.0, z])))
    return replace(block, orientation=quaternion(turn))
