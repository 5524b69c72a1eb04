"""The grid of a liquid: where its nodes are, and what walls allow each of them."""

from collections.abc import Sequence

import numpy as np
import warp as wp

from components.simulation.rotations import matrices
from components.simulation.scene import Body, FloatArray
from components.simulation.solvers.kernels_mpm import Grid

PADDING = 2  # nodes beyond the walls: a particle next to a wall reaches one
ANY = 1e6  # m/s: no limit


def make_grid(
    lower: FloatArray, upper: FloatArray, *, cell: float, solids: Sequence[Body], sticky: bool, device: str
) -> Grid:
    """Nodes between two corners (3,) with cells of about `cell` metres, fitted so that the walls are planes of nodes.

    Nodes at or beyond a wall, or within a static box, do not move into it; with `sticky` they do not move at all along
    the floor.
    """
    counts = np.maximum(np.round((upper - lower) / cell).astype(int), 1)
    width = (upper - lower) / counts
    shape = counts + 1 + 2 * PADDING
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3) - PADDING
    low = np.where(index <= 0, 0.0, -ANY)
    high = np.where(index >= counts, 0.0, ANY)
    if sticky:
        floor = index[:, 2] <= 0
        low[floor] = high[floor] = 0.0
    grid = Grid()
    grid.origin, grid.cell, grid.shape = wp.vec3(*(lower - PADDING * width)), wp.vec3(*width), wp.vec3i(*shape.tolist())
    grid.lower, grid.upper = wp.vec3(*lower), wp.vec3(*upper)
    grid.mass = wp.zeros(len(index), dtype=wp.float32, device=device)
    grid.velocity = wp.zeros(len(index), dtype=wp.vec3, device=device)
    grid.low = wp.array(low.astype(np.float32), dtype=wp.vec3, device=device)
    grid.high = wp.array(high.astype(np.float32), dtype=wp.vec3, device=device)
    normals = _normals(lower + index * width, solids, reach=float(width.min()) / 2)
    grid.normal = wp.array(normals.astype(np.float32), dtype=wp.vec3, device=device)
    return grid


def _normals(nodes: FloatArray, solids: Sequence[Body], *, reach: float) -> FloatArray:
    """Of the nearest face of the box that a node (N,3) is in, or within `reach` of; 0 elsewhere."""
    normals = np.zeros_like(nodes)
    for body in solids:
        turn = matrices(np.array([body.orientation]))[0]
        local = (nodes - body.position) @ turn
        beyond = np.abs(local) - body.size
        axis = beyond.argmax(axis=1)
        inside = beyond.max(axis=1) < reach
        facing = np.eye(3)[axis] * np.sign(local)
        normals[inside] = (facing @ turn.T)[inside]
    return normals
