"""Granular materials. A new family: a file beside `collapse`, and one line here."""

from components.simulation.families.family import Category
from components.simulation.families.granular.avalanche import Avalanche
from components.simulation.families.granular.collapse import Collapse
from components.simulation.families.granular.hopper import Hopper
from components.simulation.families.granular.impact import Impact
from components.simulation.solvers import granular, sand

GRANULAR = Category(
    families={"avalanche": Avalanche, "collapse": Collapse, "hopper": Hopper, "impact": Impact},
    shares=lambda simulation: {str(name): share for name, share in simulation.granular.families.items()},
    simulate=granular.simulate,
    solver="pybullet",
    kernels=sand.KERNELS,
)
