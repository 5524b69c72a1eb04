"""A pump, and the balloon on it that it blows up."""

from dataclasses import replace

import numpy as np

from components.simulation.props.envelope import Envelope
from components.simulation.props.fabric import rod
from components.simulation.scene import Body
from components.simulation.things.membrane import Gas, Membrane
from components.simulation.things.shell import THICKNESS, gas_at, sphere_points

NECK = 0.45  # of the small balloon's radius: the neck's, and the pump's
ELASTIC = 0.25  # a balloon's stiffness over that of a beach ball: it doubles its radius at 1 kPa


def balloon_on_pump(
    envelope: Envelope,
    *,
    radius: float,
    growth: float,
    seconds: float,
    height: float,
    place: tuple[float, float],
    grey: float,
) -> tuple[Body, Membrane]:
    """The pump, of a height, and the balloon, whose neck never moves; radius not stretched, growth of it in seconds."""
    small = sphere_points(radius)
    below = np.hypot(small[:, 0], small[:, 1]) < NECK * radius
    neck = below & (small[:, 2] < 0)
    bottom = float(small[neck, 2].max())  # the pump's top: the cap below it is in the pump
    points = small.copy()
    points[neck, 2] = bottom
    held = gas_at(points, 0.0)
    area = growth**2  # the skin is drawn as it is when full; until then it is thicker
    unblown = replace(envelope, density=envelope.density * area, stiffness=envelope.stiffness * ELASTIC)
    balloon = unblown.shell(
        "balloon",
        rest=points,
        points=points + np.array([*place, height + THICKNESS - bottom]),
        gas=Gas(start=held, end=held * growth**3, seconds=seconds),
        period=radius,
        pinned=neck,
        assembly="pump",
    )
    middle = (*place, height / 2)
    return rod("pump", radius=NECK * radius, length=height, position=middle, grey=grey, assembly="pump"), balloon
