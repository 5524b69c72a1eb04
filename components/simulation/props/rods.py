"""Weights on rods that turn about a hinge across the front view."""

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.props.stands import POST, post, static
from components.simulation.props.weights import Weight
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Pattern, Shape, Vec3
from components.simulation.things.joints import Joint, JointedBody, JointKind

ROD = 0.03  # metres: radius
ROD_MASS = 0.03  # of the weight's, so that the rod falls no faster than freely
BEHIND = 0.5  # metres from the plane of motion back to a post: further than any weight reaches
AXLE = 0.04  # metres: radius


def hanging(angle: float) -> FloatArray:
    """The direction (3,) of a rod `angle` degrees from hanging, towards +x."""
    turn = np.radians(angle)
    return np.array([np.sin(turn), 0.0, -np.cos(turn)])


def stand(pivot: Vec3) -> tuple[Body, Body]:
    """A post behind the plane of motion, and the axle it holds; the pivot is near the axle's end."""
    x, y, z = pivot
    middle = y + (BEHIND - AXLE) / 2
    axle = static("axle", Shape.CYLINDER, (AXLE, BEHIND + AXLE, 0.0), (x, middle, z), along="y")
    return axle, post("post", x, y + BEHIND, z + POST)


def rod_with_weight(
    weight: Weight,
    *,
    pivot: Vec3,
    angle: float,
    length: float,
    rate: float,
    parent: str,
    moving: Vec3 = (0.0, 0.0, 0.0),
    assembly: str = "stand",
    own_assembly: str = "stand",
    restitution: float = 0.5,
) -> tuple[JointedBody, JointedBody]:
    """A weight `length` metres from its hinge, and the rod between; both turn at `rate` radians per second.

    A positive rate makes the angle grow. The pivot itself moves at `moving`.
    """
    way, turning = hanging(angle), np.array([0.0, -rate, 0.0])
    start = np.array(pivot)
    inside = weight.radius * 0.98 if own_assembly == assembly else weight.radius
    middle, reach = (length - inside) / 2, length - inside
    ball = weight.hung(
        vec3(start + length * way),
        Joint(parent=parent, pivot=pivot),
        orientation=quaternion(about("y", -angle)),
        velocity=vec3(np.array(moving) + np.cross(turning, length * way) + 0.0),
        angular_velocity=vec3(turning + 0.0),
        restitution=restitution,
        assembly=own_assembly,
    )
    rod = JointedBody(
        name=f"{weight.colour} rod",
        shape=Shape.CYLINDER,
        size=(ROD, reach, 0.0),
        texture=coloured(weight.colour, Pattern.PLAIN),
        position=vec3(start + middle * way),
        orientation=quaternion(about("y", -angle)),
        velocity=vec3(np.array(moving) + np.cross(turning, middle * way) + 0.0),
        angular_velocity=vec3(turning + 0.0),
        mass=ROD_MASS * weight.mass,
        material="steel",
        assembly=assembly,
        joint=Joint(parent=weight.name, pivot=vec3(start + length * way), kind=JointKind.FIXED),
    )
    return ball, rod
