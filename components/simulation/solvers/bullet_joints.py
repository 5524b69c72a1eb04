"""Bodies on joints and ropes by Bullet's multibodies (Featherstone's algorithm), among free bodies.

Joints of a tree hold exactly: its coordinates are their angles. Bullet integrates by semi-implicit Euler; its
velocities are those of half a step earlier, and it is started half a step's kick short of the initial ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.simulation.quiet import hushed
from components.simulation.scene import Body, FloatArray, Motion, Scene
from components.simulation.solvers.bullet_multibody import Handle, add_ties, add_trees, part
from components.simulation.solvers.bullet_world import add_body, bullet_client, check_frame_rate, half_kick
from components.simulation.solvers.linkage import Link, Linkage, linkage
from components.simulation.solvers.rope_surface import rope_surface
from components.simulation.solvers.surfaces import Surface, assemble, body_surface, static_surface
from components.simulation.things.joints import JointedBody, JointKind
from components.simulation.things.rope import Rope

with hushed():  # it names its build
    import pybullet

STEPS_PER_SECOND = 3840  # a heavy ball on a light rope: the rope's own waves have some 800 radians per second
CONTACT_ITERATIONS, TIE_ITERATIONS = 50, 200  # of the solver without ties and with them
TIE_ERP = 0.3  # share of a tie's gap that is closed in a step; contacts keep their own


@dataclass(frozen=True, kw_only=True, eq=False)
class _World:
    """A scene in Bullet: the handle of every link, and of every free or static body by its index."""

    scene: Scene
    chain: Linkage
    client: int
    links: list[Handle]
    bodies: dict[int, int]


def simulate(scene: Scene) -> Motion:
    """Solve a scene of bodies, jointed bodies and ropes: same scene, same bytes on one type of machine.

    Raises ValueError where the frame rate does not divide the steps per second, and where a joint's parent is wrong.
    """
    check_frame_rate(scene, STEPS_PER_SECOND)
    chain = linkage(scene)
    with bullet_client(scene, STEPS_PER_SECOND) as client:
        pybullet.setPhysicsEngineParameter(
            numSolverIterations=TIE_ITERATIONS if chain.ties else CONTACT_ITERATIONS,
            erp=TIE_ERP,
            physicsClientId=client,
        )
        bodies = {
            index: add_body(thing, scene, STEPS_PER_SECOND, client)
            for index, thing in enumerate(scene.bodies)
            if isinstance(thing, Body) and not isinstance(thing, JointedBody)
        }
        world = _World(scene=scene, chain=chain, client=client, links=add_trees(scene, chain, client), bodies=bodies)
        add_ties(chain, world.links, client)
        parts = [(link.thing, handle) for link, handle in zip(chain.links, world.links, strict=True)]
        part(scene, [*parts, *((index, (handle, -1)) for index, handle in bodies.items())], client)
        _start(world)
        states = _advance(world)
    return _motion(world, states)


def _start(world: _World) -> None:
    """Set initial velocities half a kick short: a trial step shows the kick of every joint."""
    wanted = [_joint_velocity(world.chain, link) for link in world.chain.links]
    _reset(world, wanted)
    pybullet.stepSimulation(physicsClientId=world.client)
    kicked = [
        _velocity_of(link, handle, world.client) for link, handle in zip(world.chain.links, world.links, strict=True)
    ]
    _reset(world, [first - (after - first) / 2 for first, after in zip(wanted, kicked, strict=True)])


def _joint_velocity(chain: Linkage, link: Link) -> FloatArray:
    """How a joint moves at frame 0: (1,) radians per second about its axis, (3,) as a vector, of a free link (6,)."""
    if link.free:
        return np.array([*link.velocity, *link.angular_velocity])
    held = np.zeros(3) if link.parent is None else np.array(chain.links[link.parent].angular_velocity)
    turning = np.array(link.angular_velocity) - held
    if link.kind is JointKind.HINGE:
        return np.array([turning @ np.array(link.axis)])
    return turning if link.kind is JointKind.BALL else np.zeros(0)


def _velocity_of(link: Link, handle: Handle, client: int) -> FloatArray:
    if link.free:
        return np.concatenate(pybullet.getBaseVelocity(handle[0], physicsClientId=client))
    if link.kind is JointKind.FIXED:
        return np.zeros(0)
    return np.array(pybullet.getJointStateMultiDof(*handle, physicsClientId=client)[1])


def _reset(world: _World, velocities: Sequence[FloatArray]) -> None:
    """Everything as at frame 0, joints with these velocities."""
    client = world.client
    for link, handle, velocity in zip(world.chain.links, world.links, velocities, strict=True):
        if link.free:
            pybullet.resetBasePositionAndOrientation(handle[0], link.position, link.orientation, physicsClientId=client)
            pybullet.resetBaseVelocity(handle[0], velocity[:3].tolist(), velocity[3:].tolist(), physicsClientId=client)
        elif link.kind is not JointKind.FIXED:
            angle = [0.0] if link.kind is JointKind.HINGE else [0.0, 0.0, 0.0, 1.0]
            pybullet.resetJointStateMultiDof(*handle, angle, velocity.tolist(), physicsClientId=client)
    kick = half_kick(world.scene, STEPS_PER_SECOND)
    for index, body in world.bodies.items():
        thing = world.scene.bodies[index]
        if thing.dynamic:
            pybullet.resetBasePositionAndOrientation(body, thing.position, thing.orientation, physicsClientId=client)
            slower = (np.array(thing.velocity) - kick).tolist()
            pybullet.resetBaseVelocity(body, slower, thing.angular_velocity, physicsClientId=client)


def _advance(world: _World) -> FloatArray:
    """States (T,M,13) at the frames, of all links and then of the dynamic ones of the other bodies."""
    handles = [*world.links, *((body, -1) for index, body in world.bodies.items() if world.scene.bodies[index].dynamic)]
    states = np.empty((world.scene.frames, len(handles), 13))
    for frame in range(world.scene.frames):
        for _ in range(STEPS_PER_SECOND // world.scene.fps if frame else 0):
            pybullet.stepSimulation(physicsClientId=world.client)
        states[frame] = [_state(handle, world.client) for handle in handles]
    return states


def _state(handle: Handle, client: int) -> tuple[float, ...]:
    """Position, quaternion xyzw, linear and angular velocity of a centre of mass."""
    body, link = handle
    if link < 0:
        position, orientation = pybullet.getBasePositionAndOrientation(body, physicsClientId=client)
        linear, angular = pybullet.getBaseVelocity(body, physicsClientId=client)
    else:
        position, orientation, _, _, _, _, linear, angular = pybullet.getLinkState(
            body, link, computeLinkVelocity=1, computeForwardKinematics=1, physicsClientId=client
        )
    return (*position, *orientation, *linear, *angular)


def _motion(world: _World, states: FloatArray) -> Motion:
    """Surfaces and states of the things from the states (T,M,13) of their parts."""
    free = [index for index in world.bodies if world.scene.bodies[index].dynamic]
    surfaces: list[Surface] = []
    columns: list[FloatArray] = []
    for index, thing in enumerate(world.scene.bodies):
        own = world.chain.of_thing(index)
        if isinstance(thing, Rope):
            surface, column = rope_surface(thing, states[:, own])
            column[0, 7:10] = thing.velocity
            surfaces.append(surface)
            columns.append(column)
        elif isinstance(thing, Body) and thing.dynamic:
            column = states[:, own[0] if own else len(world.links) + free.index(index)].copy()
            column[0, 7:] = (*thing.velocity, *thing.angular_velocity)
            surfaces.append(body_surface(thing, column[:, :7]))
            columns.append(column)
        elif isinstance(thing, Body):
            surfaces.append(static_surface(thing, world.scene.frames))
    return assemble(surfaces, np.stack(columns, axis=1))
