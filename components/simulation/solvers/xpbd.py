"""Membranes - cloth and inflatables - by extended position-based dynamics in small steps, in Warp.

XPBD (Macklin, Mueller, Chentanez 2016) with one pass over the constraints in each of many small steps (Macklin et al.
2019, Small steps in physics simulation). Constraints are graph-coloured and every sum has an order: the same scene has
the same bytes on every run on one type of machine; on a CPU Warp runs serially, whatever its number of cores.

Velocities are those between two positions. Starting half a step's kick short of the initial velocity makes free fall
exact, and the velocity at a step is the mean of the one before and the one after.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import warp as wp
from numpy.typing import NDArray

from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.scene import Body, FloatArray, Motion, Scene
from components.simulation.solvers import kernels_xpbd as kernels
from components.simulation.solvers import kernels_xpbd_contacts as contacts
from components.simulation.solvers import kernels_xpbd_gas as gas
from components.simulation.solvers.bullet_world import check_frame_rate
from components.simulation.solvers.surfaces import Surface, assemble, body_surface, static_surface
from components.simulation.solvers.xpbd_model import Model, build
from components.simulation.things.membrane import Membrane

KERNELS = (kernels, contacts, gas)
STEPS_PER_SECOND = 1920
STRETCH_DAMPING = 5e-3  # seconds, of the dashpot beside each spring over its stiffness: as in rubber at some Hz
BEND_DAMPING = 2e-2  # seconds: folds do not ring


@dataclass(frozen=True, kw_only=True, eq=False)
class _States:
    """points and velocities (T,V,3) of all vertices; ball (T,13): pose and velocities of the dynamic ball."""

    points: FloatArray
    velocities: FloatArray
    ball: FloatArray


def simulate(scene: Scene, device: str = DEFAULT_DEVICE) -> Motion:
    """Solve a scene of membranes, static bodies and one dynamic ball at most.

    Raises ValueError where the frame rate does not divide the steps per second, or another body is dynamic.
    """
    check_frame_rate(scene, STEPS_PER_SECOND)
    prepare(device)
    membranes = [thing for thing in scene.bodies if isinstance(thing, Membrane)]
    bodies = [thing for thing in scene.bodies if isinstance(thing, Body)]
    kick = np.array(scene.gravity) / STEPS_PER_SECOND / 2
    model = build(membranes, bodies, -kick, device)
    states = _advance(scene, model, device)
    return _motion(scene, membranes, model, states)


def _advance(scene: Scene, model: Model, device: str) -> _States:
    step = _step(scene, model, device)
    particles, bodies, ball = model.particles, model.bodies, model.moving
    points = np.empty((scene.frames, model.vertices, 3))
    velocities, balls = np.empty_like(points), np.zeros((scene.frames, 13))
    for frame in range(scene.frames):
        points[frame] = particles.x.numpy()
        before, ball_before = particles.v.numpy().copy(), bodies.v.numpy().copy()
        if ball >= 0:
            balls[frame, :7] = [*bodies.x.numpy()[ball], *bodies.q.numpy()[ball]]
            balls[frame, 10:] = bodies.w.numpy()[ball]
        for number in range(STEPS_PER_SECOND // scene.fps):
            for launch in step:
                launch.launch()
            if number == 0:
                velocities[frame] = (before + particles.v.numpy()) / 2
            if number == 0 and ball >= 0:
                balls[frame, 7:10] = (ball_before[ball] + bodies.v.numpy()[ball]) / 2
    return _States(points=points, velocities=velocities, ball=balls)


def _step(scene: Scene, model: Model, device: str) -> Sequence[wp.Launch]:
    """The launches of one step; recorded, because starting them anew costs more than running them."""
    launches = []
    h, gravity = 1.0 / STEPS_PER_SECOND, wp.vec3d(*scene.gravity)
    particles, bodies = model.particles, model.bodies
    clock = wp.zeros(1, dtype=wp.float64, device=device)
    force = wp.zeros(model.faces, dtype=wp.vec3d, device=device)
    gradient = wp.zeros(model.vertices, dtype=wp.vec3d, device=device)
    change = wp.zeros(max(model.gas_count, 1), dtype=wp.float64, device=device)
    impulse = wp.zeros(model.vertices, dtype=wp.vec3d, device=device)

    def add(kernel: wp.Kernel, dim: int, *inputs: object) -> None:
        launches.append(wp.launch(kernel, dim=dim, inputs=list(inputs), device=device, record_cmd=True))

    add(contacts.advance_bodies, 1, bodies, model.moving, clock, gravity, h)
    if model.windy:
        add(kernels.blow, model.faces, particles, model.mesh, model.winds, clock, force)
    add(kernels.predict, model.vertices, particles, model.mesh, force, gravity, h)
    for start, count in model.spring_spans:
        add(kernels.stretch, count, particles, model.springs, start, h)
    for start, count in model.hinge_spans:
        add(kernels.bend, count, particles, model.hinges, start, BEND_DAMPING, h)
    if model.gas_count:
        add(gas.measure, model.vertices, particles, model.mesh, gradient)
        add(gas.compress, model.gas_count, particles, model.gases, gradient, clock, h, change)
        add(gas.inflate, model.vertices, particles, model.gas_of, gradient, change)
    add(contacts.collide, model.vertices, particles, bodies, model.moving, h, impulse)
    if model.moving >= 0:
        add(contacts.push_back, 1, particles, bodies, model.moving, impulse)
    add(kernels.conclude, model.vertices, particles, h)
    for start, count in model.spring_spans:
        add(kernels.damp, count, particles, model.springs, start, STRETCH_DAMPING, h)
    return launches


def _motion(scene: Scene, membranes: Sequence[Membrane], model: Model, states: _States) -> Motion:
    surfaces, columns = [], []
    slices = dict(zip(map(id, membranes), zip(model.starts[:-1], model.starts[1:], strict=True), strict=True))
    for thing in scene.bodies:
        if isinstance(thing, Membrane):
            start, end = slices[id(thing)]
            surfaces.append(_membrane_surface(thing, states.points[:, start:end]))
            columns.append(_centre(thing, states.points[:, start:end], states.velocities[:, start:end]))
        elif isinstance(thing, Body) and thing.dynamic:
            surfaces.append(body_surface(thing, states.ball[:, :7]))
            columns.append(states.ball)
        elif isinstance(thing, Body):
            surfaces.append(static_surface(thing, scene.frames))
    return assemble(surfaces, np.stack(columns, axis=1))


def _centre(membrane: Membrane, points: FloatArray, velocities: FloatArray) -> FloatArray:
    """Centre of mass, no turn, its velocity, no turning: (T,13)."""
    share = membrane.masses / membrane.mass
    states = np.zeros((len(points), 13))
    states[:, :3], states[:, 6], states[:, 7:10] = share @ points, 1.0, share @ velocities
    return states


def _membrane_surface(membrane: Membrane, points: FloatArray) -> Surface:
    return Surface(
        vertices=points,
        normals=vertex_normals(points, membrane.faces),
        reference=membrane.rest,
        faces=membrane.faces,
    )


def vertex_normals(points: FloatArray, faces: NDArray[np.int32]) -> FloatArray:
    """Unit normals (T,V,3), those of the faces around a vertex weighted by area."""
    a, b, c = (points[:, faces[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    ones, rows = np.ones(faces.size), faces.ravel()
    gather = scipy.sparse.csr_matrix((ones, (rows, np.arange(faces.size) // 3)), shape=(points.shape[1], len(faces)))
    total = np.stack([gather @ frame for frame in across])
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-12), np.float64)
