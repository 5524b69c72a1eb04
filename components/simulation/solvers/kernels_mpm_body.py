"""Warp kernels of a rigid ball in a liquid: both push each other, and momentum is kept.

Nodes in the ball that move into it share their momentum along its normal with it; across they slip past, as a smooth
ball is not turned by what flows around it. (Nodes that stick to it slow it far too much: the grid is coarse.)
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: ANN201, UP018

import warp as wp

from components.simulation.solvers.kernels_mpm import Grid

wp.set_module_options({"enable_backward": False})

SPHERE = wp.constant(0)
BOX = wp.constant(1)
RESTITUTION = wp.constant(0.2)  # of a ball that meets a pane or the tank's base


@wp.struct
class Solid:
    """The ball, or an obstacle; arrays of one element are its state."""

    shape: wp.int32
    size: wp.vec3
    mass: wp.float32
    position: wp.array[wp.vec3]
    orientation: wp.array[wp.quat]
    velocity: wp.array[wp.vec3]
    angular_velocity: wp.array[wp.vec3]
    reach: wp.float32  # metres: nodes this close to the surface belong to the body
    held: wp.array[wp.int32]  # whether a node moves with the body in this step
    sum_momentum: wp.array[wp.vec3]
    sum_square: wp.array[wp.mat33]


@wp.func
def place_of(grid: Grid, node: wp.int32):
    """Where a node is."""
    k = node % grid.shape[2]
    j = (node / grid.shape[2]) % grid.shape[1]
    i = node / (grid.shape[2] * grid.shape[1])
    return grid.origin + wp.cw_mul(wp.vec3(float(i), float(j), float(k)), grid.cell)


@wp.func
def distance(solid: Solid, local: wp.vec3):
    """Signed distance to the surface of a point in the body's own axes, negative inside."""
    away = wp.length(local) - solid.size[0]
    if solid.shape == BOX:
        beyond = wp.vec3(
            wp.abs(local[0]) - solid.size[0], wp.abs(local[1]) - solid.size[1], wp.abs(local[2]) - solid.size[2]
        )
        away = wp.length(wp.max(beyond, wp.vec3(0.0, 0.0, 0.0))) + wp.min(wp.max(beyond), 0.0)
    return away


@wp.func
def outwards(solid: Solid, local: wp.vec3):
    """The gradient of `distance`, by differences of a millimetre."""
    e = float(1.0e-3)
    x = distance(solid, local + wp.vec3(e, 0.0, 0.0)) - distance(solid, local - wp.vec3(e, 0.0, 0.0))
    y = distance(solid, local + wp.vec3(0.0, e, 0.0)) - distance(solid, local - wp.vec3(0.0, e, 0.0))
    z = distance(solid, local + wp.vec3(0.0, 0.0, e)) - distance(solid, local - wp.vec3(0.0, 0.0, e))
    return wp.normalize(wp.vec3(x, y, z))


@wp.kernel
def meet_body(grid: Grid, solid: Solid):
    """Find the nodes that are in the body and move into it, and sum them up."""
    node = wp.tid()
    solid.held[node] = 0
    if grid.mass[node] > 0.0:
        r = place_of(grid, node) - solid.position[0]
        local = wp.quat_rotate_inv(solid.orientation[0], r)
        if distance(solid, local) < solid.reach:
            v = grid.velocity[node]
            n = wp.quat_rotate(solid.orientation[0], outwards(solid, local))
            if wp.dot(v - solid.velocity[0], n) < 0.0:
                m = grid.mass[node]
                solid.held[node] = 1
                wp.atomic_add(solid.sum_momentum, 0, m * wp.dot(v, n) * n)
                wp.atomic_add(solid.sum_square, 0, m * wp.outer(n, n))


@wp.kernel
def join_body(solid: Solid, gravity: wp.vec3, dt: wp.float32):
    """The ball's velocity V after all held nodes have met it: M V = M V0 + sum of m n n (v - V)."""
    mass = solid.mass * wp.identity(3, dtype=wp.float32) + solid.sum_square[0]
    momentum = solid.mass * (solid.velocity[0] + dt * gravity) + solid.sum_momentum[0]
    solid.velocity[0] = wp.inverse(mass) * momentum
    solid.sum_momentum[0] = wp.vec3(0.0, 0.0, 0.0)
    solid.sum_square[0] = wp.mat33(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@wp.kernel
def follow_body(grid: Grid, solid: Solid):
    """Held nodes move with the ball along its normal, and past it across."""
    node = wp.tid()
    if solid.held[node] == 1:
        local = wp.quat_rotate_inv(solid.orientation[0], place_of(grid, node) - solid.position[0])
        n = wp.quat_rotate(solid.orientation[0], outwards(solid, local))
        v = grid.velocity[node]
        grid.velocity[node] = v - wp.dot(v - solid.velocity[0], n) * n


@wp.kernel
def move_ball(grid: Grid, solid: Solid, dt: wp.float32):
    """Bounce a ball off the tank's panes and its base, and take a step."""
    x = solid.position[0]
    v = solid.velocity[0]
    for axis in range(3):
        low = grid.lower[axis] + solid.size[0]
        high = grid.upper[axis] - solid.size[0]
        if (x[axis] < low and v[axis] < 0.0) or (x[axis] > high and v[axis] > 0.0):
            v[axis] = -RESTITUTION * v[axis]
        x[axis] = wp.clamp(x[axis], low, high)
    solid.velocity[0] = v
    solid.position[0] = x + dt * v
    w = solid.angular_velocity[0]
    angle = wp.length(w) * dt
    if angle > 0.0:
        step = wp.quat_from_axis_angle(wp.normalize(w), angle)
        solid.orientation[0] = wp.normalize(step * solid.orientation[0])


@wp.kernel
def leave_body(grid: Grid, solid: Solid, gap: wp.float32, position: wp.array[wp.vec3]):
    """Particles that are within the body come back to its surface, aside where the tank's base is in the way."""
    p = wp.tid()
    centre = solid.position[0]
    local = wp.quat_rotate_inv(solid.orientation[0], position[p] - centre)
    depth = gap - distance(solid, local)
    if depth > 0.0:
        margin = wp.vec3(gap, gap, gap)
        pushed = position[p] + depth * wp.quat_rotate(solid.orientation[0], outwards(solid, local))
        held = wp.max(wp.min(pushed, grid.upper - margin), grid.lower + margin)
        if solid.shape == SPHERE and held[2] > pushed[2]:
            aside = wp.vec3(held[0] - centre[0] + 1.0e-6, held[1] - centre[1], 0.0)
            reach = solid.size[0] + gap
            drop = held[2] - centre[2]
            way = wp.sqrt(wp.max(reach * reach - drop * drop, 0.0))
            held = wp.vec3(centre[0], centre[1], held[2]) + way * wp.normalize(aside)
            held = wp.max(wp.min(held, grid.upper - margin), grid.lower + margin)
        position[p] = held
