"""The solvers of the category thermodynamics: what a scene holds decides which of them solves it."""

from components.simulation.scene import Motion, Scene
from components.simulation.solvers import bimetal, melting, plume
from components.simulation.things.melting import Meltable
from components.simulation.things.smoke import Smoke

KERNELS = melting.KERNELS


def simulate(scene: Scene) -> Motion:
    """Solve a scene. Raises as the solvers do where it holds what none of them can move."""
    if any(isinstance(thing, Meltable) for thing in scene.bodies):
        return melting.simulate(scene)
    if any(isinstance(thing, Smoke) for thing in scene.bodies):
        return plume.simulate(scene)
    return bimetal.simulate(scene)
