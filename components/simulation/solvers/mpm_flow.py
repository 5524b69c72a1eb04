"""A liquid under way: the steps of `kernels_mpm`, and of the body in it."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import warp as wp

from components.simulation.scene import Body, FloatArray, Vec3
from components.simulation.solvers import kernels_mpm as kernels
from components.simulation.solvers.kernels_mpm_body import leave_body
from components.simulation.solvers.mpm_body import BallInLiquid, obstacle
from components.simulation.solvers.mpm_grid import make_grid
from components.simulation.things.particles import Liquid

SOUND = 20.0  # m/s: water is compressed by 2.5 % under a metre of it, and steps are 75 times those of real water
FASTEST = 6.0  # m/s: what a step allows the liquid
COURANT = 0.4  # of a cell that sound travels in a step
DIFFUSION = 0.08  # of a cell's square that momentum spreads over in a step
CELL = 2.0  # of a liquid's spacing: eight particles a cell
GAP = 0.5  # of the spacing, between the centre of a particle and a wall
THICK = 1.0  # Pa s: what is more viscous clings to the floor


class Flow:
    """One liquid between two corners (3,), a body that moves in it, and static boxes in its way."""

    sound: ClassVar[float] = SOUND

    def __init__(
        self,
        liquid: Liquid,
        *,
        lower: FloatArray,
        upper: FloatArray,
        body: Body | None = None,
        obstacles: Sequence[Body] = (),
        gravity: Vec3,
        fps: int,
        device: str,
    ) -> None:
        self._device, self._gravity, self._count = device, wp.vec3(*gravity), len(liquid.points)
        self.grid = make_grid(
            lower,
            upper,
            cell=CELL * liquid.spacing,
            solids=obstacles,
            sticky=liquid.viscosity > THICK,
            device=device,
        )
        self.steps = _steps(liquid, float(min(self.grid.cell)), fps, sound=self.sound)
        self.dt = 1 / fps / self.steps
        self.matter = _matter(liquid)
        start = np.array(liquid.velocity) - np.array(gravity) * self.dt / 2  # leapfrog: half a step earlier
        self.position = wp.array(liquid.points.astype(np.float32), dtype=wp.vec3, device=device)
        self.velocity = wp.full(self._count, wp.vec3(*start), dtype=wp.vec3, device=device)
        self.affine = wp.zeros(self._count, dtype=wp.mat33, device=device)
        self.volume_ratio = wp.full(self._count, 1.0, dtype=wp.float32, device=device)
        self.body = BallInLiquid(body, self.grid, gravity=gravity, dt=self.dt, device=device) if body else None
        self._solids = [obstacle(solid, device=device) for solid in obstacles]

    def step(self) -> None:
        """One step of `dt` seconds."""
        grid, nodes, device = self.grid, len(self.grid.mass), self._device
        particles = [self.position, self.velocity, self.affine, self.volume_ratio]
        moved = [grid, self.matter, self.dt, *particles]
        grid.mass.zero_()
        grid.velocity.zero_()
        wp.launch(kernels.to_grid, dim=self._count, inputs=moved, device=device)
        self.forces()
        wp.launch(kernels.kick_nodes, dim=nodes, inputs=[grid, self._gravity, self.dt], device=device)
        if self.body is not None:
            self.body.exchange()
        self.settle()
        wp.launch(kernels.to_particles, dim=self._count, inputs=moved, device=device)
        if self.body is not None:
            self.body.move()
        for solid in self._solids + ([self.body.solid] if self.body else []):
            wp.launch(leave_body, dim=self._count, inputs=[grid, solid, self.matter.gap, self.position], device=device)

    def forces(self) -> None:
        """What else gives momentum to the nodes, once they have the particles': nothing, of a mere liquid."""

    def settle(self) -> None:
        """What walls leave of the nodes' velocities."""
        wp.launch(kernels.settle_nodes, dim=len(self.grid.mass), inputs=[self.grid], device=self._device)

    def points(self) -> FloatArray:
        """Centres (P,3) of the particles."""
        return np.asarray(self.position.numpy(), np.float64)

    def states(self) -> FloatArray:
        """State (1 or 2, 13) of the liquid's centre of mass, then of the body; velocities are half a step old."""
        centre, velocity = (array.numpy().astype(np.float64).mean(axis=0) for array in (self.position, self.velocity))
        liquid = np.array([*centre, 0.0, 0.0, 0.0, 1.0, *velocity, 0.0, 0.0, 0.0])
        return np.stack([liquid] if self.body is None else [liquid, self.body.state()])


def _steps(liquid: Liquid, cell: float, fps: int, *, sound: float) -> int:
    """Steps of a frame: sound, and what viscosity carries, stay within a cell."""
    dt = COURANT * cell / (sound + FASTEST)
    if liquid.viscosity > 0.0:
        dt = min(dt, DIFFUSION * cell**2 * liquid.density / liquid.viscosity)
    return int(np.ceil(1 / fps / dt))


def _matter(liquid: Liquid) -> kernels.Matter:
    matter = kernels.Matter()
    matter.volume = liquid.spacing**3
    matter.mass = matter.volume * liquid.density
    matter.stiffness = liquid.density * SOUND**2
    matter.viscosity = liquid.viscosity
    matter.gap = GAP * liquid.spacing
    return matter
