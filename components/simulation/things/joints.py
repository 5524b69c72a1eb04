"""Rigid bodies that hang on other things."""

from dataclasses import dataclass
from enum import StrEnum

from components.simulation.scene import Body, Vec3


class JointKind(StrEnum):
    """hinge: turns about an axis; ball: turns about a point; fixed: does not turn."""

    HINGE = "hinge"
    BALL = "ball"
    FIXED = "fixed"


@dataclass(frozen=True, kw_only=True)
class Joint:
    """A frictionless joint. parent: the name of what it hangs on; pivot in metres and axis in the world at frame 0.

    The parent is a static body, another jointed body or a rope, and comes before its child in the scene.
    Bullet lets a fixed body push free bodies but not other jointed ones: what collides with those has the hinge itself.
    """

    parent: str
    pivot: Vec3
    kind: JointKind = JointKind.HINGE
    axis: Vec3 = (0.0, 1.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class JointedBody(Body):
    """A body on a joint. `velocity` and `angular_velocity` at frame 0 are such as the joint allows.

    `ties` are further joints, always balls, that close loops.
    """

    joint: Joint
    ties: tuple[Joint, ...] = ()


def jointed(body: Body, joint: Joint) -> JointedBody:
    """The same body on a joint."""
    return JointedBody(**vars(body), joint=joint)
