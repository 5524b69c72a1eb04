"""Soft solids. A new family: a file beside `jelly`, and one line here."""

from components.simulation.families.deformable.bounce import Bounce
from components.simulation.families.deformable.jelly import Jelly
from components.simulation.families.deformable.pillow import Pillow
from components.simulation.families.deformable.squeeze import Squeeze
from components.simulation.families.family import Category
from components.simulation.solvers import elastic

DEFORMABLE = Category(
    families={"bounce": Bounce, "jelly": Jelly, "pillow": Pillow, "squeeze": Squeeze},
    shares=lambda simulation: {str(name): share for name, share in simulation.deformable.families.items()},
    simulate=elastic.simulate,
    solver="warp-lang",
    kernels=elastic.KERNELS,
)
