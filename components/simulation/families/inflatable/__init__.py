"""Inflatables: shells around a gas. A new family: a file beside `bounce`, and one line here."""

from components.simulation.families.family import Category
from components.simulation.families.inflatable.bounce import Bounce
from components.simulation.families.inflatable.cushion import Cushion
from components.simulation.families.inflatable.deflate import Deflate
from components.simulation.families.inflatable.inflate import Inflate
from components.simulation.solvers import xpbd

INFLATABLE = Category(
    families={"bounce": Bounce, "cushion": Cushion, "deflate": Deflate, "inflate": Inflate},
    shares=lambda simulation: {str(name): share for name, share in simulation.inflatable.families.items()},
    simulate=xpbd.simulate,
    solver="warp-lang",
    kernels=xpbd.KERNELS,
)
