"""A world of Bullet's (PyBullet 3.2.7) with the settings under which it is accurate, for every solver that uses it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from components.simulation.quiet import hushed
from components.simulation.scene import Body, FloatArray, Scene, Shape

with hushed():  # it names its build
    import pybullet

ERP = 0.003  # share of a penetration that is corrected in a step; more adds energy to bounces
CONTACT_BREAKING = 1e-4  # metres
RESTITUTION_SPEED = 0.01  # m/s: slower contacts do not bounce
COLLISION_MARGIN = 1e-3  # metres by which Bullet rounds edges


def check_frame_rate(scene: Scene, steps_per_second: int) -> None:
    """Raise ValueError where the frame rate does not divide the steps per second."""
    if steps_per_second % scene.fps:
        raise ValueError(
            f"video.fps is {scene.fps}, expected a divisor of {steps_per_second} (the solver's steps per second)"
        )


@contextmanager
def bullet_client(scene: Scene, steps_per_second: int) -> Iterator[int]:
    """A client of its own, so that no clip depends on an earlier one."""
    client = pybullet.connect(pybullet.DIRECT)
    try:
        pybullet.setPhysicsEngineParameter(
            fixedTimeStep=1 / steps_per_second,
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


def half_kick(scene: Scene, steps_per_second: int) -> FloatArray:
    """What gravity adds to a free body's velocity in half a step."""
    return np.array(scene.gravity) / steps_per_second / 2


def add_body(body: Body, scene: Scene, steps_per_second: int, client: int) -> int:
    """Add a body that is joined to nothing; a dynamic one starts half a kick short of its velocity."""
    handle = pybullet.createMultiBody(
        baseMass=body.mass,
        baseCollisionShapeIndex=collision_shape(body, client),
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
            (np.array(body.velocity) - half_kick(scene, steps_per_second)).tolist(),
            body.angular_velocity,
            physicsClientId=client,
        )
    return int(handle)


def collision_shape(body: Body, client: int, **frame: Sequence[float]) -> int:
    """The body's shape; `frame`: Bullet's collisionFramePosition and collisionFrameOrientation, if not its own."""
    if body.shape is Shape.SPHERE:
        size = {"shapeType": pybullet.GEOM_SPHERE, "radius": body.size[0]}
    elif body.shape is Shape.BOX:
        size = {"shapeType": pybullet.GEOM_BOX, "halfExtents": body.size}
    else:
        size = {"shapeType": pybullet.GEOM_CYLINDER, "radius": body.size[0], "height": body.size[1]}
    return int(pybullet.createCollisionShape(**size, **frame, physicsClientId=client))
