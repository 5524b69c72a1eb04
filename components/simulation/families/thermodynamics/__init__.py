"""What heat moves."""

from components.simulation.families.family import Solver, on_processor
from components.simulation.solvers import bimetal, melting, plume
from components.simulation.things.melting import Meltable
from components.simulation.things.smoke import Smoke
from components.simulation.things.strip import Strip

SOLVERS = (
    Solver(simulate=melting.simulate, library="warp-lang", of=Meltable, kernels=melting.KERNELS),
    Solver(simulate=on_processor(plume.simulate), library="scipy", of=Smoke),
    Solver(simulate=on_processor(bimetal.simulate), library="scipy", of=Strip),
)
