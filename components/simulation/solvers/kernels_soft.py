"""Warp kernels of soft solids: forces of cells, and bodies that are guided up and down.

A cell's energy is V (mu / 2 (|F|^2 - 3) - mu (J - 1) + a / 2 (J - 1)^2), a vertex' V b / 2 (J - 1)^2 with J the mean
over the cells around it, and a + b = lambda + mu: the stable neo-Hookean material of Smith, de Goes and Kim (2018), as
in Macklin and Mueller (2021), finite for cells that are flat or turned inside out. Mean pressures keep cells that are
near incompressible from locking (Bonet and Burton 1998), `a` keeps single ones from collapsing (Puso and Solberg 2006).
Every sum has an order and there are no atomics: a run has the same bytes whatever the number of threads.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201

import warp as wp

from components.simulation.solvers.kernels_xpbd import ONE, ZERO, Particles
from components.simulation.solvers.kernels_xpbd_contacts import Bodies

wp.set_module_options({"enable_backward": False})

QUARTER = wp.constant(wp.float64(0.25))


@wp.struct
class Cells:
    """corners; the inverse of the rest shape's edges; rest volumes in m^3; shear modulus and viscosity in Pa and Pa s.

    f: of each cell; force: on each of its corners. around: the corners, 4 cell + corner, that are vertex i, from
    first[i] to first[i + 1]; share: a quarter of the rest volume of their cells; bulk: a of each cell, mean_bulk: b of
    each vertex.
    """

    corners: wp.array[wp.vec4i]
    inverse: wp.array[wp.mat33d]
    volume: wp.array[wp.float64]
    shear: wp.array[wp.float64]
    viscosity: wp.array[wp.float64]
    f: wp.array[wp.mat33d]
    force: wp.array[wp.vec3d]
    pressure: wp.array[wp.float64]
    first: wp.array[wp.int32]
    around: wp.array[wp.int32]
    share: wp.array[wp.float64]
    bulk: wp.array[wp.float64]
    mean_bulk: wp.array[wp.float64]


@wp.func
def edges(field: wp.array[wp.vec3d], corners: wp.vec4i):
    """Differences of three corners to the first, as columns."""
    a = field[corners[0]]
    return wp.matrix_from_cols(field[corners[1]] - a, field[corners[2]] - a, field[corners[3]] - a)


@wp.func
def cofactors(f: wp.mat33d):
    """The derivative of the determinant."""
    a = wp.vec3d(f[0, 0], f[1, 0], f[2, 0])
    b = wp.vec3d(f[0, 1], f[1, 1], f[2, 1])
    c = wp.vec3d(f[0, 2], f[1, 2], f[2, 2])
    return wp.matrix_from_cols(wp.cross(b, c), wp.cross(c, a), wp.cross(a, b))


@wp.kernel
def deform(particles: Particles, cells: Cells):
    """The deformation gradient of every cell."""
    k = wp.tid()
    cells.f[k] = edges(particles.x, cells.corners[k]) * cells.inverse[k]


@wp.kernel
def press(cells: Cells):
    """The pressure at every vertex, negative where matter is compressed."""
    i = wp.tid()
    volume = wp.float64(0.0)
    for place in range(cells.first[i], cells.first[i + 1]):
        k = cells.around[place] // 4
        volume += wp.determinant(cells.f[k]) * cells.volume[k] * QUARTER
    cells.pressure[i] = cells.mean_bulk[i] * (volume / cells.share[i] - ONE)


@wp.kernel
def stress(particles: Particles, cells: Cells):
    """The force of every cell on its corners: elastic, and viscous 2 eta dE/dt with Green's strain E."""
    k = wp.tid()
    corners = cells.corners[k]
    f = cells.f[k]
    mean = wp.float64(0.0)
    for corner in range(4):
        mean += cells.pressure[corners[corner]]
    rate = edges(particles.v, corners) * cells.inverse[k]
    turned = wp.transpose(f) * rate
    own = cells.bulk[k] * (wp.determinant(f) - ONE)
    p = f * cells.shear[k] + cofactors(f) * (own + mean * QUARTER - cells.shear[k])
    p += f * (turned + wp.transpose(turned)) * cells.viscosity[k]
    pull = p * wp.transpose(cells.inverse[k]) * (-cells.volume[k])
    b = wp.vec3d(pull[0, 0], pull[1, 0], pull[2, 0])
    c = wp.vec3d(pull[0, 1], pull[1, 1], pull[2, 1])
    d = wp.vec3d(pull[0, 2], pull[1, 2], pull[2, 2])
    cells.force[4 * k] = -(b + c + d)
    cells.force[4 * k + 1] = b
    cells.force[4 * k + 2] = c
    cells.force[4 * k + 3] = d


@wp.kernel
def move(particles: Particles, cells: Cells, gravity: wp.vec3d, h: wp.float64):
    """Where every vertex goes if it meets nothing."""
    i = wp.tid()
    total = wp.vec3d()
    for place in range(cells.first[i], cells.first[i + 1]):
        total += cells.force[cells.around[place]]
    here = particles.x[i]
    particles.before[i] = here
    particles.x[i] = here + h * (particles.v[i] + h * (gravity + total * particles.inverse_mass[i]))


@wp.kernel
def advance_guided(bodies: Bodies, moving: wp.int32, gravity: wp.vec3d, h: wp.float64):
    """Begin a step of a body that moves up and down alone, not through the floor z = 0."""
    v = bodies.v[moving][2] + gravity[2] * h
    x = bodies.x[moving]
    z = x[2] + v * h
    low = bodies.size[moving][2]
    if z < low:
        z = low
        v = wp.max(v, ZERO)
    bodies.x[moving] = wp.vec3d(x[0], x[1], z)
    bodies.v[moving] = wp.vec3d(ZERO, ZERO, v)


@wp.kernel
def push_guided(bodies: Bodies, moving: wp.int32, impulse: wp.array[wp.vec3d]):
    """End a step: the guided body gets the upward parts of the impulses of all vertices, summed in their order."""
    total = wp.float64(0.0)
    for i in range(impulse.shape[0]):
        total += impulse[i][2]
    v = bodies.v[moving]
    bodies.v[moving] = wp.vec3d(v[0], v[1], v[2] + total * bodies.inverse_mass[moving])
