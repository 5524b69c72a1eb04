"""Warp kernels of the gas inside a closed membrane: one constraint on the volume, whose sums have an order."""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201, PLR0917

import warp as wp

from components.simulation.solvers.kernels_xpbd import ONE, ZERO, Mesh, Particles

wp.set_module_options({"enable_backward": False})

AMBIENT_PRESSURE = wp.constant(wp.float64(101325.0))  # Pa


@wp.struct
class Gases:
    """Vertices first to last of the membrane around each gas, and the amount, in m^3 at ambient pressure."""

    first: wp.array[wp.int32]
    last: wp.array[wp.int32]
    start: wp.array[wp.float64]
    end: wp.array[wp.float64]
    seconds: wp.array[wp.float64]


@wp.kernel
def measure(particles: Particles, mesh: Mesh, gradient: wp.array[wp.vec3d]):
    """The enclosed volume's gradient at every vertex: a sixth of the sum of b x c over its faces (a, b, c)."""
    i = wp.tid()
    total = wp.vec3d()
    for k in range(mesh.first[i], mesh.first[i + 1]):
        f = mesh.faces[mesh.around[k]]
        b = f[1]
        c = f[2]
        if f[1] == i:
            b = f[2]
            c = f[0]
        if f[2] == i:
            b = f[0]
            c = f[1]
        total += wp.cross(particles.x[b], particles.x[c])
    gradient[i] = total / wp.float64(6.0)


@wp.kernel
def compress(
    particles: Particles,
    gases: Gases,
    gradient: wp.array[wp.vec3d],
    clock: wp.array[wp.float64],
    h: wp.float64,
    change: wp.array[wp.float64],
):
    """The multiplier of each gas: isothermal, p V = p0 amount, so its compliance in volume over pressure is V / p0."""
    g = wp.tid()
    volume = wp.float64(0.0)
    mobility = wp.float64(0.0)
    for i in range(gases.first[g], gases.last[g]):
        slope = gradient[i]
        volume += wp.dot(particles.x[i], slope) / wp.float64(3.0)
        mobility += particles.inverse_mass[i] * wp.dot(slope, slope)
    passed = wp.smoothstep(ZERO, ONE, clock[0] / gases.seconds[g])
    amount = gases.start[g] + (gases.end[g] - gases.start[g]) * passed
    change[g] = (amount - volume) / (mobility + wp.max(volume, ZERO) / (AMBIENT_PRESSURE * h * h))


@wp.kernel
def inflate(
    particles: Particles, gas_of: wp.array[wp.int32], gradient: wp.array[wp.vec3d], change: wp.array[wp.float64]
):
    """Move every vertex of a closed membrane along the volume's gradient."""
    i = wp.tid()
    g = gas_of[i]
    if g >= 0:
        particles.x[i] = particles.x[i] + gradient[i] * (particles.inverse_mass[i] * change[g])
