"""Rigid objects: what they are made of and look like, drawn from the ranges of the category."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.rotations import matrices
from components.simulation.scene import IDENTITY, Body, Pattern, Quaternion, Shape, Vec3

if TYPE_CHECKING:
    from components.parameters.categories.rigid import Rigid
    from components.parameters.simulation import Physics

CYLINDER_RADIUS, CYLINDER_HEIGHT = (0.75, 0.95), (1.5, 1.9)  # over a ball's radius: about as large in the picture
BOX_HALF_EXTENT = (0.7, 0.95)  # likewise
DEPTHWARD = 0.3  # of the speed at most goes along the front view, where little of it can be seen
NOUNS = {Shape.SPHERE: "ball", Shape.BOX: "box", Shape.CYLINDER: "cylinder"}


@dataclass(frozen=True, kw_only=True)
class Material:
    """Where a material lies in the ranges of density, friction and restitution (0 low, 1 high), and how it looks."""

    pattern: Pattern
    density: tuple[float, float]
    friction: tuple[float, float]
    restitution: tuple[float, float]


MATERIALS = {
    "foam": Material(pattern=Pattern.NOISE, density=(0.0, 0.15), friction=(0.5, 0.8), restitution=(0.0, 0.25)),
    "wooden": Material(pattern=Pattern.STRIPES, density=(0.25, 0.5), friction=(0.25, 0.5), restitution=(0.25, 0.5)),
    "plastic": Material(pattern=Pattern.PLAIN, density=(0.6, 0.85), friction=(0.0, 0.25), restitution=(0.5, 0.75)),
    "rubber": Material(pattern=Pattern.CHECKER, density=(0.7, 1.0), friction=(0.8, 1.0), restitution=(0.75, 1.0)),
}


@dataclass(frozen=True, kw_only=True)
class RigidObject:
    """One dynamic object without its place. Sizes as in `Shape`, density in kg/m^3, velocity in m/s."""

    shape: Shape
    size: Vec3
    colour: str
    material: str
    density: float
    friction: float
    restitution: float
    velocity: Vec3

    @property
    def phrase(self) -> str:
        """Colour, material and shape."""
        return f"{self.colour} {self.material} {NOUNS[self.shape]}"

    @property
    def bounding_radius(self) -> float:
        """Radius of the sphere around the object's centre that holds it, in metres."""
        if self.shape is Shape.SPHERE:
            return self.size[0]
        if self.shape is Shape.CYLINDER:
            return float(np.hypot(self.size[0], self.size[1] / 2))
        return float(np.linalg.norm(self.size))

    def depth(self, orientation: Quaternion) -> float:
        """Metres from the object's centre down to its lowest point."""
        x, y, z = matrices(np.array([orientation]))[0, 2]  # the vertical in the object's own axes
        if self.shape is Shape.SPHERE:
            return self.size[0]
        if self.shape is Shape.CYLINDER:
            return float(self.size[0] * np.hypot(x, y) + self.size[1] / 2 * abs(z))
        return float(np.abs([x, y, z]) @ self.size)

    def body(self, *, position: Vec3, orientation: Quaternion = IDENTITY) -> Body:
        """The object at a place."""
        return Body(
            name=f"{self.colour} {NOUNS[self.shape]}",
            shape=self.shape,
            size=self.size,
            texture=coloured(self.colour, MATERIALS[self.material].pattern),
            position=position,
            orientation=orientation,
            velocity=self.velocity,
            mass=self.density * volume(self.shape, self.size),
            material=self.material,
            restitution=self.restitution,
            friction=self.friction,
        )


def volume(shape: Shape, size: Vec3) -> float:
    """Volume of a primitive in cubic metres."""
    if shape is Shape.SPHERE:
        return 4 / 3 * np.pi * size[0] ** 3
    if shape is Shape.CYLINDER:
        return np.pi * size[0] ** 2 * size[1]
    return 8 * size[0] * size[1] * size[2]


def draw_size(rng: np.random.Generator, ranges: "Rigid", shape: Shape) -> Vec3:
    """A size whose silhouette is about that of a ball of `ranges.radius`."""
    radius = float(rng.uniform(*ranges.radius))
    if shape is Shape.SPHERE:
        return (radius, 0.0, 0.0)
    if shape is Shape.CYLINDER:
        return (radius * float(rng.uniform(*CYLINDER_RADIUS)), radius * float(rng.uniform(*CYLINDER_HEIGHT)), 0.0)
    x, y, z = (radius * rng.uniform(*BOX_HALF_EXTENT, size=3)).tolist()
    return (x, y, z)


def draw_object(
    rng: np.random.Generator, ranges: "Rigid", physics: "Physics", *, shape: Shape, size: Vec3, colour: str
) -> RigidObject:
    """Draw material, surface and initial velocity of an object; the material decides where in the ranges it lies."""
    name = str(rng.choice(list(MATERIALS)))
    material = MATERIALS[name]
    return RigidObject(
        shape=shape,
        size=size,
        colour=colour,
        material=name,
        density=_within(rng, ranges.density, material.density),
        friction=_within(rng, ranges.friction, material.friction),
        restitution=_within(rng, physics.restitution, material.restitution),
        velocity=draw_velocity(rng, physics.initial_speed),
    )


def _within(rng: np.random.Generator, bounds: tuple[float, float], part: tuple[float, float]) -> float:
    low, high = bounds
    return low + (high - low) * float(rng.uniform(*part))


def draw_velocity(rng: np.random.Generator, speeds: tuple[float, float]) -> Vec3:
    """A velocity that points into the upper half space, mostly across the picture."""
    speed = float(rng.uniform(*speeds))
    angle, depth = float(rng.uniform(0.0, np.pi)), float(rng.uniform(-DEPTHWARD, DEPTHWARD))
    across = float(np.sqrt(1 - depth**2))
    x, y, z = (speed * np.array([across * np.cos(angle), depth, across * np.sin(angle)]) + 0.0).tolist()  # no -0.0
    return (x, y, z)


def draw_upright_velocity(rng: np.random.Generator, speeds: tuple[float, float]) -> Vec3:
    """A velocity that points into the upper half of the plane across the picture."""
    speed, way = float(rng.uniform(*speeds)), float(rng.uniform(0.0, np.pi))
    return (speed * float(np.cos(way)) + 0.0, 0.0, speed * float(np.sin(way)) + 0.0)
