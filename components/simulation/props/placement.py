"""Places in the air for objects that must not touch each other at frame 0."""

from collections.abc import Sequence

import numpy as np

from components.errors import ParametersError
from components.simulation.props.objects import RigidObject
from components.simulation.scene import Quaternion, Vec3

REACH = (1.3, 0.4)  # metres from the middle, across and along the front view: the picture shows 2.4 m on either side
GAP = 0.15  # metres between the bounding spheres of two objects: take 2 moves each by a few centimetres
PLACES = 200  # draws of a place before giving up


def draw_place(
    rng: np.random.Generator,
    heights: tuple[float, float],
    thing: RigidObject,
    orientation: Quaternion,
    others: Sequence[tuple[float, float, float, float]],
) -> Vec3:
    """A centre from which the lowest point is `heights` above the floor, GAP away from spheres (x, y, z, radius)."""
    radius, depth = thing.bounding_radius, thing.depth(orientation)
    for _ in range(PLACES):
        x, y = (float(rng.uniform(-reach, reach)) for reach in REACH)
        place = (x, y, depth + float(rng.uniform(*heights)))
        if all(np.linalg.norm(np.subtract(place, other[:3])) > radius + other[3] + GAP for other in others):
            return place
    raise ParametersError(
        f"no room for {len(others) + 1} objects: lower simulation.rigid.objects or simulation.rigid.radius"
    )
