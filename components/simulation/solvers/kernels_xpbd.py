"""Warp kernels of membranes: forces of the air, springs and hinges by extended position-based dynamics.

Every quantity is computed for its own thread's output or within one colour of constraints, without atomics, so that a
run has the same bytes whatever the number of threads.
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201

import warp as wp

wp.set_module_options({"enable_backward": False})

AIR_DENSITY = wp.constant(wp.float64(1.2))  # kg/m^3
TWO_PI = wp.constant(wp.float64(6.283185307179586))
HALF = wp.constant(wp.float64(0.5))
ZERO = wp.constant(wp.float64(0.0))
ONE = wp.constant(wp.float64(1.0))
TINY = wp.constant(wp.float64(1.0e-12))


@wp.struct
class Particles:
    """State of all vertices; `before` is the position at the step's beginning."""

    x: wp.array[wp.vec3d]
    before: wp.array[wp.vec3d]
    v: wp.array[wp.vec3d]
    inverse_mass: wp.array[wp.float64]
    thickness: wp.array[wp.float64]
    friction: wp.array[wp.float64]


@wp.struct
class Mesh:
    """Faces, those around each vertex (from first[i] to first[i + 1] of `around`), and the membrane of each vertex."""

    faces: wp.array[wp.vec3i]
    first: wp.array[wp.int32]
    around: wp.array[wp.int32]
    membrane: wp.array[wp.int32]


@wp.struct
class Winds:
    """Air around each membrane: wind in m/s, sway in radians, period and rise in seconds."""

    drag: wp.array[wp.float64]
    wind: wp.array[wp.vec3d]
    sway: wp.array[wp.float64]
    period: wp.array[wp.float64]
    rise: wp.array[wp.float64]


@wp.struct
class Springs:
    """ends, rest lengths in metres, compliances in m/N, and the strain beyond which each is stiff."""

    ends: wp.array[wp.vec2i]
    rest: wp.array[wp.float64]
    compliance: wp.array[wp.float64]
    most_strain: wp.array[wp.float64]


@wp.struct
class Hinges:
    """Two faces that share an edge. corners: the edge's, then the opposite ones; weights: sum_i weight_i x_i is the
    curvature across the edge times a length, `rest` its size in the unstressed shape; compliances in m/N."""

    corners: wp.array[wp.vec4i]
    weights: wp.array[wp.vec4d]
    rest: wp.array[wp.float64]
    compliance: wp.array[wp.float64]


@wp.kernel
def blow(particles: Particles, mesh: Mesh, winds: Winds, clock: wp.array[wp.float64], force: wp.array[wp.vec3d]):
    """Force of the air on every face: drag rho / 2 A |u| (u . n) n, u the air's velocity relative to the face."""
    face = wp.tid()
    corners = mesh.faces[face]
    membrane = mesh.membrane[corners[0]]
    if winds.drag[membrane] > ZERO:
        a = particles.x[corners[0]]
        across = wp.cross(particles.x[corners[1]] - a, particles.x[corners[2]] - a)
        doubled = wp.length(across)
        if doubled > TINY:
            angle = winds.sway[membrane] * wp.sin(TWO_PI * clock[0] / winds.period[membrane])
            wind = winds.wind[membrane] * wp.smoothstep(ZERO, wp.max(winds.rise[membrane], TINY), clock[0])
            c = wp.cos(angle)
            s = wp.sin(angle)
            wind = wp.vec3d(c * wind[0] - s * wind[1], s * wind[0] + c * wind[1], wind[2])
            moving = particles.v[corners[0]] + particles.v[corners[1]] + particles.v[corners[2]]
            relative = wind - moving / wp.float64(3.0)
            normal = across / doubled
            pressure = winds.drag[membrane] * AIR_DENSITY * HALF * wp.length(relative) * wp.dot(relative, normal)
            force[face] = normal * (pressure * HALF * doubled)


@wp.kernel
def predict(particles: Particles, mesh: Mesh, force: wp.array[wp.vec3d], gravity: wp.vec3d, h: wp.float64):
    """Begin a step: where every vertex goes if nothing but gravity and air acts on it."""
    i = wp.tid()
    here = particles.x[i]
    particles.before[i] = here
    w = particles.inverse_mass[i]
    if w > ZERO:
        push = wp.vec3d()
        for k in range(mesh.first[i], mesh.first[i + 1]):
            push += force[mesh.around[k]]
        particles.x[i] = here + h * (particles.v[i] + h * (gravity + push * (w / wp.float64(3.0))))


@wp.kernel
def stretch(particles: Particles, springs: Springs, start: wp.int32, h: wp.float64):
    """Springs of one colour, one Gauss-Seidel pass.

    One pass a step leaves of a spring in balance (wa + wb) h^2 / 2 of compliance on average over both orders: a softer
    spring is stiffened by as much, a stiffer one is as stiff as the step allows.
    """
    k = start + wp.tid()
    ends = springs.ends[k]
    a = ends[0]
    b = ends[1]
    wa = particles.inverse_mass[a]
    wb = particles.inverse_mass[b]
    apart = particles.x[a] - particles.x[b]
    length = wp.length(apart)
    if wa + wb > ZERO and length > TINY:
        n = apart / length
        alpha = wp.max(springs.compliance[k] / (h * h) - HALF * (wa + wb), ZERO)
        change = (springs.rest[k] - length) / (wa + wb + alpha)
        change = wp.min(change, (springs.rest[k] * (ONE + springs.most_strain[k]) - length) / (wa + wb))
        particles.x[a] = particles.x[a] + n * (wa * change)
        particles.x[b] = particles.x[b] - n * (wb * change)


@wp.kernel
def bend(particles: Particles, hinges: Hinges, start: wp.int32, damping: wp.float64, h: wp.float64):
    """Hinges of one colour: the size of the curvature vector returns to that of the rest shape."""
    k = start + wp.tid()
    corners = hinges.corners[k]
    weights = hinges.weights[k]
    curvature = wp.vec3d()
    moved = wp.vec3d()
    mobility = wp.float64(0.0)
    for c in range(4):
        i = corners[c]
        curvature += weights[c] * particles.x[i]
        moved += weights[c] * (particles.x[i] - particles.before[i])
        mobility += weights[c] * weights[c] * particles.inverse_mass[i]
    size = wp.length(curvature)
    if size > TINY and mobility > ZERO:
        n = curvature / size
        alpha = hinges.compliance[k] / (h * h)
        gamma = damping / h  # of a dashpot of `damping` seconds times the stiffness
        change = -(size - hinges.rest[k] + gamma * wp.dot(n, moved)) / ((ONE + gamma) * mobility + alpha)
        for c in range(4):
            i = corners[c]
            particles.x[i] = particles.x[i] + n * (weights[c] * particles.inverse_mass[i] * change)


@wp.kernel
def conclude(particles: Particles, h: wp.float64):
    """End a step: velocity is the way made, over the step."""
    i = wp.tid()
    particles.v[i] = (particles.x[i] - particles.before[i]) / h


@wp.kernel
def damp(particles: Particles, springs: Springs, start: wp.int32, damping: wp.float64, h: wp.float64):
    """A dashpot beside every spring of one colour, implicit; damping: seconds, its strength over the stiffness."""
    k = start + wp.tid()
    ends = springs.ends[k]
    a = ends[0]
    b = ends[1]
    wa = particles.inverse_mass[a]
    wb = particles.inverse_mass[b]
    apart = particles.x[a] - particles.x[b]
    length = wp.length(apart)
    if wa + wb > ZERO and length > TINY:
        n = apart / length
        strength = damping / springs.compliance[k] * h
        impulse = -wp.dot(n, particles.v[a] - particles.v[b]) * strength / (ONE + strength * (wa + wb))
        particles.v[a] = particles.v[a] + n * (wa * impulse)
        particles.v[b] = particles.v[b] - n * (wb * impulse)
