"""Ropes and what hangs on them."""

from components.simulation.families.family import Solver, on_processor
from components.simulation.solvers import bullet_joints

SOLVERS = (Solver(simulate=on_processor(bullet_joints.simulate), library="pybullet"),)
