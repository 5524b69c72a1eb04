"""Granular materials."""

from components.simulation.families.family import Solver, on_processor
from components.simulation.solvers import bullet_grains, sand
from components.simulation.things.particles import Sand

SOLVERS = (
    Solver(simulate=sand.simulate, library="warp-lang", of=Sand, kernels=sand.KERNELS),
    Solver(simulate=on_processor(bullet_grains.simulate), library="pybullet"),
)
