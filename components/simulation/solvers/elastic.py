"""Soft solids: finite elements of a neo-Hookean material in small explicit steps, in Warp.

Linear tetrahedra with the pressure averaged at vertices, lumped masses, semi-implicit Euler: momentum is kept, and
nothing but the material's own viscosity and its contacts takes energy. Where it meets a body, a vertex does not bounce.
Starting half a step's kick short of the initial velocity makes free fall exact. Sums have an order: the same scene has
the same bytes on every run on one type of machine; on a CPU Warp runs serially, whatever its number of cores.

PyBullet's soft bodies were tried first (3.2.7, 960 steps a second): the same bytes, too, but volumes of .86 to .98
after a fall of .6 m, a column's sag 12 to 24 % off, and a rebound that its implicit steps swallow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import warp as wp

from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.scene import Body, FloatArray, Motion, Scene
from components.simulation.solvers import kernels_soft as kernels
from components.simulation.solvers import kernels_xpbd as particles
from components.simulation.solvers import kernels_xpbd_contacts as contacts
from components.simulation.solvers.bullet_world import check_frame_rate
from components.simulation.solvers.soft_model import SoftModel, build
from components.simulation.solvers.surfaces import Surface, assemble, body_surface, static_surface
from components.simulation.solvers.xpbd import vertex_normals
from components.simulation.things.soft import SoftBody

KERNELS = (kernels, particles, contacts)
STEPS_PER_SECOND = 3840  # pressure waves in near incompressible gels go 70 m/s


@dataclass(frozen=True, kw_only=True, eq=False)
class _States:
    """points and velocities (T,V,3) of all vertices; body (T,13): pose and velocities of the dynamic body."""

    points: FloatArray
    velocities: FloatArray
    body: FloatArray


def simulate(scene: Scene, device: str = DEFAULT_DEVICE) -> Motion:
    """Solve a scene of soft bodies, which do not meet each other, static bodies and one ball or guided body at most.

    Raises ValueError where the frame rate does not divide the steps per second, another body is dynamic, or a material
    is stiffer than the steps resolve.
    """
    check_frame_rate(scene, STEPS_PER_SECOND)
    prepare(device)
    soft = [thing for thing in scene.bodies if isinstance(thing, SoftBody)]
    bodies = [thing for thing in scene.bodies if isinstance(thing, Body)]
    kick = np.array(scene.gravity) / STEPS_PER_SECOND / 2
    model = build(soft, bodies, -kick, 1 / STEPS_PER_SECOND, device)
    return _motion(scene, soft, model, _advance(scene, model, device))


def _advance(scene: Scene, model: SoftModel, device: str) -> _States:
    step = _step(scene, model, device)
    matter, bodies, moving = model.particles, model.bodies, model.moving
    points = np.empty((scene.frames, model.vertices, 3))
    velocities, states = np.empty_like(points), np.zeros((scene.frames, 13))
    for frame in range(scene.frames):
        points[frame] = matter.x.numpy()
        before, body_before = matter.v.numpy().copy(), bodies.v.numpy().copy()
        if moving >= 0:
            states[frame, :7] = [*bodies.x.numpy()[moving], *bodies.q.numpy()[moving]]
            states[frame, 10:] = bodies.w.numpy()[moving]
        for number in range(STEPS_PER_SECOND // scene.fps):
            for launch in step:
                launch.launch()
            if number == 0:
                velocities[frame] = (before + matter.v.numpy()) / 2
                states[frame, 7:10] = (body_before[moving] + bodies.v.numpy()[moving]) / 2 if moving >= 0 else 0.0
    return _States(points=points, velocities=velocities, body=states)


def _step(scene: Scene, model: SoftModel, device: str) -> Sequence[wp.Launch]:
    """The launches of one step; recorded, because starting them anew costs more than running them."""
    launches = []
    h, gravity = 1.0 / STEPS_PER_SECOND, wp.vec3d(*scene.gravity)
    matter, cells, bodies, moving = model.particles, model.cells, model.bodies, model.moving
    clock = wp.zeros(1, dtype=wp.float64, device=device)
    impulse = wp.zeros(model.vertices, dtype=wp.vec3d, device=device)

    def add(kernel: wp.Kernel, dim: int, *inputs: object) -> None:
        launches.append(wp.launch(kernel, dim=dim, inputs=list(inputs), device=device, record_cmd=True))

    if model.guided:
        add(kernels.advance_guided, 1, bodies, moving, gravity, h)
    elif moving >= 0:
        add(contacts.advance_bodies, 1, bodies, moving, clock, gravity, h)
    add(kernels.deform, model.count, matter, cells)
    add(kernels.press, model.vertices, cells)
    add(kernels.stress, model.count, matter, cells)
    add(kernels.move, model.vertices, matter, cells, gravity, h)
    add(contacts.collide, model.vertices, matter, bodies, moving, h, impulse)
    if model.guided:
        add(kernels.push_guided, 1, bodies, moving, impulse)
    elif moving >= 0:
        add(contacts.push_back, 1, matter, bodies, moving, impulse)
    add(particles.conclude, model.vertices, matter, h)
    return launches


def _motion(scene: Scene, soft: Sequence[SoftBody], model: SoftModel, states: _States) -> Motion:
    surfaces, columns = [], []
    slices = dict(zip(map(id, soft), zip(model.starts[:-1], model.starts[1:], strict=True), strict=True))
    for thing in scene.bodies:
        if isinstance(thing, SoftBody):
            start, end = slices[id(thing)]
            surfaces.append(_surface(thing, states.points[:, start:end]))
            columns.append(_centre(thing, states.points[:, start:end], states.velocities[:, start:end]))
        elif isinstance(thing, Body) and thing.dynamic:
            surfaces.append(body_surface(thing, states.body[:, :7]))
            columns.append(states.body)
        elif isinstance(thing, Body):
            surfaces.append(static_surface(thing, scene.frames))
    return assemble(surfaces, np.stack(columns, axis=1))


def _centre(one: SoftBody, points: FloatArray, velocities: FloatArray) -> FloatArray:
    """Centre of mass, no turn, its velocity, no turning: (T,13)."""
    share = one.masses / one.mass
    states = np.zeros((len(points), 13))
    states[:, :3], states[:, 6], states[:, 7:10] = share @ points, 1.0, share @ velocities
    return states


def _surface(one: SoftBody, points: FloatArray) -> Surface:
    """Vertices of every side apart, so that edges between sides stay sharp."""
    sides = np.repeat(one.solid.sides, 3)
    corners = np.stack([one.solid.faces.ravel(), sides], axis=1)
    drawn, numbers = np.unique(corners, axis=0, return_inverse=True)
    faces = np.asarray(numbers, np.int32).reshape(-1, 3)
    shown = points[:, drawn[:, 0]]
    return Surface(
        vertices=shown,
        normals=vertex_normals(shown, faces),
        reference=one.solid.vertices[drawn[:, 0]],
        faces=faces,
    )
