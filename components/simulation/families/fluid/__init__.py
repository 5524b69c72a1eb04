"""Liquids."""

from components.simulation.families.family import Solver
from components.simulation.solvers import mpm

SOLVERS = (Solver(simulate=mpm.simulate, library="warp-lang", kernels=mpm.KERNELS),)
