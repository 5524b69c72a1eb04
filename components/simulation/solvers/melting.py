"""A block that melts on a hot plate, by the material point method with enthalpy (see `kernels_mpm_heat`).

The heat that leaves the plate is all that the block gains: floor and air take none. On the CPU Warp runs the particles
one after another: same scene, same bytes. On an accelerator sums are atomic, and equal up to rounding only.
"""

from dataclasses import replace

import numpy as np
import warp as wp

from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.scene import Body, FloatArray, Motion, Scene, Thing, Vec3
from components.simulation.solvers import kernels_mpm, kernels_mpm_heat
from components.simulation.solvers.mpm_flow import CELL, Flow
from components.simulation.solvers.surfaces import Surface, assemble, static_surface
from components.simulation.things.melting import HotPlate, Meltable
from components.simulation.things.particles import particle_surface

KERNELS = (kernels_mpm, kernels_mpm_heat)
SIDES = (1.8, 1.4)  # metres of the grid to the sides of the block's middle
ABOVE = 4  # cells over the block
SUBDIVISIONS = 0  # of the particles' spheres, which are a pixel wide or a few


class MeltingFlow(Flow):
    """A `Flow` whose particles are solid and carry heat."""

    def __init__(self, block: Meltable, plate: HotPlate | None, *, gravity: Vec3, fps: int, device: str) -> None:
        lower, upper = _walls(block)
        super().__init__(block, lower=lower, upper=upper, gravity=gravity, fps=fps, device=device)
        count, nodes = len(block.points), len(self.grid.mass)
        self.melt = _melt(block, plate)
        self._spread = 4 * block.diffusivity * self.dt / float(min(self.grid.cell)) ** 2  # of a cell's square in a step
        self._owed, self._taken = 0.0, 0
        self.enthalpy = wp.full(count, block.cold, dtype=wp.float32, device=device)
        self._deformation = wp.array(np.tile(np.eye(3), (count, 1, 1)), dtype=wp.mat33, device=device)
        self._heat = wp.zeros(nodes, dtype=wp.float32, device=device)
        self._temperature = wp.zeros(nodes, dtype=wp.float32, device=device)

    def forces(self) -> None:
        """Heat, and the shear stress of what is solid still."""
        self._taken, self._owed = self._taken + 1, self._owed + self._spread
        if self._owed >= 1.0 or self._taken % self.steps == 0:
            self._conduct(min(self._owed, 1.0))
        count, device, carried = self._count, self._device, [self.position, self.enthalpy]
        state = [self.affine, self.enthalpy, self._deformation]
        wp.launch(kernels_mpm_heat.deform, dim=count, inputs=[self.melt, self.dt, *state], device=device)
        pushed = [self.grid, self.matter, self.melt, self.dt, *carried, self._deformation]
        wp.launch(kernels_mpm_heat.push_shear, dim=count, inputs=pushed, device=device)

    def _conduct(self, share: float) -> None:
        """A step of conduction, as long as may be: on their way particles go a share of at most 1.

        Averaging both ways by quadratic B-splines has the symbol sinc(k h/2)^6: beside the Laplacian a term
        7/60 D h^2 k^4, which lets short waves live too long. Euler's step has an error of the other sign, and the two
        cancel at a share of 14/15. With a share above 1 temperatures would overshoot.
        """
        self.melt.share, self._owed = share, self._owed - share
        grid, melt, count, nodes, device = self.grid, self.melt, self._count, len(self._heat), self._device
        kernels, carried = kernels_mpm_heat, [self.position, self.enthalpy]
        self._heat.zero_()
        wp.launch(
            kernels.heat_to_grid, dim=count, inputs=[grid, self.matter, melt, *carried, self._heat], device=device
        )
        wp.launch(kernels.average_heat, dim=nodes, inputs=[grid, melt, self._heat, self._temperature], device=device)
        wp.launch(kernels.heat_to_particles, dim=count, inputs=[grid, melt, *carried, self._temperature], device=device)


def simulate(scene: Scene, device: str = DEFAULT_DEVICE) -> Motion:
    """Solve a scene of one block that melts and at most one plate. Raises ValueError where something else moves."""
    prepare(device)
    moving = [thing for thing in scene.bodies if thing.dynamic]
    plates = [thing for thing in scene.bodies if isinstance(thing, HotPlate)]
    if len(moving) != 1 or not isinstance(moving[0], Meltable) or len(plates) > 1:
        names = ", ".join(thing.name for thing in scene.bodies)
        raise ValueError(f"the scene holds {names}; expected one block that melts, and at most one hot plate")
    block, plate = moving[0], plates[0] if plates else None
    flow = MeltingFlow(block, plate, gravity=scene.gravity, fps=scene.fps, device=device)
    centres, enthalpy = np.empty((scene.frames, len(block.points), 3)), np.empty((scene.frames, len(block.points)))
    states = np.empty((scene.frames, 1, 13))
    for frame in range(scene.frames):
        centres[frame], enthalpy[frame], states[frame] = flow.points(), flow.enthalpy.numpy(), flow.states()
        for step in range(flow.steps if frame < scene.frames - 1 else 1):
            flow.step()
            if step == 0:  # velocities live between the steps: a frame's is the mean of those around it
                states[frame, :, 7:] = (states[frame, :, 7:] + flow.states()[:, 7:]) / 2
    centres[0], states[0, 0, :3], states[0, 0, 7:10] = block.points, block.position, block.velocity
    hottest = plate.temperature if plate else block.melting
    shares = (temperatures(block, enthalpy) - block.cold) / (hottest - block.cold)
    return assemble([_surface(thing, centres, shares) for thing in scene.bodies], states)


def temperatures(block: Meltable, enthalpy: FloatArray) -> FloatArray:
    """Degrees C, from enthalpy over heat capacity."""
    molten = np.maximum(enthalpy - block.melting - block.latent, 0.0)
    return np.asarray(np.minimum(enthalpy, block.melting) + molten, np.float64)


def _surface(thing: Thing, centres: FloatArray, shares: FloatArray) -> Surface:
    if isinstance(thing, Meltable):
        return particle_surface(thing, centres, subdivisions=SUBDIVISIONS, heat=np.clip(shares, 0.0, 1.0))
    if not isinstance(thing, Body):
        raise TypeError(f"{thing.name} is a {type(thing).__name__}, expected a Body")
    surface = static_surface(thing, len(centres))
    return replace(surface, heat=np.ones(surface.vertices.shape[:2])) if isinstance(thing, HotPlate) else surface


def _walls(block: Meltable) -> tuple[FloatArray, FloatArray]:
    """Corners (3,) of the grid: whole cells around the block, its base on the floor."""
    cell = CELL * block.spacing
    middle = block.points.mean(axis=0)
    height = (np.ceil(block.points[:, 2].max() / cell) + ABOVE) * cell
    sides = np.ceil(np.array(SIDES) / cell) * cell
    return np.array([*middle[:2] - sides, 0.0]), np.array([*middle[:2] + sides, height])


def _melt(block: Meltable, plate: HotPlate | None) -> kernels_mpm_heat.Melt:
    melt = kernels_mpm_heat.Melt()
    melt.melting, melt.latent, melt.shear = block.melting, block.latent, block.shear
    if plate is not None:
        melt.plate = plate.temperature
        melt.middle, melt.half = wp.vec2(*plate.position[:2]), wp.vec2(*plate.size[:2])
    return melt
