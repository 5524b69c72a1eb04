"""Warp kernels of contact: membranes against rigid primitives, and a rigid ball against static ones."""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201

import warp as wp

from components.simulation.solvers.kernels_xpbd import HALF, ONE, TINY, ZERO, Particles

wp.set_module_options({"enable_backward": False})

SPHERE = wp.constant(0)
BOX = wp.constant(1)
CYLINDER = wp.constant(2)


@wp.struct
class Bodies:
    """Rigid bodies; inverse_inertia is a ball's, 0 of what does not move."""

    shape: wp.array[wp.int32]
    size: wp.array[wp.vec3d]
    x: wp.array[wp.vec3d]
    q: wp.array[wp.quatd]
    v: wp.array[wp.vec3d]
    w: wp.array[wp.vec3d]
    inverse_mass: wp.array[wp.float64]
    inverse_inertia: wp.array[wp.float64]
    friction: wp.array[wp.float64]
    restitution: wp.array[wp.float64]


@wp.func
def sign(value: wp.float64):
    """-1 or 1."""
    return wp.where(value < ZERO, -ONE, ONE)


@wp.func
def box_distance(size: wp.vec3d, p: wp.vec3d):
    """Outward normal and signed distance of a box of half extents."""
    out = wp.vec3d(wp.abs(p[0]) - size[0], wp.abs(p[1]) - size[1], wp.abs(p[2]) - size[2])
    beyond = wp.vec3d(wp.max(out[0], ZERO), wp.max(out[1], ZERO), wp.max(out[2], ZERO))
    away = wp.length(beyond)
    n = wp.vec3d()
    d = away
    if away > TINY:
        n = wp.vec3d(sign(p[0]) * beyond[0], sign(p[1]) * beyond[1], sign(p[2]) * beyond[2]) / away
    elif out[0] > out[1] and out[0] > out[2]:
        d = out[0]
        n = wp.vec3d(sign(p[0]), ZERO, ZERO)
    elif out[1] > out[2]:
        d = out[1]
        n = wp.vec3d(ZERO, sign(p[1]), ZERO)
    else:
        d = out[2]
        n = wp.vec3d(ZERO, ZERO, sign(p[2]))
    return wp.vec4d(n[0], n[1], n[2], d)


@wp.func
def distance(shape: wp.int32, size: wp.vec3d, p: wp.vec3d):
    """Outward normal (3) and signed distance of a primitive's surface at a point in its own coordinates."""
    if shape == BOX:
        return box_distance(size, p)
    if shape == SPHERE:
        r = wp.max(wp.length(p), TINY)
        return wp.vec4d(p[0] / r, p[1] / r, p[2] / r, r - size[0])
    around = wp.max(wp.sqrt(p[0] * p[0] + p[1] * p[1]), TINY)
    side = box_distance(wp.vec3d(size[0], ONE, HALF * size[1]), wp.vec3d(around, ZERO, p[2]))
    return wp.vec4d(side[0] * p[0] / around, side[0] * p[1] / around, side[2], side[3])


@wp.kernel
def advance_bodies(bodies: Bodies, moving: wp.int32, clock: wp.array[wp.float64], gravity: wp.vec3d, h: wp.float64):
    """Begin a step: the clock, and the ball `moving` (-1: none), which meets what is static by impulses at once."""
    clock[0] = clock[0] + h
    if moving >= 0:
        v = bodies.v[moving] + gravity * h
        x = bodies.x[moving] + v * h
        w = bodies.w[moving]
        spin = wp.length(w) * h
        if spin > TINY:
            bodies.q[moving] = wp.normalize(wp.quat_from_axis_angle(wp.normalize(w), spin) * bodies.q[moving])
        radius = bodies.size[moving][0]
        for b in range(bodies.shape.shape[0]):
            if b != moving:
                local = wp.quat_rotate_inv(bodies.q[b], x - bodies.x[b])
                near = distance(bodies.shape[b], bodies.size[b], local)
                depth = radius - near[3]
                if depth > ZERO:
                    n = wp.quat_rotate(bodies.q[b], wp.vec3d(near[0], near[1], near[2]))
                    x += n * depth
                    closing = -wp.dot(v, n)
                    if closing > ZERO:
                        # what one step of gravity gives does not bounce
                        bounce = bodies.restitution[moving] * bodies.restitution[b]
                        bounce = wp.where(closing > wp.float64(4.0) * wp.length(gravity) * h, bounce, ZERO)
                        v += n * (closing * (ONE + bounce))
                        slip = v + wp.cross(w, n * (-radius))
                        slip -= n * wp.dot(slip, n)
                        sliding = wp.length(slip)
                        if sliding > TINY:
                            # a solid ball stops slipping by an impulse of 2/7 of its momentum
                            most = bodies.friction[moving] * bodies.friction[b] * closing * (ONE + bounce)
                            kick = slip * (-wp.min(sliding * wp.float64(2.0 / 7.0), most) / sliding)
                            v += kick
                            turn = bodies.inverse_inertia[moving] / bodies.inverse_mass[moving]
                            w += wp.cross(n * (-radius), kick) * turn
        bodies.x[moving] = x
        bodies.v[moving] = v
        bodies.w[moving] = w


@wp.kernel
def collide(particles: Particles, bodies: Bodies, moving: wp.int32, h: wp.float64, impulse: wp.array[wp.vec3d]):
    """Keep every vertex out of all bodies, with Coulomb friction; `impulse` (N s) is what the ball gets of it."""
    i = wp.tid()
    impulse[i] = wp.vec3d()
    wi = particles.inverse_mass[i]
    if wi > ZERO:
        for b in range(bodies.shape.shape[0]):
            x = particles.x[i]
            local = wp.quat_rotate_inv(bodies.q[b], x - bodies.x[b])
            near = distance(bodies.shape[b], bodies.size[b], local)
            depth = particles.thickness[i] - near[3]
            if depth > ZERO:
                n = wp.quat_rotate(bodies.q[b], wp.vec3d(near[0], near[1], near[2]))
                push = n * depth
                way = x + push - particles.before[i]
                way -= h * (bodies.v[b] + wp.cross(bodies.w[b], x - bodies.x[b]))
                way -= n * wp.dot(way, n)
                slipped = wp.length(way)
                if slipped > TINY:
                    most = particles.friction[i] * bodies.friction[b] * depth
                    push -= way * (wp.min(slipped, most) / slipped)
                particles.x[i] = x + push
                if b == moving:
                    impulse[i] = -push / (wi * h)


@wp.kernel
def push_back(particles: Particles, bodies: Bodies, moving: wp.int32, impulse: wp.array[wp.vec3d]):
    """End a step: the ball gets the impulses of all vertices, summed in their order."""
    total = wp.vec3d()
    turn = wp.vec3d()
    for i in range(impulse.shape[0]):
        total += impulse[i]
        turn += wp.cross(particles.x[i] - bodies.x[moving], impulse[i])
    bodies.v[moving] = bodies.v[moving] + total * bodies.inverse_mass[moving]
    bodies.w[moving] = bodies.w[moving] + turn * bodies.inverse_inertia[moving]
