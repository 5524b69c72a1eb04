"""Rigid bodies by Bullet (PyBullet 3.2.7), with the settings under which it is accurate.

Bullet integrates by semi-implicit Euler. Starting half a step's kick short of the initial velocity makes it leapfrog:
free fall is then exact at every step, and a free body's velocity at a step is Bullet's plus half a kick.
"""

from collections.abc import Sequence

import numpy as np

from components.simulation.quiet import hushed
from components.simulation.scene import FloatArray, Motion, Scene, rigid_bodies
from components.simulation.solvers.bullet_world import add_body, bullet_client, check_frame_rate, half_kick
from components.simulation.solvers.surfaces import assemble, body_surface, static_surface

with hushed():  # it names its build
    import pybullet

STEPS_PER_SECOND = 960


def simulate(scene: Scene) -> Motion:
    """Solve the scene in a client of its own, so that no clip depends on an earlier one.

    Raises ValueError where the frame rate does not divide the steps per second.
    """
    check_frame_rate(scene, STEPS_PER_SECOND)
    bodies = rigid_bodies(scene)
    dynamic = [index for index, body in enumerate(bodies) if body.dynamic]
    with bullet_client(scene, STEPS_PER_SECOND) as client:
        handles = [add_body(body, scene, STEPS_PER_SECOND, client) for body in bodies]
        states = _advance(scene, client, [handles[index] for index in dynamic])
    states[0, :, 7:] = [(*scene.bodies[index].velocity, *scene.bodies[index].angular_velocity) for index in dynamic]
    columns = {index: column for column, index in enumerate(dynamic)}
    surfaces = [
        body_surface(body, states[:, columns[index], :7]) if body.dynamic else static_surface(body, scene.frames)
        for index, body in enumerate(bodies)
    ]
    return assemble(surfaces, states)


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
            kick = half_kick(scene, STEPS_PER_SECOND) if free else np.zeros(3)
            states[frame, column] = (*position, *orientation, *(np.array(linear) + kick), *angular)
    return states
