"""Small scenes of bodies, and settings to solve them with."""

from collections.abc import Sequence

import numpy as np

from components.simulation.camera import look_at
from components.simulation.scene import (
    Body,
    Camera,
    Captions,
    Environment,
    Pattern,
    Quaternion,
    Scene,
    Shape,
    Texture,
    Thing,
    Vec3,
)

GREY = Texture(pattern=Pattern.PLAIN, colour=(0.5, 0.5, 0.5), second_colour=(0.4, 0.4, 0.4))
G = 9.81


def floor(*, friction: float = 1.0) -> Body:
    return Body(
        name="floor",
        shape=Shape.BOX,
        size=(60.0, 60.0, 0.5),
        texture=GREY,
        position=(0.0, 0.0, -0.5),
        restitution=1.0,
        friction=friction,
    )


def thing(
    shape: Shape,
    size: Vec3,
    position: Vec3,
    *,
    name: str = "thing",
    orientation: Quaternion = (0.0, 0.0, 0.0, 1.0),
    velocity: Vec3 = (0.0, 0.0, 0.0),
    angular_velocity: Vec3 = (0.0, 0.0, 0.0),
    mass: float = 10.0,
    restitution: float = 0.0,
    friction: float = 0.5,
) -> Body:
    return Body(
        name=name,
        shape=shape,
        size=size,
        texture=GREY,
        position=position,
        orientation=orientation,
        velocity=velocity,
        angular_velocity=angular_velocity,
        mass=mass,
        restitution=restitution,
        friction=friction,
    )


def ball(
    radius: float, position: Vec3, *, velocity: Vec3 = (0.0, 0.0, 0.0), mass: float = 10.0, restitution: float = 0.0
) -> Body:
    return thing(Shape.SPHERE, (radius, 0.0, 0.0), position, velocity=velocity, mass=mass, restitution=restitution)


def scene(bodies: Sequence[Thing], *, seconds: float = 1.0, fps: int = 96, gravity: Vec3 = (0.0, 0.0, -G)) -> Scene:
    """`bodies` under gravity for `seconds`, seen by a camera that no solver looks at."""
    frames = round(seconds * fps) + 1
    camera = Camera(
        height=16,
        width=16,
        intrinsics=np.array([[16.0, 0.0, 7.5], [0.0, 16.0, 7.5], [0.0, 0.0, 1.0]]),
        extrinsics=np.repeat(look_at(np.array([0.0, -5.0, 2.0]), np.array([0.0, 0.0, 1.0]))[None], frames, axis=0),
    )
    return Scene(
        category="rigid",
        family="test",
        bodies=tuple(bodies),
        environment=Environment(lights=(), ambient=1.0, horizon_colour=(1.0,) * 3, zenith_colour=(1.0,) * 3),
        camera=camera,
        captions=Captions(caption="A test.", caption_initial="A test at rest."),
        frames=frames,
        fps=fps,
        gravity=gravity,
    )
