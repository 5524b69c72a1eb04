"""Rigid bodies by Bullet (PyBullet 3.2.7), with the settings under which it is accurate.

Bullet integrates by semi-implicit Euler. Starting half a step's kick short of the initial velocity makes it leapfrog:
free fall is then exact at every step, and a free body's velocity at a step is Bullet's plus half a kick.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from components.simulation.meshes import shape_mesh
from components.simulation.quiet import hushed
from components.simulation.rotations import matrices
from components.simulation.scene import Body, FloatArray, Motion, Scene, Shape, rigid_bodies

with hushed():  # it names its build
    import pybullet

STEPS_PER_SECOND = 960
ERP = 0.003  # share of a penetration that is corrected in a step; more adds energy to bounces
CONTACT_BREAKING = 1e-4  # metres
RESTITUTION_SPEED = 0.01  # m/s: slower contacts do not bounce
COLLISION_MARGIN = 1e-3  # metres by which Bullet rounds edges


def simulate(scene: Scene) -> Motion:
    """Solve the scene in a client of its own, so that no clip depends on an earlier one.

    Raises ValueError where the frame rate does not divide the steps per second.
    """
    if STEPS_PER_SECOND % scene.fps:
        raise ValueError(
            f"video.fps is {scene.fps}, expected a divisor of {STEPS_PER_SECOND} (the solver's steps per second)"
        )
    bodies = rigid_bodies(scene)
    dynamic = [index for index, body in enumerate(bodies) if body.dynamic]
    with _client(scene) as client:
        handles = [_add(body, scene, client) for body in bodies]
        states = _advance(scene, client, [handles[index] for index in dynamic])
    states[0, :, 7:] = [(*scene.bodies[index].velocity, *scene.bodies[index].angular_velocity) for index in dynamic]
    return _surfaces(scene, states)


def _half_kick(scene: Scene) -> FloatArray:
    return np.array(scene.gravity) / STEPS_PER_SECOND / 2


@contextmanager
def _client(scene: Scene) -> Iterator[int]:
    client = pybullet.connect(pybullet.DIRECT)
    try:
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=1 / STEPS_PER_SECOND,
            numSubSteps=1,
            erp=ERP,
            contactERP=ERP,
            restitutionVelocityThreshold=RESTITUTION_SPEED,
            contactBreakingThreshold=CONTACT_BREAKING,  # global to the process: set every time
            deterministicOverlappingPairs=1,
            physicsClientId=client,
        )
        pybullet.setGravity(*scene.gravity, physicsClientId=client)
        yield client
    finally:
        pybullet.disconnect(client)


def _add(body: Body, scene: Scene, client: int) -> int:
    handle = pybullet.createMultiBody(
        baseMass=body.mass,
        baseCollisionShapeIndex=_collision_shape(body, client),
        basePosition=body.position,
        baseOrientation=body.orientation,
        useMaximalCoordinates=1,
        physicsClientId=client,
    )
    pybullet.changeDynamics(
        handle,
        -1,
        restitution=body.restitution,
        lateralFriction=body.friction,
        rollingFriction=body.rolling_friction,
        linearDamping=0,
        angularDamping=0,
        contactProcessingThreshold=0,
        collisionMargin=COLLISION_MARGIN,
        physicsClientId=client,
    )
    if body.dynamic:
        pybullet.resetBaseVelocity(
            handle,
            (np.array(body.velocity) - _half_kick(scene)).tolist(),
            body.angular_velocity,
            physicsClientId=client,
        )
    return int(handle)


def _collision_shape(body: Body, client: int) -> int:
    if body.shape is Shape.SPHERE:
        shape = pybullet.createCollisionShape(pybullet.GEOM_SPHERE, radius=body.size[0], physicsClientId=client)
    elif body.shape is Shape.BOX:
        shape = pybullet.createCollisionShape(pybullet.GEOM_BOX, halfExtents=body.size, physicsClientId=client)
    else:
        shape = pybullet.createCollisionShape(
            pybullet.GEOM_CYLINDER, radius=body.size[0], height=body.size[1], physicsClientId=client
        )
    return int(shape)


def _advance(scene: Scene, client: int, dynamic: Sequence[int]) -> FloatArray:
    """States (T,N,13) at the frames: position, quaternion xyzw, linear and angular velocity."""
    states = np.empty((scene.frames, len(dynamic), 13))
    for frame in range(scene.frames):
        if frame > 0:
            for _ in range(STEPS_PER_SECOND // scene.fps):
                pybullet.stepSimulation(physicsClientId=client)
        for column, handle in enumerate(dynamic):
            position, orientation = pybullet.getBasePositionAndOrientation(handle, physicsClientId=client)
            linear, angular = pybullet.getBaseVelocity(handle, physicsClientId=client)
            free = not pybullet.getContactPoints(bodyA=handle, physicsClientId=client)
            kick = _half_kick(scene) if free else np.zeros(3)
            states[frame, column] = (*position, *orientation, *(np.array(linear) + kick), *angular)
    return states


def _surfaces(scene: Scene, states: FloatArray) -> Motion:
    """Carry the meshes of all bodies along with the states of the dynamic ones."""
    vertices, normals, reference, faces, face_body = [], [], [], [], []
    column = total = 0
    for index, body in enumerate(rigid_bodies(scene)):
        mesh = shape_mesh(body.shape, body.size)
        if body.dynamic:
            poses = states[:, column, :7]
            column += 1
        else:
            poses = np.tile((*body.position, *body.orientation), (scene.frames, 1))
        rotation = matrices(poses[:, 3:]).transpose(0, 2, 1)
        vertices.append(mesh.vertices @ rotation + poses[:, None, :3])
        normals.append(mesh.normals @ rotation)
        reference.append(mesh.vertices)
        faces.append(mesh.faces + total)
        face_body.append(np.full(len(mesh.faces), index))
        total += len(mesh.vertices)
    return Motion(
        vertices=np.concatenate(vertices, axis=1),
        normals=np.concatenate(normals, axis=1),
        reference=np.concatenate(reference),
        faces=np.concatenate(faces).astype(np.int32),
        face_body=np.concatenate(face_body).astype(np.int32),
        poses=states[:, :, :7],
        velocities=states[:, :, 7:],
    )
