"""Things on joints and ropes as trees of rigid links: what a multibody solver works with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.simulation.scene import IDENTITY, Body, Quaternion, Scene, Shape, Vec3
from components.simulation.things.joints import Joint, JointedBody, JointKind
from components.simulation.things.rope import Rope


@dataclass(frozen=True, kw_only=True)
class Link:
    """One rigid part. thing: index into `Scene.bodies`; parent: index of a link before it, or None.

    position and orientation of its centre of mass, pivot and axis in the world at frame 0. A link with no parent is
    held by the world at its pivot, or is free.
    """

    thing: int
    parent: int | None
    free: bool
    kind: JointKind
    pivot: Vec3
    axis: Vec3
    position: Vec3
    orientation: Quaternion
    velocity: Vec3
    angular_velocity: Vec3
    mass: float
    inertia: Vec3


@dataclass(frozen=True, kw_only=True)
class Tie:
    """A ball joint that closes a loop: between a link and another one, or (None) the world."""

    link: int
    other: int | None
    pivot: Vec3


@dataclass(frozen=True, kw_only=True)
class Linkage:
    """All links of a scene, parents first, and all ties."""

    links: tuple[Link, ...]
    ties: tuple[Tie, ...]

    def of_thing(self, index: int) -> list[int]:
        """Links of the thing `index`, in order."""
        return [number for number, link in enumerate(self.links) if link.thing == index]


def linkage(scene: Scene) -> Linkage:
    """Take the jointed bodies and ropes of a scene apart.

    Raises ValueError where a parent is not in the scene, comes after its child, or is neither static nor on a joint,
    and TypeError where a thing is neither a body nor a rope.
    """
    links: list[Link] = []
    ties: list[Tie] = []
    for index, thing in enumerate(scene.bodies):
        if isinstance(thing, JointedBody):
            links.append(_jointed(thing, index, _holder(scene, links, index, thing.joint.parent, thing.joint.pivot)))
            joints: Sequence[Joint] = thing.ties
        elif isinstance(thing, Rope):
            start = len(links)
            links += _rope_links(thing, index, start, _holder(scene, links, index, thing.first, thing.points[0]))
            joints = [Joint(parent=thing.last, pivot=thing.points[-1])] if thing.last else []
        elif isinstance(thing, Body):
            continue
        else:
            raise TypeError(f"{thing.name} is a {type(thing).__name__}, expected a Body or a Rope")
        for joint in joints:
            other = _holder(scene, links, index, joint.parent, joint.pivot)
            ties.append(Tie(link=len(links) - 1, other=other, pivot=joint.pivot))
    return Linkage(links=tuple(links), ties=tuple(ties))


def _holder(scene: Scene, links: Sequence[Link], child: int, name: str, pivot: Vec3) -> int | None:
    """The link of the thing `name` that is nearest to a pivot; None for a static body, and where there is no name."""
    if not name:
        return None
    place = next((place for place, thing in enumerate(scene.bodies[:child]) if thing.name == name), None)
    if place is None:
        raise ValueError(f"{scene.bodies[child].name} hangs on {name!r}, expected the name of a thing before it")
    if not scene.bodies[place].dynamic:
        return None
    own = [number for number, link in enumerate(links) if link.thing == place]
    if not own:
        raise ValueError(
            f"{scene.bodies[child].name} hangs on {name}, expected a static body, a jointed body or a rope"
        )
    return min(own, key=lambda number: float(np.linalg.norm(np.subtract(links[number].position, pivot))))


def _jointed(body: JointedBody, index: int, parent: int | None) -> Link:
    return Link(
        thing=index,
        parent=parent,
        free=False,
        kind=body.joint.kind,
        pivot=body.joint.pivot,
        axis=body.joint.axis,
        position=body.position,
        orientation=body.orientation,
        velocity=body.velocity,
        angular_velocity=body.angular_velocity,
        mass=body.mass,
        inertia=inertia(body),
    )


def _rope_links(rope: Rope, index: int, start: int, parent: int | None) -> list[Link]:
    """Rods, but with the inertia of one about its own axis too: of next to none, explicit integration makes a spin."""
    mass = rope.mass / len(rope.middles)
    moment = mass * (rope.link**2 / 12 + rope.radius**2 / 4)
    return [
        Link(
            thing=index,
            parent=parent if number == 0 else start + number - 1,
            free=number == 0 and not rope.first,
            kind=JointKind.BALL,
            pivot=rope.points[number],
            axis=(0.0, 1.0, 0.0),
            position=(float(x), float(y), float(z)),
            orientation=IDENTITY,
            velocity=rope.velocity,
            angular_velocity=rope.angular_velocity,
            mass=mass,
            inertia=(moment, moment, moment),
        )
        for number, (x, y, z) in enumerate(rope.middles)
    ]


def thing_of(scene: Scene, link: Link) -> JointedBody | Rope:
    """What a link is part of."""
    thing = scene.bodies[link.thing]
    if not isinstance(thing, JointedBody | Rope):
        raise TypeError(f"{thing.name} is a {type(thing).__name__}, expected a JointedBody or a Rope")
    return thing


def inertia(body: Body) -> Vec3:
    """Principal moments of inertia of a solid primitive about its own axes, in kg m^2."""
    if body.shape is Shape.SPHERE:
        moment = 2 / 5 * body.mass * body.size[0] ** 2
        return (moment, moment, moment)
    if body.shape is Shape.CYLINDER:
        across = body.mass * (body.size[0] ** 2 / 4 + body.size[1] ** 2 / 12)
        return (across, across, body.mass * body.size[0] ** 2 / 2)
    x, y, z = (extent**2 for extent in body.size)
    return (body.mass * (y + z) / 3, body.mass * (x + z) / 3, body.mass * (x + y) / 3)
