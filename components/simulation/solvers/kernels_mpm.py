"""Warp kernels of the moving least squares material point method for liquids.

MLS-MPM: Hu et al., A Moving Least Squares Material Point Method, SIGGRAPH 2018; APIC: Jiang et al., SIGGRAPH 2015.
Quadratic B-splines; cells may have another width along each axis, so that a tank's panes are planes of nodes.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201, PLR0917

import warp as wp

wp.set_module_options({"enable_backward": False})

STIFFENING = wp.constant(7.0)  # exponent of the equation of state of water (Tait)
LOOSEST = wp.constant(1.02)  # volume of spray over that at rest: what comes together again resists soon


@wp.struct
class Grid:
    """Nodes at origin + (i, j, k) * cell. free: 0 where a node's velocity is 0 (rough walls), else 1."""

    origin: wp.vec3
    cell: wp.vec3
    shape: wp.vec3i
    lower: wp.vec3  # corners of what the walls hold
    upper: wp.vec3
    mass: wp.array[wp.float32]
    velocity: wp.array[wp.vec3]  # momentum until `settle_nodes`
    low: wp.array[wp.vec3]  # least velocity of a node along each axis
    high: wp.array[wp.vec3]  # greatest
    normal: wp.array[wp.vec3]  # of the solid wall a node is in; 0 elsewhere


@wp.struct
class Matter:
    """What every particle of the liquid has in common."""

    mass: wp.float32
    volume: wp.float32  # at rest
    stiffness: wp.float32  # density times the square of the speed of sound
    viscosity: wp.float32
    gap: wp.float32  # metres a particle's centre keeps from walls


@wp.func
def node_of(grid: Grid, i: wp.int32, j: wp.int32, k: wp.int32):
    """Index of a node."""
    return (i * grid.shape[1] + j) * grid.shape[2] + k


@wp.func
def weights(fx: wp.float32):
    """Quadratic B-spline at the three nodes around a particle; fx: cells from the first of them."""
    return wp.vec3(0.5 * (1.5 - fx) * (1.5 - fx), 0.75 - (fx - 1.0) * (fx - 1.0), 0.5 * (fx - 0.5) * (fx - 0.5))


@wp.struct
class Stencil:
    """The 27 nodes around a particle: the first of them, the particle's place in cells, and the weights along axes."""

    first: wp.vec3i
    place: wp.vec3
    x: wp.vec3
    y: wp.vec3
    z: wp.vec3


@wp.func
def stencil_at(grid: Grid, position: wp.vec3):
    """The nodes that a particle at a position reaches, and their weights."""
    s = Stencil()
    place = wp.cw_div(position - grid.origin, grid.cell)
    i = wp.int32(place[0] - 0.5)
    j = wp.int32(place[1] - 0.5)
    k = wp.int32(place[2] - 0.5)
    s.first = wp.vec3i(i, j, k)
    s.place = place
    s.x = weights(place[0] - float(i))
    s.y = weights(place[1] - float(j))
    s.z = weights(place[2] - float(k))
    return s


@wp.func
def weight_of(s: Stencil, a: wp.int32, b: wp.int32, c: wp.int32):
    """Of the node (a, b, c) of a stencil, each 0 to 2."""
    return s.x[a] * s.y[b] * s.z[c]


@wp.func
def index_of(grid: Grid, s: Stencil, a: wp.int32, b: wp.int32, c: wp.int32):
    """Index of the node (a, b, c) of a stencil."""
    return node_of(grid, s.first[0] + a, s.first[1] + b, s.first[2] + c)


@wp.func
def offset_of(grid: Grid, s: Stencil, a: wp.int32, b: wp.int32, c: wp.int32):
    """Metres from the particle to the node (a, b, c) of its stencil."""
    node = wp.vec3(float(s.first[0] + a), float(s.first[1] + b), float(s.first[2] + c))
    return wp.cw_mul(node - s.place, grid.cell)


@wp.func
def pressure(matter: Matter, volume_ratio: wp.float32):
    """Tait's equation of state; a liquid that is drawn apart has none."""
    return wp.max(matter.stiffness / STIFFENING * (wp.pow(volume_ratio, -STIFFENING) - 1.0), 0.0)


@wp.kernel
def to_grid(
    grid: Grid,
    matter: Matter,
    dt: wp.float32,
    position: wp.array[wp.vec3],
    velocity: wp.array[wp.vec3],
    affine: wp.array[wp.mat33],
    volume_ratio: wp.array[wp.float32],
):
    """Mass and momentum of the particles, with what stress does to it in a step."""
    p = wp.tid()
    s = stencil_at(grid, position[p])
    ratio = volume_ratio[p]
    gradient = affine[p]
    p0 = pressure(matter, ratio)
    stress = matter.viscosity * (gradient + wp.transpose(gradient)) - wp.diag(wp.vec3(p0, p0, p0))
    inverse = wp.cw_div(wp.vec3(4.0, 4.0, 4.0), wp.cw_mul(grid.cell, grid.cell))
    carried = matter.mass * gradient - dt * matter.volume * ratio * stress * wp.diag(inverse)
    momentum = matter.mass * velocity[p]
    for a in range(3):
        for b in range(3):
            for c in range(3):
                w = weight_of(s, a, b, c)
                away = offset_of(grid, s, a, b, c)
                node = index_of(grid, s, a, b, c)
                wp.atomic_add(grid.mass, node, w * matter.mass)
                wp.atomic_add(grid.velocity, node, w * (momentum + carried * away))


@wp.kernel
def kick_nodes(grid: Grid, gravity: wp.vec3, dt: wp.float32):
    """Momentum becomes velocity, and gravity acts."""
    node = wp.tid()
    mass = grid.mass[node]
    if mass > 0.0:
        grid.velocity[node] = grid.velocity[node] / mass + dt * gravity


@wp.kernel
def settle_nodes(grid: Grid):
    """What walls leave of a node's velocity."""
    node = wp.tid()
    if grid.mass[node] > 0.0:
        v = grid.velocity[node]
        v = v - wp.min(wp.dot(v, grid.normal[node]), 0.0) * grid.normal[node]
        grid.velocity[node] = wp.max(wp.min(v, grid.high[node]), grid.low[node])


@wp.kernel
def to_particles(
    grid: Grid,
    matter: Matter,
    dt: wp.float32,
    position: wp.array[wp.vec3],
    velocity: wp.array[wp.vec3],
    affine: wp.array[wp.mat33],
    volume_ratio: wp.array[wp.float32],
):
    """Velocity and its gradient from the nodes, the change of volume, and a step."""
    p = wp.tid()
    s = stencil_at(grid, position[p])
    v = wp.vec3(0.0, 0.0, 0.0)
    moment = wp.mat33(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for a in range(3):
        for b in range(3):
            for c in range(3):
                w = weight_of(s, a, b, c)
                away = offset_of(grid, s, a, b, c)
                here = w * grid.velocity[index_of(grid, s, a, b, c)]
                v += here
                moment += wp.outer(here, away)
    inverse = wp.cw_div(wp.vec3(4.0, 4.0, 4.0), wp.cw_mul(grid.cell, grid.cell))
    gradient = moment * wp.diag(inverse)
    velocity[p] = v
    affine[p] = gradient
    volume_ratio[p] = wp.clamp(volume_ratio[p] * (1.0 + dt * wp.trace(gradient)), 0.6, LOOSEST)
    gap = wp.vec3(matter.gap, matter.gap, matter.gap)
    position[p] = wp.max(wp.min(position[p] + dt * v, grid.upper - gap), grid.lower + gap)
