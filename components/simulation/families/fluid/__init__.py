"""Liquids. A new family: a file beside `dam_break`, and one line here."""

from components.simulation.families.family import Category
from components.simulation.families.fluid.dam_break import DamBreak
from components.simulation.families.fluid.plunge import Plunge
from components.simulation.families.fluid.pour import Pour
from components.simulation.families.fluid.viscous import Viscous
from components.simulation.solvers import mpm

FLUID = Category(
    families={"dam_break": DamBreak, "plunge": Plunge, "pour": Pour, "viscous": Viscous},
    shares=lambda simulation: {str(name): share for name, share in simulation.fluid.families.items()},
    simulate=mpm.simulate,
    solver="warp-lang",
    kernels=mpm.KERNELS,
)
