"""Rigid bodies."""

from components.simulation.families.family import Solver, on_processor
from components.simulation.solvers import bullet

SOLVERS = (Solver(simulate=on_processor(bullet.simulate), library="pybullet"),)
