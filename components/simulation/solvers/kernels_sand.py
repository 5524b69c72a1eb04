"""Warp kernels of sand in the material point method: elastic in logarithmic strain, with Drucker and Prager's cone.

After Klar et al., Drucker-Prager Elastoplasticity for Sand Animation, SIGGRAPH 2016: Hencky's strain with the energy of
St. Venant and Kirchhoff, a return to the cone at constant volume, and the volume that grains gained while they were
apart, which must be lost before they push again. Each particle keeps its left Cauchy-Green tensor: sand is isotropic.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201, PLR0917

import warp as wp

from components.simulation.solvers.kernels_mpm import Grid, Matter, index_of, offset_of, stencil_at, weight_of

wp.set_module_options({"enable_backward": False})


@wp.struct
class Sand:
    """Lame's constants in Pa, the slope of the cone, and Coulomb's friction with the floor and with obstacles."""

    shear: wp.float32
    bulk: wp.float32  # Lame's first constant
    slope: wp.float32  # of the cone: sqrt(2)/3 of the friction in shear
    floor: wp.float32
    obstacle: wp.float32


@wp.func
def returned(sand: Sand, strain: wp.vec3):
    """Principal logarithmic strains after the return to the cone; none in sand that is drawn apart."""
    volume = strain[0] + strain[1] + strain[2]
    mean = wp.vec3(volume / 3.0, volume / 3.0, volume / 3.0)
    shape = strain - mean
    size = wp.length(shape)
    allowed = -(3.0 * sand.bulk + 2.0 * sand.shear) / (2.0 * sand.shear) * volume * sand.slope
    found = strain
    if volume >= 0.0:
        found = wp.vec3(0.0, 0.0, 0.0)
    elif size > allowed:
        found = mean + shape * (allowed / size)
    return found


@wp.kernel
def strain_sand(
    sand: Sand,
    dt: wp.float32,
    affine: wp.array[wp.mat33],
    stretch: wp.array[wp.mat33],
    gained: wp.array[wp.float32],
    stress: wp.array[wp.mat33],
):
    """A step of the left Cauchy-Green tensor, the return to the cone, and Kirchhoff's stress."""
    p = wp.tid()
    step = wp.identity(3, dtype=wp.float32) + dt * affine[p]
    axes, square = wp.eig3(step * stretch[p] * wp.transpose(step))
    more = gained[p] / 3.0
    strain = wp.vec3(more, more, more)
    for a in range(3):
        strain[a] = strain[a] + 0.5 * wp.log(wp.max(square[a], 1.0e-6))
    volume = strain[0] + strain[1] + strain[2]
    kept = returned(sand, strain)
    gained[p] = wp.max(volume, 0.0)
    back = wp.vec3(wp.exp(2.0 * kept[0]), wp.exp(2.0 * kept[1]), wp.exp(2.0 * kept[2]))
    stretch[p] = axes * wp.diag(back) * wp.transpose(axes)
    pressure = sand.bulk * (kept[0] + kept[1] + kept[2])
    principal = 2.0 * sand.shear * kept + wp.vec3(pressure, pressure, pressure)
    stress[p] = axes * wp.diag(principal) * wp.transpose(axes)


@wp.kernel
def push_sand(grid: Grid, matter: Matter, dt: wp.float32, position: wp.array[wp.vec3], stress: wp.array[wp.mat33]):
    """Momentum that the stress of sand gives to the nodes in a step."""
    p = wp.tid()
    s = stencil_at(grid, position[p])
    inverse = wp.cw_div(wp.vec3(4.0, 4.0, 4.0), wp.cw_mul(grid.cell, grid.cell))
    pushed = -dt * matter.volume * stress[p] * wp.diag(inverse)
    for a in range(3):
        for b in range(3):
            for c in range(3):
                push = weight_of(s, a, b, c) * (pushed * offset_of(grid, s, a, b, c))
                wp.atomic_add(grid.velocity, index_of(grid, s, a, b, c), push)


@wp.func
def rubbed(v: wp.vec3, n: wp.vec3, stopped: wp.float32, friction: wp.float32):
    """A velocity along a wall of normal n that has lost `stopped` m/s across: Coulomb's friction."""
    along = v - wp.dot(v, n) * n
    speed = wp.length(along)
    return v - along * wp.min(friction * stopped / wp.max(speed, 1.0e-9), 1.0)


@wp.kernel
def settle_sand(grid: Grid, sand: Sand):
    """What walls leave of a node's velocity: obstacles and the floor rub, panes do not."""
    node = wp.tid()
    if grid.mass[node] > 0.0:
        v = grid.velocity[node]
        n = grid.normal[node]
        into = wp.max(-wp.dot(v, n), 0.0)
        if into > 0.0:
            v = rubbed(v + into * n, n, into, sand.obstacle)
        held = wp.max(wp.min(v, grid.high[node]), grid.low[node])
        lifted = held[2] - v[2]
        if lifted > 0.0:
            held = rubbed(held, wp.vec3(0.0, 0.0, 1.0), lifted, sand.floor)
        grid.velocity[node] = held
