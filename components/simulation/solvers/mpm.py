"""Liquids by the material point method in Warp, with at most one rigid ball in them.

Weakly compressible: pressure follows from how much a particle's volume has changed (see `kernels_mpm`). A tank, where
the scene has one, bounds the liquid; static boxes are obstacles. On the CPU Warp runs the particles one after another:
same scene, same bytes. On an accelerator sums are atomic, and equal up to rounding only.
"""

from collections.abc import Sequence

import numpy as np

from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.scene import Body, FloatArray, Motion, Scene, Shape, Thing
from components.simulation.solvers import kernels_mpm, kernels_mpm_body
from components.simulation.solvers.mpm_flow import Flow
from components.simulation.solvers.surfaces import Surface, assemble, body_surface, static_surface
from components.simulation.things.particles import Liquid, Particles, particle_surface
from components.simulation.things.tank import Tank

KERNELS = (kernels_mpm, kernels_mpm_body)
OPEN = (2.4, 1.4, 0.6)  # metres to the sides of the middle and above, of a liquid without a tank
FLOOR = 10.0  # metres: a static box of this half extent is the floor, on which every scene stands
SUBDIVISIONS = 0  # of the particles' spheres, which are a pixel wide or a few


def simulate(scene: Scene, device: str = DEFAULT_DEVICE) -> Motion:
    """Solve a scene of one liquid. Raises ValueError where it holds what this solver cannot move."""
    prepare(device)
    dynamic = [thing for thing in scene.bodies if thing.dynamic]
    return trace(scene, _flow(scene, dynamic, device), dynamic)


def trace(scene: Scene, flow: Flow, dynamic: Sequence[Thing]) -> Motion:
    """What `flow` does with a scene in which `dynamic` move: particles, and at most one body."""
    (particles,) = (thing for thing in dynamic if isinstance(thing, Particles))
    column = dynamic.index(particles)
    order = [0, 1][: len(dynamic)] if column == 0 else [1, 0]
    centres = np.empty((scene.frames, len(particles.points), 3))
    states = np.empty((scene.frames, len(dynamic), 13))
    for frame in range(scene.frames):
        centres[frame], states[frame] = flow.points(), flow.states()[order]
        for step in range(flow.steps if frame < scene.frames - 1 else 1):
            flow.step()
            if step == 0:  # velocities live between the steps: a frame's is the mean of those around it
                states[frame, :, 7:] = (states[frame, :, 7:] + flow.states()[order, 7:]) / 2
    centres[0], states[0] = particles.points, [_initial(thing) for thing in dynamic]
    columns = {id(thing): number for number, thing in enumerate(dynamic)}
    surfaces = [_surface(thing, centres, states[:, columns.get(id(thing), 0), :7]) for thing in scene.bodies]
    return assemble(surfaces, states)


def _flow(scene: Scene, dynamic: list[Thing], device: str) -> Flow:
    liquids = [thing for thing in dynamic if isinstance(thing, Liquid)]
    bodies = [thing for thing in dynamic if isinstance(thing, Body)]
    tanks = [thing for thing in scene.bodies if isinstance(thing, Tank)]
    known = len(liquids) == 1 and len(bodies) <= 1 and len(tanks) <= 1 and len(liquids) + len(bodies) == len(dynamic)
    if not known:
        names = ", ".join(thing.name for thing in scene.bodies)
        raise ValueError(f"the scene holds {names}; expected one liquid, at most one moving body and one tank")
    (liquid,) = liquids
    if tanks:
        lower, upper = tanks[0].lower, tanks[0].upper
    else:
        lower = np.array([-OPEN[0], -OPEN[1], 0.0])
        upper = np.array([OPEN[0], OPEN[1], float(liquid.points[:, 2].max()) + OPEN[2]])
    return Flow(
        liquid,
        lower=lower,
        upper=upper,
        body=bodies[0] if bodies else None,
        obstacles=[thing for thing in scene.bodies if isinstance(thing, Body) and _is_obstacle(thing)],
        gravity=scene.gravity,
        fps=scene.fps,
        device=device,
    )


def _is_obstacle(body: Body) -> bool:
    return not body.dynamic and not (body.shape is Shape.BOX and body.size[0] > FLOOR)


def _initial(thing: Thing) -> FloatArray:
    return np.array([*thing.position, *thing.orientation, *thing.velocity, *thing.angular_velocity])


def _surface(thing: Thing, centres: FloatArray, poses: FloatArray) -> Surface:
    if isinstance(thing, Particles):
        return particle_surface(thing, centres, subdivisions=SUBDIVISIONS)
    if isinstance(thing, Tank):
        return thing.surface(len(centres))
    if not isinstance(thing, Body):
        raise TypeError(f"{thing.name} is a {type(thing).__name__}, expected a Body")  # `_flow` knows all others
    return body_surface(thing, poses) if thing.dynamic else static_surface(thing, len(centres))
