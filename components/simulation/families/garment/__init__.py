"""Garments: cloth."""

from components.simulation.families.family import Solver
from components.simulation.solvers import xpbd

SOLVERS = (Solver(simulate=xpbd.simulate, library="warp-lang", kernels=xpbd.KERNELS),)
