"""Bodies on joints."""

from components.simulation.families.family import Solver
from components.simulation.solvers import bullet_joints

SOLVERS = (Solver(simulate=bullet_joints.simulate, library="pybullet"),)
