"""Garments: cloth. A new family: a file beside `drape`, and one line here."""

from components.simulation.families.family import Category
from components.simulation.families.garment.catch import Catch
from components.simulation.families.garment.curtain import Curtain
from components.simulation.families.garment.drape import Drape
from components.simulation.families.garment.flag import Flag
from components.simulation.solvers import xpbd

GARMENT = Category(
    families={"catch": Catch, "curtain": Curtain, "drape": Drape, "flag": Flag},
    shares=lambda simulation: {str(name): share for name, share in simulation.garment.families.items()},
    simulate=xpbd.simulate,
    solver="warp-lang",
    kernels=xpbd.KERNELS,
)
