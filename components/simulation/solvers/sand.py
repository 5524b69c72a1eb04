"""Grains as sand, a continuum, by the material point method (see `kernels_sand`): for more than Bullet solves in time.

Every grain is a particle that stands for the cube it fills in its packing, and is drawn as a sphere of its radius. On
the CPU Warp runs the particles one after another: same scene, same bytes. On an accelerator sums are atomic, and equal
up to rounding only.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import warp as wp

from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.scene import Body, FloatArray, Motion, Scene, Vec3
from components.simulation.solvers import kernels_mpm, kernels_mpm_body, kernels_sand
from components.simulation.solvers.mpm import trace
from components.simulation.solvers.mpm_flow import CELL, Flow
from components.simulation.things.particles import Grains, Liquid, Sand
from components.simulation.things.tank import Tank

KERNELS = (kernels_mpm, kernels_mpm_body, kernels_sand)
POISSON = 0.25  # ratio of
OPEN = (3.6, 2.8, 0.6)  # metres to the sides of the middle and above, of grains without a tank
FLOOR = 10.0  # metres: a static box of this half extent is the floor, on which every scene stands
PACKED = np.pi / (3 * np.sqrt(2))  # share of space that balls fill in the densest packing


class SandFlow(Flow):
    """A `Flow` of grains. In shear they give way where stress along a plane is their friction times that across it.

    That is Jop, Forterre and Pouliquen's coefficient (A constitutive law for dense granular flows, Nature 2006): a
    layer on a rough slope lies still up to the angle of friction. The cone that Klar et al. fit to a test in triaxial
    compression holds it at steeper angles.
    """

    sound: ClassVar[float] = 30.0  # m/s, of waves of pressure: a metre of sand is compressed by 1 %

    def __init__(
        self,
        grains: Grains,
        *,
        lower: FloatArray,
        upper: FloatArray,
        obstacles: Sequence[Body] = (),
        floor: float = 1.0,
        gravity: Vec3,
        fps: int,
        device: str,
    ) -> None:
        matter = _continuum(grains)
        super().__init__(matter, lower=lower, upper=upper, obstacles=obstacles, gravity=gravity, fps=fps, device=device)
        self.matter.stiffness, self.matter.gap = 0.0, grains.radius
        rough = min((body.friction for body in obstacles), default=0.0)
        self.sand = _sand(grains, density=matter.density, floor=floor, obstacle=rough, sound=self.sound)
        count = self._count
        self.stretch = wp.array(np.tile(np.eye(3), (count, 1, 1)), dtype=wp.mat33, device=device)
        self.gained = wp.zeros(count, dtype=wp.float32, device=device)
        self._stress = wp.zeros(count, dtype=wp.mat33, device=device)

    def forces(self) -> None:
        """Stress of the grains, after what they did in the last step."""
        state = [self.affine, self.stretch, self.gained, self._stress]
        wp.launch(kernels_sand.strain_sand, dim=self._count, inputs=[self.sand, self.dt, *state], device=self._device)
        pushed = [self.grid, self.matter, self.dt, self.position, self._stress]
        wp.launch(kernels_sand.push_sand, dim=self._count, inputs=pushed, device=self._device)

    def settle(self) -> None:
        """Walls rub."""
        nodes = len(self.grid.mass)
        wp.launch(kernels_sand.settle_sand, dim=nodes, inputs=[self.grid, self.sand], device=self._device)


def simulate(scene: Scene, device: str = DEFAULT_DEVICE) -> Motion:
    """Solve a scene of grains, at most one tank and static boxes. Raises ValueError where anything else moves."""
    prepare(device)
    moving = [thing for thing in scene.bodies if thing.dynamic]
    tanks = [thing for thing in scene.bodies if isinstance(thing, Tank)]
    if len(moving) != 1 or not isinstance(moving[0], Sand) or len(tanks) > 1:
        names = ", ".join(thing.name for thing in scene.bodies)
        raise ValueError(
            f"the scene holds {names}; expected one heap of sand, at most one tank, and nothing else that moves: "
            "this solver has no ball among grains"
        )
    grains = moving[0]
    boxes = [thing for thing in scene.bodies if isinstance(thing, Body)]
    floors = [body for body in boxes if body.size[0] > FLOOR]
    lower, upper = (tanks[0].lower, tanks[0].upper) if tanks else _room(grains)
    flow = SandFlow(
        grains,
        lower=lower,
        upper=upper,
        obstacles=[body for body in boxes if body not in floors],
        floor=floors[0].friction if floors else 1.0,
        gravity=scene.gravity,
        fps=scene.fps,
        device=device,
    )
    return trace(scene, flow, moving)


def _room(grains: Grains) -> tuple[FloatArray, FloatArray]:
    """Corners (3,) of the grid, of whole cells: a cell as wide along every axis, and its base the floor."""
    cell = CELL * _spacing(grains)
    sides = np.ceil(np.array(OPEN[:2]) / cell) * cell
    height = np.ceil((float(grains.points[:, 2].max()) + OPEN[2]) / cell) * cell
    return np.array([*-sides, 0.0]), np.array([*sides, height])


def _spacing(grains: Grains) -> float:
    """Metres: the edge of a grain's cube in the densest packing, with what the families' packings leave between."""
    return float((4 / 3 * np.pi / PACKED) ** (1 / 3) * grains.radius * 1.02)


def _continuum(grains: Grains) -> Liquid:
    spacing = _spacing(grains)
    return Liquid(
        name=grains.name,
        texture=grains.texture,
        position=grains.position,
        velocity=grains.velocity,
        mass=grains.mass,
        points=grains.points,
        radius=grains.radius,
        spacing=spacing,
        density=grains.mass / len(grains.points) / spacing**3,
    )


def _sand(grains: Grains, *, density: float, floor: float, obstacle: float, sound: float) -> kernels_sand.Sand:
    sand = kernels_sand.Sand()
    sand.bulk = density * sound**2 * POISSON / (1 - POISSON)
    sand.shear = (density * sound**2 - sand.bulk) / 2
    sand.slope = np.sqrt(2) / 3 * grains.friction
    sand.floor, sand.obstacle = grains.friction * floor, grains.friction * obstacle
    return sand
