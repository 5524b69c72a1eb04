"""Grains by Bullet: up to 1000 equal balls as one thing, with static boxes, one tank, and rigid bodies among them."""

import numpy as np

from components.simulation.quiet import hushed
from components.simulation.scene import Body, FloatArray, Motion, Pattern, Scene, Shape, Texture, Thing
from components.simulation.solvers.bullet_world import add_body, bullet_client, check_frame_rate
from components.simulation.solvers.surfaces import Surface, assemble, body_surface, static_surface
from components.simulation.things.particles import Grains, particle_surface
from components.simulation.things.tank import Tank

with hushed():  # it names its build
    import pybullet

STEPS_PER_SECOND = 960
PANE = 0.25  # metres: half the thickness of a tank's panes, which nothing passes through
SUBDIVISIONS = 1  # of the grains' spheres: 80 faces each
_UNSEEN = Texture(pattern=Pattern.PLAIN, colour=(0.0, 0.0, 0.0), second_colour=(0.0, 0.0, 0.0))


def simulate(scene: Scene) -> Motion:
    """Solve a scene of grains. Raises ValueError for a frame rate that does not divide the steps, or unknown things."""
    check_frame_rate(scene, STEPS_PER_SECOND)
    dynamic = [thing for thing in scene.bodies if thing.dynamic]
    with bullet_client(scene, STEPS_PER_SECOND) as client:
        handles = [_add(thing, scene, client) for thing in scene.bodies]
        moving = [held for held, thing in zip(handles, scene.bodies, strict=True) if thing.dynamic]
        single = np.concatenate([np.full(len(held), number) for number, held in enumerate(moving)])
        states = _advance(scene, client, [handle for held in moving for handle in held])
    wholes = [_whole(thing, states[:, single == number]) for number, thing in enumerate(dynamic)]
    surfaces = []
    for thing in scene.bodies:
        own = states[:, single == dynamic.index(thing)] if thing.dynamic else states[:, :0]
        surfaces.append(_surface(thing, own, scene.frames))
    return assemble(surfaces, np.stack(wholes, axis=1))


def _add(thing: Thing, scene: Scene, client: int) -> list[int]:
    """Bullet's handles of a thing."""
    if isinstance(thing, Grains):
        bodies = [_grain(thing, place) for place in thing.points.tolist()]
    elif isinstance(thing, Tank):
        bodies = _panes(thing)
    elif isinstance(thing, Body):
        bodies = [thing]
    else:
        raise ValueError(f"{thing.name} is a {type(thing).__name__}, expected grains, a tank or a rigid body")
    return [add_body(body, scene, STEPS_PER_SECOND, client) for body in bodies]


def _grain(grains: Grains, place: list[float]) -> Body:
    x, y, z = place
    return Body(
        name=grains.name,
        shape=Shape.SPHERE,
        size=(grains.radius, 0.0, 0.0),
        texture=grains.texture,
        position=(x, y, z),
        velocity=grains.velocity,
        mass=grains.mass / len(grains.points),
        restitution=grains.restitution,
        friction=grains.friction,
        rolling_friction=grains.rolling_friction,
    )


def _panes(tank: Tank) -> list[Body]:
    """Four sides and the lid, thick outwards; the floor is the base."""
    panes = []
    middle, half = (tank.lower + tank.upper) / 2, np.array(tank.size) / 2
    for axis, way in ((0, -1), (0, 1), (1, -1), (1, 1), (2, 1)):
        size = half + 2 * PANE
        size[axis] = PANE
        centre = middle.copy()
        centre[axis] += way * (half[axis] + PANE)
        panes.append(
            Body(
                name=tank.name,
                shape=Shape.BOX,
                size=(float(size[0]), float(size[1]), float(size[2])),
                texture=_UNSEEN,
                position=(float(centre[0]), float(centre[1]), float(centre[2])),
                restitution=1.0,
                friction=0.2,  # of glass
            )
        )
    return panes


def _advance(scene: Scene, client: int, handles: list[int]) -> FloatArray:
    """States (T,N,13) of single bodies at the frames."""
    states = np.empty((scene.frames, len(handles), 13))
    for frame in range(scene.frames):
        for _ in range(STEPS_PER_SECOND // scene.fps if frame > 0 else 0):
            pybullet.stepSimulation(physicsClientId=client)
        for column, handle in enumerate(handles):
            position, orientation = pybullet.getBasePositionAndOrientation(handle, physicsClientId=client)
            linear, angular = pybullet.getBaseVelocity(handle, physicsClientId=client)
            states[frame, column] = (*position, *orientation, *linear, *angular)
    return states


def _whole(thing: Thing, states: FloatArray) -> FloatArray:
    """State (T,13) of a body, or of the grains' centre of mass; at frame 0 the velocity is the scene's."""
    if isinstance(thing, Grains):
        whole = np.zeros((len(states), 13))
        whole[:, :3], whole[:, 6], whole[:, 7:10] = states[..., :3].mean(axis=1), 1.0, states[..., 7:10].mean(axis=1)
    else:
        whole = states[:, 0].copy()
    whole[0, 7:] = (*thing.velocity, *thing.angular_velocity)
    return whole


def _surface(thing: Thing, states: FloatArray, frames: int) -> Surface:
    if isinstance(thing, Grains):
        return particle_surface(thing, states[..., :3], states[..., 3:7], subdivisions=SUBDIVISIONS)
    if isinstance(thing, Tank):
        return thing.surface(frames)
    if not isinstance(thing, Body):
        raise TypeError(f"{thing.name} is a {type(thing).__name__}, expected a Body")  # `_add` knows all others
    return body_surface(thing, states[:, 0, :7]) if thing.dynamic else static_surface(thing, frames)
