"""Rigid bodies."""

from components.simulation.families.family import Solver
from components.simulation.solvers import bullet

SOLVERS = (Solver(simulate=bullet.simulate, library="pybullet"),)
