"""Soft solids."""

from components.simulation.families.family import Solver
from components.simulation.solvers import elastic

SOLVERS = (Solver(simulate=elastic.simulate, library="warp-lang", kernels=elastic.KERNELS),)
