"""Trees of links as Bullet's multibodies, the ties between them, and which of them do not collide."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.spatial.transform import Rotation

from components.simulation.quiet import hushed
from components.simulation.rotations import quaternion
from components.simulation.scene import IDENTITY, Body, FloatArray, Quaternion, Scene, Shape, Thing, Vec3
from components.simulation.solvers.bullet_world import COLLISION_MARGIN, collision_shape
from components.simulation.solvers.linkage import Link, Linkage, thing_of
from components.simulation.things.joints import JointedBody, JointKind
from components.simulation.things.rope import Rope

with hushed():  # it names its build
    import pybullet

Handle = tuple[int, int]  # a multibody and one of its links; -1 is its base
HERE: Vec3 = (0.0, 0.0, 0.0)
MOST_FORCE = 1e6  # newtons that a tie holds: none breaks
FASTEST_JOINT = 1e4  # radians per second: Bullet's own limit is 100, and it cuts off without a word
KINDS = {
    JointKind.HINGE: pybullet.JOINT_REVOLUTE,
    JointKind.BALL: pybullet.JOINT_SPHERICAL,
    JointKind.FIXED: pybullet.JOINT_FIXED,
}


def add_trees(scene: Scene, chain: Linkage, client: int) -> list[Handle]:
    """Add every tree of links as a multibody; the handle of each link."""
    handles: dict[int, Handle] = {}
    for root, link in enumerate(chain.links):
        if link.parent is None:
            tree = _descendants(chain, root)
            body = _add_tree(scene, [chain.links[number] for number in tree], [*tree], client)
            places = range(-1 if link.free else 0, len(tree))
            handles.update({number: (body, place) for number, place in zip(tree, places, strict=False)})
    for number, handle in handles.items():
        _prepare(thing_of(scene, chain.links[number]), chain.links[number], handle, client)
    return [handles[number] for number in range(len(chain.links))]


def _descendants(chain: Linkage, root: int) -> list[int]:
    tree = [root]
    for number, link in enumerate(chain.links):
        if link.parent in tree:
            tree.append(number)
    return tree


def _add_tree(scene: Scene, links: Sequence[Link], numbers: Sequence[int], client: int) -> int:
    """One multibody, all frames of which lie along the world's axes at frame 0.

    A link's frame is at its pivot; that of a free base at its centre of mass; that of a base which holds is the pivot.
    """
    root = links[0]
    base = root.position if root.free else root.pivot
    hanging = links[1:] if root.free else links
    places = {number: place for place, number in enumerate(numbers, start=0 if root.free else 1)}
    frames = {None: base, numbers[0]: base} | {
        number: link.pivot for number, link in zip(numbers, links, strict=True) if link is not root
    }
    handle = pybullet.createMultiBody(
        baseMass=root.mass if root.free else 0.0,
        baseCollisionShapeIndex=_shape(thing_of(scene, root), root, HERE, client) if root.free else -1,
        basePosition=base,
        linkMasses=[link.mass for link in hanging],
        linkCollisionShapeIndices=[
            _shape(thing_of(scene, link), link, _less(link.position, link.pivot), client) for link in hanging
        ],
        linkVisualShapeIndices=[-1] * len(hanging),
        linkPositions=[_less(link.pivot, frames[link.parent]) for link in hanging],
        linkOrientations=[IDENTITY] * len(hanging),
        linkInertialFramePositions=[_less(link.position, link.pivot) for link in hanging],
        linkInertialFrameOrientations=[link.orientation for link in hanging],
        linkParentIndices=[0 if link.parent is None else places[link.parent] for link in hanging],
        linkJointTypes=[KINDS[link.kind] for link in hanging],
        linkJointAxis=[link.axis for link in hanging],
        physicsClientId=client,
    )
    return int(handle)


def _less(end: Vec3, start: Vec3) -> Vec3:
    return (end[0] - start[0], end[1] - start[1], end[2] - start[2])


def _shape(thing: JointedBody | Rope, link: Link, centre: Vec3, client: int) -> int:
    """The collision shape of a link whose centre of mass is at `centre` in its frame."""
    if isinstance(thing, Body):
        return collision_shape(thing, client, collisionFramePosition=centre, collisionFrameOrientation=link.orientation)
    number = int(np.argmin(np.linalg.norm(thing.middles - link.position, axis=1)))
    return int(
        pybullet.createCollisionShape(
            pybullet.GEOM_CAPSULE,
            radius=thing.radius,
            height=thing.link,
            collisionFramePosition=centre,
            collisionFrameOrientation=_upright_to(np.subtract(thing.points[number + 1], thing.points[number])),
            physicsClientId=client,
        )
    )


def _upright_to(way: FloatArray) -> Quaternion:
    """A rotation that turns z into a direction."""
    return quaternion(Rotation.align_vectors(way[None] / np.linalg.norm(way), [[0.0, 0.0, 1.0]])[0])


def _prepare(thing: JointedBody | Rope, link: Link, handle: Handle, client: int) -> None:
    """A link with the exact inertia, no damping and no motor: PyBullet gives every joint one that brakes it."""
    if isinstance(thing, Rope) or thing.shape is not Shape.SPHERE:  # a sphere's margin is its radius
        pybullet.changeDynamics(*handle, collisionMargin=COLLISION_MARGIN, physicsClientId=client)
    pybullet.changeDynamics(  # a call of its own: beside a margin, a link's friction and restitution are dropped
        *handle,
        restitution=thing.restitution,
        lateralFriction=thing.friction,
        rollingFriction=thing.rolling_friction,
        linearDamping=0,
        angularDamping=0,
        contactProcessingThreshold=0,
        physicsClientId=client,
    )
    pybullet.changeDynamics(
        *handle,
        localInertiaDiagonal=link.inertia,
        jointDamping=0,
        maxJointVelocity=FASTEST_JOINT,
        physicsClientId=client,
    )
    if link.free or link.kind is JointKind.FIXED:
        return
    if link.kind is JointKind.HINGE:
        pybullet.setJointMotorControl2(*handle, pybullet.VELOCITY_CONTROL, force=0, physicsClientId=client)
    else:
        pybullet.setJointMotorControlMultiDof(
            *handle,
            pybullet.POSITION_CONTROL,
            targetPosition=IDENTITY,
            positionGain=0,
            velocityGain=0,
            force=HERE,
            physicsClientId=client,
        )


def add_ties(chain: Linkage, handles: Sequence[Handle], client: int) -> None:
    """Ball joints that close loops."""
    for tie in chain.ties:
        link = chain.links[tie.link]
        other = None if tie.other is None else chain.links[tie.other]
        constraint = pybullet.createConstraint(
            *handles[tie.link],
            *((-1, -1) if tie.other is None else handles[tie.other]),
            pybullet.JOINT_POINT2POINT,
            HERE,
            _own(link, tie.pivot),
            tie.pivot if other is None else _own(other, tie.pivot),
            physicsClientId=client,
        )
        pybullet.changeConstraint(constraint, maxForce=MOST_FORCE, physicsClientId=client)


def _own(link: Link, place: Vec3) -> list[float]:
    """A place in the coordinates of a link's centre of mass and principal axes."""
    offset: list[float] = Rotation.from_quat(link.orientation).inv().apply(_less(place, link.position)).tolist()
    return offset


def part(scene: Scene, handles: Sequence[tuple[int, Handle]], client: int) -> None:
    """Let no two things collide that are joined or share an assembly; `handles`: of every part, with its thing."""
    for (first, one), (second, two) in combinations(handles, 2):
        if one[0] != two[0] and joined(scene.bodies[first], scene.bodies[second]):
            pybullet.setCollisionFilterPair(one[0], two[0], one[1], two[1], 0, physicsClientId=client)


def joined(one: Thing, two: Thing) -> bool:
    """Whether two things hang on each other or belong to one assembly."""
    if one.assembly and one.assembly == two.assembly:
        return True
    return two.name in _holders(one) or one.name in _holders(two)


def _holders(thing: Thing) -> set[str]:
    if isinstance(thing, JointedBody):
        return {thing.joint.parent, *(tie.parent for tie in thing.ties)}
    return {thing.first, thing.last} - {""} if isinstance(thing, Rope) else set()
