"""What heat moves. A new family: a file beside `bimetal`, and one line here."""

from components.simulation.families.family import Category
from components.simulation.families.thermodynamics.bimetal import Bimetal
from components.simulation.families.thermodynamics.melting import Melting
from components.simulation.families.thermodynamics.plume import Plume
from components.simulation.solvers import thermal

THERMODYNAMICS = Category(
    families={"bimetal": Bimetal, "melting": Melting, "plume": Plume},
    shares=lambda simulation: {str(name): share for name, share in simulation.thermodynamics.families.items()},
    simulate=thermal.simulate,
    solver="scipy",
    kernels=thermal.KERNELS,
)
