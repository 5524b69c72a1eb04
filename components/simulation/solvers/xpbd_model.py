"""A scene's membranes and bodies as arrays on the device, the way the kernels of XPBD want them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import warp as wp
from numpy.typing import NDArray

from components.simulation.scene import Body, FloatArray, Shape
from components.simulation.solvers.kernels_xpbd import Hinges, Mesh, Particles, Springs, Winds
from components.simulation.solvers.kernels_xpbd_contacts import BOX, CYLINDER, SPHERE, Bodies
from components.simulation.solvers.kernels_xpbd_gas import Gases
from components.simulation.solvers.xpbd_constraints import HingeRows, colours, faces_around, hinges
from components.simulation.things.membrane import Membrane

Span = tuple[int, int]  # first and count of what one launch solves
_SHAPES = {Shape.SPHERE: SPHERE, Shape.BOX: BOX, Shape.CYLINDER: CYLINDER}


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """Everything the kernels read; `starts` says where the vertices of each membrane begin."""

    particles: Particles
    mesh: Mesh
    winds: Winds
    springs: Springs
    spring_spans: Sequence[Span]
    hinges: Hinges
    hinge_spans: Sequence[Span]
    gases: Gases
    gas_of: wp.array
    gas_count: int
    windy: bool
    bodies: Bodies
    moving: int  # the dynamic ball among the bodies, or -1
    starts: NDArray[np.int64]
    vertices: int
    faces: int


def build(membranes: Sequence[Membrane], bodies: Sequence[Body], first_kick: FloatArray, device: str) -> Model:
    """Arrays of a scene; `first_kick` (3,) is added to the velocity of all that moves.

    Raises ValueError where a body is dynamic and no ball, or more than one is dynamic.
    """
    starts = np.cumsum([0] + [len(membrane.points) for membrane in membranes])
    faces = np.concatenate([one.faces + start for one, start in zip(membranes, starts, strict=False)])
    first, around = faces_around(faces, int(starts[-1]))
    mesh = Mesh()
    mesh.faces = wp.array(faces, dtype=wp.vec3i, device=device)
    mesh.first = wp.array(first, dtype=wp.int32, device=device)
    mesh.around = wp.array(around, dtype=wp.int32, device=device)
    owner = np.repeat(np.arange(len(membranes)), np.diff(starts))
    mesh.membrane = wp.array(owner.astype(np.int32), dtype=wp.int32, device=device)
    springs, spring_spans = _springs(membranes, starts, device)
    bends, hinge_spans = _hinges(membranes, starts, device)
    inflated = np.array([membrane.gas is not None for membrane in membranes])
    gas_of = np.where(inflated, np.cumsum(inflated) - 1, -1)[owner]
    return Model(
        particles=_particles(membranes, first_kick, device),
        mesh=mesh,
        winds=_winds(membranes, device),
        springs=springs,
        spring_spans=spring_spans,
        hinges=bends,
        hinge_spans=hinge_spans,
        gases=_gases(membranes, starts, device),
        gas_of=wp.array(gas_of.astype(np.int32), dtype=wp.int32, device=device),
        gas_count=int(inflated.sum()),
        windy=any(membrane.air.drag > 0.0 for membrane in membranes),
        bodies=body_arrays(bodies, first_kick, device),
        moving=_moving(bodies),
        starts=starts,
        vertices=int(starts[-1]),
        faces=len(faces),
    )


def doubles(values: object, device: str) -> wp.array:
    """Numbers (N,) on the device."""
    return wp.array(np.asarray(values, np.float64), dtype=wp.float64, device=device)


def vectors(values: object, device: str) -> wp.array:
    """Vectors (N,3) on the device."""
    return wp.array(np.asarray(values, np.float64).reshape(-1, 3), dtype=wp.vec3d, device=device)


def _particles(membranes: Sequence[Membrane], first_kick: FloatArray, device: str) -> Particles:
    points = np.concatenate([membrane.points for membrane in membranes])
    pinned = np.concatenate([membrane.pinned for membrane in membranes])
    masses = np.concatenate([membrane.masses for membrane in membranes])
    velocity = np.concatenate([np.tile(membrane.velocity, (len(membrane.points), 1)) for membrane in membranes])
    particles = Particles()
    particles.x = vectors(points, device)
    particles.before = vectors(points, device)
    particles.v = vectors(np.where(pinned[:, None], 0.0, velocity + first_kick), device)
    particles.inverse_mass = doubles(np.where(pinned, 0.0, 1 / masses), device)
    counts = [len(membrane.points) for membrane in membranes]
    particles.thickness = doubles(np.repeat([membrane.thickness for membrane in membranes], counts), device)
    particles.friction = doubles(np.repeat([membrane.friction for membrane in membranes], counts), device)
    return particles


def _winds(membranes: Sequence[Membrane], device: str) -> Winds:
    winds = Winds()
    winds.drag = doubles([membrane.air.drag for membrane in membranes], device)
    winds.wind = vectors([membrane.air.wind for membrane in membranes], device)
    winds.sway = doubles(np.radians([membrane.air.sway for membrane in membranes]), device)
    winds.period = doubles([membrane.air.period for membrane in membranes], device)
    winds.rise = doubles([membrane.air.rise for membrane in membranes], device)
    return winds


def _springs(membranes: Sequence[Membrane], starts: NDArray[np.int64], device: str) -> tuple[Springs, list[Span]]:
    ends = np.concatenate([one.springs + start for one, start in zip(membranes, starts, strict=False)])
    lengths = [np.linalg.norm(one.rest[one.springs[:, 0]] - one.rest[one.springs[:, 1]], axis=1) for one in membranes]
    stiffness = np.concatenate([one.stiffness for one in membranes])
    order, spans = _in_colours(ends, int(starts[-1]), device)
    springs = Springs()
    springs.ends = wp.array(ends[order], dtype=wp.vec2i, device=device)
    springs.rest = doubles(np.concatenate(lengths)[order], device)
    springs.compliance = doubles(1 / stiffness[order], device)
    most = np.concatenate([np.full(len(one.springs), one.most_strain) for one in membranes])
    springs.most_strain = doubles(most[order], device)
    return springs, spans


def _hinges(membranes: Sequence[Membrane], starts: NDArray[np.int64], device: str) -> tuple[Hinges, list[Span]]:
    rows: list[HingeRows] = [hinges(one.rest, one.faces) for one in membranes]
    corners = np.concatenate([row.corners + start for row, start in zip(rows, starts, strict=False)])
    compliance = [row.areas / one.bending for row, one in zip(rows, membranes, strict=True)]
    order, spans = _in_colours(corners, int(starts[-1]), device)
    bends = Hinges()
    bends.corners = wp.array(corners[order], dtype=wp.vec4i, device=device)
    bends.weights = wp.array(np.concatenate([row.weights for row in rows])[order], dtype=wp.vec4d, device=device)
    bends.rest = doubles(np.concatenate([row.rest for row in rows])[order], device)
    bends.compliance = doubles(np.concatenate(compliance)[order], device)
    return bends, spans


def _in_colours(constraints: NDArray[np.int32], vertices: int, device: str) -> tuple[NDArray[np.intp], list[Span]]:
    """The order by colour, and what a launch solves: one colour; on a CPU, whose launches run in order, all."""
    chosen = colours(constraints, vertices)
    order = np.argsort(chosen, kind="stable")
    if runs_in_order(device):
        return order, [(0, len(constraints))]
    ends = np.cumsum(np.bincount(chosen))
    return order, [(int(start), int(end - start)) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def runs_in_order(device: str) -> bool:
    """Whether the threads of a launch run one after the other, in order."""
    return bool(wp.get_device(device).is_cpu)


def _gases(membranes: Sequence[Membrane], starts: NDArray[np.int64], device: str) -> Gases:
    held = [
        (one.gas, start, end) for one, start, end in zip(membranes, starts[:-1], starts[1:], strict=True) if one.gas
    ]
    gases = Gases()
    gases.first = wp.array(np.array([start for _, start, _ in held], np.int32), dtype=wp.int32, device=device)
    gases.last = wp.array(np.array([end for *_, end in held], np.int32), dtype=wp.int32, device=device)
    gases.start = doubles([gas.start for gas, *_ in held], device)
    gases.end = doubles([gas.end for gas, *_ in held], device)
    gases.seconds = doubles([gas.seconds for gas, *_ in held], device)
    return gases


def _moving(bodies: Sequence[Body]) -> int:
    moving = [index for index, body in enumerate(bodies) if body.dynamic]
    if len(moving) > 1 or any(bodies[index].shape is not Shape.SPHERE for index in moving):
        names = ", ".join(bodies[index].name for index in moving)
        raise ValueError(f"dynamic bodies: {names}; expected one ball at most beside membranes")
    return moving[0] if moving else -1


def body_arrays(bodies: Sequence[Body], first_kick: FloatArray, device: str) -> Bodies:
    """Rigid bodies; `first_kick` (3,) is added to the velocity of what moves, whose inertia is a solid ball's."""
    out = Bodies()
    moves = np.array([body.dynamic for body in bodies], bool)
    inertia = np.array([0.4 * body.mass * body.size[0] ** 2 for body in bodies])  # of a solid ball
    velocity = np.array([body.velocity for body in bodies]).reshape(-1, 3)
    out.shape = wp.array(np.array([_SHAPES[body.shape] for body in bodies], np.int32), dtype=wp.int32, device=device)
    out.size = vectors([body.size for body in bodies], device)
    out.x = vectors([body.position for body in bodies], device)
    out.q = wp.array(np.array([body.orientation for body in bodies]).reshape(-1, 4), dtype=wp.quatd, device=device)
    out.v = vectors(np.where(moves[:, None], velocity + first_kick, 0.0), device)
    out.w = vectors([body.angular_velocity for body in bodies], device)
    out.inverse_mass = doubles([1 / body.mass if body.dynamic else 0.0 for body in bodies], device)
    out.inverse_inertia = doubles([1 / i if moving else 0.0 for i, moving in zip(inertia, moves, strict=True)], device)
    out.friction = doubles([body.friction for body in bodies], device)
    out.restitution = doubles([body.restitution for body in bodies], device)
    return out
