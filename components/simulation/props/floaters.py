"""Balls that float or sink: never so near to the density of water that it is hard to tell which."""

from typing import TYPE_CHECKING

import numpy as np

from components.simulation.props.objects import RigidObject, draw_upright_velocity
from components.simulation.scene import Shape

if TYPE_CHECKING:
    from components.parameters.categories.fluid import Fluid
    from components.parameters.simulation import Physics

WATER = 1000.0  # kg/m^3
NEUTRAL = (850.0, 1250.0)  # kg/m^3: left out, so that a second or two show whether it floats or sinks
FOAM = 450.0  # kg/m^3: what is lighter is of foam, what floats besides of wood, what sinks of rubber


def draw_floater(rng: np.random.Generator, ranges: "Fluid", physics: "Physics", *, colour: str) -> RigidObject:
    """A ball; where the range of densities allows both, half of them float."""
    radius = float(rng.uniform(*ranges.radius))
    density = _draw_density(rng, ranges.density)
    return RigidObject(
        shape=Shape.SPHERE,
        size=(radius, 0.0, 0.0),
        colour=colour,
        material="foam" if density < FOAM else "wooden" if density < WATER else "rubber",
        density=density,
        friction=0.5,
        restitution=0.0,
        velocity=draw_upright_velocity(rng, physics.initial_speed),
    )


def _draw_density(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    low, high = bounds
    parts = [(low, min(high, NEUTRAL[0])), (max(low, NEUTRAL[1]), high)]
    possible = [part for part in parts if part[0] <= part[1]]
    return float(rng.uniform(*possible[int(rng.integers(len(possible)))])) if possible else low
