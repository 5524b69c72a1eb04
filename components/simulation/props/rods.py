"""Weights on rods that turn about a hinge across the front view."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.props.stands import POST, bracket, post, static
from components.simulation.props.weights import STILL, Weight
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Pattern, Shape, Vec3
from components.simulation.things.joints import Joint, JointedBody, JointKind

B = TypeVar("B", bound=Body)

ROD = 0.03  # metres: radius
ROD_MASS = 0.03  # of the weight's, so that the rod falls no faster than freely
BEHIND = 0.5  # metres from the plane of motion back to a post: further than any weight reaches
AXLE = 0.04  # metres: radius


def hanging(angle: float) -> FloatArray:
    """The direction (3,) of a rod `angle` degrees from hanging, towards +x."""
    turn = np.radians(angle)
    return np.array([np.sin(turn), 0.0, -np.cos(turn)])


def swung(body: B, offset: FloatArray, turning: FloatArray, *, angle: float) -> B:
    """The body `offset` (3,) from a pivot, turned by an angle, and moving with what turns about that at `turning`."""
    return replace(
        body,
        orientation=quaternion(about("y", -angle)),
        velocity=vec3(np.cross(turning, offset) + 0.0),
        angular_velocity=vec3(turning + 0.0),
    )


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
    moving: Vec3 = STILL,
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


def chain(
    weights: Sequence[Weight], *, pivot: Vec3, angles: Sequence[float], lengths: Sequence[float], rates: Sequence[float]
) -> tuple[JointedBody, ...]:
    """Weights on rods, of which each hangs on the weight of the one before, in a plane before it."""
    bodies: list[JointedBody] = []
    parent, moving = "axle", STILL
    for weight, angle, length, rate in zip(weights, angles, lengths, rates, strict=True):
        ball, rod = rod_with_weight(
            weight, pivot=pivot, angle=angle, length=length, rate=rate, parent=parent, moving=moving
        )
        bodies += ball, rod
        pivot = vec3(np.array(ball.position) - [0.0, weight.radius + ROD, 0.0])
        parent, moving = ball.name, ball.velocity
    return tuple(bodies)


def row(
    weights: Sequence[Weight],
    *,
    height: float,
    gap: float,
    length: float,
    states: Sequence[tuple[float, float]],
    restitution: float,
) -> tuple[Body, ...]:
    """Weights of one size side by side on rods under a beam, at rest or not; states: angle and rate of each."""
    pitch = 2 * weights[0].radius + gap
    end = pitch * (len(weights) - 1) / 2
    sides = (("left", -end), ("right", end))
    bodies = [static("beam", Shape.BOX, (end + AXLE, AXLE, AXLE), (0.0, 0.0, height))]
    bodies += [part for name, x in sides for part in bracket(name, (x, 0.0, height), behind=BEHIND, radius=AXLE)]
    for number, (weight, (angle, rate)) in enumerate(zip(weights, states, strict=True)):
        bodies += rod_with_weight(
            weight,
            pivot=(number * pitch - end, 0.0, height),
            angle=angle,
            length=length,
            rate=rate,
            parent="beam",
            own_assembly="",
            restitution=restitution,
        )
    return tuple(bodies)
