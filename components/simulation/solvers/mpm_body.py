"""The ball in a liquid, and obstacles: what `kernels_mpm_body` needs of them."""

import numpy as np
import warp as wp

from components.simulation.scene import Body, FloatArray, Shape, Vec3
from components.simulation.solvers import kernels_mpm_body as kernels
from components.simulation.solvers.kernels_mpm import Grid
from components.simulation.solvers.kernels_mpm_body import Solid

REACH = 0.53  # cells beyond the surface of a ball in which nodes are held: with it its draught is right


class BallInLiquid:
    """A ball that pushes the liquid and is pushed by it.

    Raises ValueError for other shapes: nodes are in a level box by whole planes, so that its draught was up to 40 %
    wrong where the grid's planes fell badly.
    """

    def __init__(self, body: Body, grid: Grid, *, gravity: Vec3, dt: float, device: str) -> None:
        if body.shape is not Shape.SPHERE:
            raise ValueError(f"{body.name} is a {body.shape}, expected a sphere: only balls move in liquids")
        self._grid, self._gravity, self._dt, self._device = grid, wp.vec3(*gravity), dt, device
        self._nodes = len(grid.mass)
        self.solid = obstacle(body, device=device)
        self.solid.reach = REACH * float(min(grid.cell))
        self.solid.held = wp.zeros(self._nodes, dtype=wp.int32, device=device)
        start = np.array(body.velocity) - np.array(gravity) * dt / 2  # leapfrog: half a step earlier
        self.solid.velocity = _one(start, wp.vec3, device)
        self.solid.angular_velocity = _one(np.array(body.angular_velocity), wp.vec3, device)
        self.solid.sum_momentum = wp.zeros(1, dtype=wp.vec3, device=device)
        self.solid.sum_square = wp.zeros(1, dtype=wp.mat33, device=device)

    def exchange(self) -> None:
        """Momentum between nodes and ball; gravity acts on the ball."""
        pair = [self._grid, self.solid]
        wp.launch(kernels.meet_body, dim=self._nodes, inputs=pair, device=self._device)
        wp.launch(kernels.join_body, dim=1, inputs=[self.solid, self._gravity, self._dt], device=self._device)
        wp.launch(kernels.follow_body, dim=self._nodes, inputs=pair, device=self._device)

    def move(self) -> None:
        """A step, within the tank."""
        wp.launch(kernels.move_ball, dim=1, inputs=[self._grid, self.solid, self._dt], device=self._device)

    def state(self) -> FloatArray:
        """Position, quaternion xyzw, linear and angular velocity (13,); velocities are half a step old."""
        solid = self.solid
        parts = (solid.position, solid.orientation, solid.velocity, solid.angular_velocity)
        return np.concatenate([part.numpy()[0] for part in parts]).astype(np.float64)


def obstacle(body: Body, *, device: str) -> Solid:
    """A body's shape and pose. Raises ValueError for cylinders."""
    if body.shape is Shape.CYLINDER:
        raise ValueError(f"{body.name} is a cylinder, expected a ball or a box: the solver of liquids knows no others")
    solid = Solid()
    solid.shape = kernels.SPHERE if body.shape is Shape.SPHERE else kernels.BOX
    solid.size = wp.vec3(*body.size)
    solid.mass = body.mass
    solid.position = _one(np.array(body.position), wp.vec3, device)
    solid.orientation = _one(np.array(body.orientation), wp.quat, device)
    return solid


def _one(values: FloatArray, kind: type, device: str) -> wp.array:
    return wp.array(values[None].astype(np.float32), dtype=kind, device=device)
