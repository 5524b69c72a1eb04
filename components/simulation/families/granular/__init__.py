"""Granular materials."""

from components.simulation.families.family import Solver
from components.simulation.solvers import bullet_grains

SOLVERS = (Solver(simulate=bullet_grains.simulate, library="pybullet"),)
