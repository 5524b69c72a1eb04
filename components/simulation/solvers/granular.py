"""Which solver moves grains: Bullet one by one, or the material point method as sand."""

from components.simulation.scene import Motion, Scene
from components.simulation.solvers import bullet_grains, sand
from components.simulation.things.particles import Sand


def simulate(scene: Scene) -> Motion:
    """Solve a scene of grains. Raises ValueError for what its solver does not know."""
    if any(isinstance(thing, Sand) for thing in scene.bodies):
        return sand.simulate(scene)
    return bullet_grains.simulate(scene)
