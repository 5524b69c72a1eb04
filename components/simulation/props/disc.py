"""A disc on a pedestal, that turns."""

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.props.stands import static
from components.simulation.scene import Body, Pattern, Shape, Vec3
from components.simulation.things.joints import Joint, JointedBody

RADIUS, THICKNESS, HEIGHT = 1.3, 0.1, 0.5  # metres; height of the disc's middle
DENSITY = 2000.0  # kg/m^3: what it carries hardly slows it
STEM = 0.15  # metres: radius of the pedestal


def disc_on_pedestal(colour: str, turning: Vec3) -> tuple[Body, JointedBody]:
    """The pedestal and the disc; turning: radians per second about each axis."""
    stem, middle = HEIGHT - THICKNESS / 2, (0.0, 0.0, HEIGHT)
    disc = JointedBody(
        name="turntable",
        shape=Shape.CYLINDER,
        size=(RADIUS, THICKNESS, 0.0),
        texture=coloured(colour, Pattern.CHECKER, scale=1.0),
        position=middle,
        angular_velocity=turning,
        mass=DENSITY * np.pi * RADIUS**2 * THICKNESS,
        friction=1.0,
        restitution=0.3,
        assembly="stand",
        joint=Joint(parent="pedestal", pivot=middle, axis=(0.0, 0.0, 1.0)),
    )
    return static("pedestal", Shape.CYLINDER, (STEM, stem, 0.0), (0.0, 0.0, stem / 2)), disc
