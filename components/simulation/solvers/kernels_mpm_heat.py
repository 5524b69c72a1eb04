"""Warp kernels of heat and melting in the material point method.

Particles carry enthalpy, here over heat capacity, in K: below the melting point it is the temperature, then the latent
heat, above both together. Heat is conducted as particles approach the temperature that the grid's nodes average around
them: with quadratic B-splines both ways spread by a quarter of a cell's square, so that approaching by a share
4 D dt / cell^2 in a step is diffusion with D; what one particle gains others lose, exactly. Solids are neo-Hookean in
shear (after Stomakhin et al., Augmented MPM for phase-change and varied materials, SIGGRAPH 2014), and forget it as
they melt.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201, PLR0917, UP018

import warp as wp

from components.simulation.solvers.kernels_mpm import Grid, Matter, index_of, offset_of, stencil_at, weight_of

wp.set_module_options({"enable_backward": False})

PADDING = wp.constant(2)  # planes of nodes below the floor
YIELD = wp.constant(0.5)  # of the deviator of a solid's left Cauchy-Green tensor: beyond it gives way


@wp.struct
class Melt:
    """What melts, and the plate in the floor (its half extents around a middle) that melts it."""

    melting: wp.float32
    latent: wp.float32
    share: wp.float32  # of the way to the nodes' temperature in a step of conduction
    shear: wp.float32
    plate: wp.float32
    middle: wp.vec2
    half: wp.vec2


@wp.func
def temperature_of(melt: Melt, enthalpy: wp.float32):
    """Degrees C."""
    molten = enthalpy - melt.melting - melt.latent
    return wp.min(enthalpy, melt.melting) + wp.max(molten, 0.0)


@wp.func
def molten_share(melt: Melt, enthalpy: wp.float32):
    """Of the latent heat: 0 solid, 1 molten."""
    return wp.clamp((enthalpy - melt.melting) / melt.latent, 0.0, 1.0)


@wp.kernel
def heat_to_grid(
    grid: Grid,
    matter: Matter,
    melt: Melt,
    position: wp.array[wp.vec3],
    enthalpy: wp.array[wp.float32],
    heat: wp.array[wp.float32],
):
    """Temperature of the particles, weighted by mass."""
    p = wp.tid()
    s = stencil_at(grid, position[p])
    carried = matter.mass * temperature_of(melt, enthalpy[p])
    for a in range(3):
        for b in range(3):
            for c in range(3):
                wp.atomic_add(heat, index_of(grid, s, a, b, c), weight_of(s, a, b, c) * carried)


@wp.func
def above_floor(grid: Grid, heat: wp.array[wp.float32], node: wp.int32, on_plate: wp.bool, plate: wp.float32):
    """Temperature of a node one cell above the floor, where what lies above it is mirrored in the floor.

    In a plate with the temperature on the other side of the plate's own, elsewhere as it is: there no heat passes.
    """
    below = node - 2
    mirrored = heat[below]
    if on_plate:
        mirrored = 2.0 * plate * grid.mass[below] - heat[below]
    return (heat[node] + mirrored) / wp.max(grid.mass[node] + grid.mass[below], 1.0e-9)


@wp.kernel
def average_heat(grid: Grid, melt: Melt, heat: wp.array[wp.float32], temperature: wp.array[wp.float32]):
    """Temperature of the nodes."""
    node = wp.tid()
    if grid.mass[node] > 0.0:
        k = node % grid.shape[2] - PADDING
        j = (node / grid.shape[2]) % grid.shape[1]
        i = node / (grid.shape[2] * grid.shape[1])
        x = grid.origin[0] + float(i) * grid.cell[0] - melt.middle[0]
        y = grid.origin[1] + float(j) * grid.cell[1] - melt.middle[1]
        on_plate = wp.abs(x) < melt.half[0] and wp.abs(y) < melt.half[1]
        value = heat[node] / grid.mass[node]
        if k == 1:
            value = above_floor(grid, heat, node, on_plate, melt.plate)
        elif k == 0 and on_plate:
            value = melt.plate
        elif k == -1:
            value = above_floor(grid, heat, node + 2, on_plate, melt.plate)
            if on_plate:
                value = 2.0 * melt.plate - value
        temperature[node] = value


@wp.kernel
def heat_to_particles(
    grid: Grid,
    melt: Melt,
    position: wp.array[wp.vec3],
    enthalpy: wp.array[wp.float32],
    temperature: wp.array[wp.float32],
):
    """Particles approach the temperature around them."""
    p = wp.tid()
    s = stencil_at(grid, position[p])
    around = float(0.0)
    for a in range(3):
        for b in range(3):
            for c in range(3):
                around += weight_of(s, a, b, c) * temperature[index_of(grid, s, a, b, c)]
    enthalpy[p] = enthalpy[p] + melt.share * (around - temperature_of(melt, enthalpy[p]))


@wp.func
def deviator(deformation: wp.mat33):
    """Of the isochoric left Cauchy-Green tensor."""
    square = deformation * wp.transpose(deformation)
    square = square * wp.pow(wp.max(wp.determinant(deformation), 1.0e-3), -2.0 / 3.0)
    return square - wp.identity(3, dtype=wp.float32) * (wp.trace(square) / 3.0)


@wp.kernel
def push_shear(
    grid: Grid,
    matter: Matter,
    melt: Melt,
    dt: wp.float32,
    position: wp.array[wp.vec3],
    enthalpy: wp.array[wp.float32],
    deformation: wp.array[wp.mat33],
):
    """Momentum that the shear stress of what is solid gives to the nodes in a step."""
    p = wp.tid()
    solid = 1.0 - molten_share(melt, enthalpy[p])
    if solid > 0.0:
        s = stencil_at(grid, position[p])
        inverse = wp.cw_div(wp.vec3(4.0, 4.0, 4.0), wp.cw_mul(grid.cell, grid.cell))
        stress = solid * melt.shear * deviator(deformation[p])
        pushed = -dt * matter.volume * stress * wp.diag(inverse)
        for a in range(3):
            for b in range(3):
                for c in range(3):
                    away = offset_of(grid, s, a, b, c)
                    w = weight_of(s, a, b, c)
                    wp.atomic_add(grid.velocity, index_of(grid, s, a, b, c), w * (pushed * away))


@wp.kernel
def deform(
    melt: Melt,
    dt: wp.float32,
    affine: wp.array[wp.mat33],
    enthalpy: wp.array[wp.float32],
    deformation: wp.array[wp.mat33],
):
    """A step of the deformation of what is solid; a melt, and what gives way, begins anew."""
    p = wp.tid()
    now = (wp.identity(3, dtype=wp.float32) + dt * affine[p]) * deformation[p]
    strain = deviator(now)
    if molten_share(melt, enthalpy[p]) >= 1.0 or wp.ddot(strain, strain) > YIELD * YIELD:
        now = wp.identity(3, dtype=wp.float32)
    deformation[p] = now
