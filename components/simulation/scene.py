"""A scene: what is in the world and how it is seen. Solvers and the renderer are two views of it.

Units are SI. World: right-handed, z up, gravity along -z unless a scene says otherwise.
Cameras follow OpenCV: x right, y down, z forward.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vec3: TypeAlias = tuple[float, float, float]
Quaternion: TypeAlias = tuple[float, float, float, float]  # x, y, z, w
Kind: TypeAlias = Literal["rigid", "deformable", "particles"]  # as in ClipObject
Colour: TypeAlias = tuple[float, float, float]  # linear RGB, 0..1
FloatArray: TypeAlias = NDArray[np.float64]

IDENTITY: Quaternion = (0.0, 0.0, 0.0, 1.0)


class Shape(StrEnum):
    """Primitive collision shapes. `size`: sphere (radius, 0, 0); box half extents; cylinder (radius, height, 0)."""

    SPHERE = "sphere"
    BOX = "box"
    CYLINDER = "cylinder"


class Pattern(StrEnum):
    """Procedural textures, evaluated in the body's own coordinates."""

    PLAIN = "plain"
    CHECKER = "checker"
    STRIPES = "stripes"
    NOISE = "noise"


@dataclass(frozen=True, kw_only=True)
class Texture:
    """A pattern of two colours; `scale` is the pattern's period in metres."""

    pattern: Pattern
    colour: Colour
    second_colour: Colour
    scale: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What is in the world, of whatever kind: one instance, with one texture. mass 0: part of the static world.

    A subclass says what its solver needs. position and orientation: where it begins; of what has no pose of its own,
    its centre of mass and IDENTITY. assembly: things that share one are joined and may overlap.
    """

    kind: ClassVar[Kind] = "rigid"

    name: str
    texture: Texture
    position: Vec3
    orientation: Quaternion = IDENTITY
    velocity: Vec3 = (0.0, 0.0, 0.0)
    angular_velocity: Vec3 = (0.0, 0.0, 0.0)
    mass: float = 0.0
    material: str = "plastic"
    assembly: str = ""

    @property
    def dynamic(self) -> bool:
        """Whether it moves under forces."""
        return self.mass > 0.0


@dataclass(frozen=True, kw_only=True)
class Body(Thing):
    """One rigid body of a primitive shape."""

    shape: Shape
    size: Vec3
    restitution: float = 0.5  # restitutions of two bodies in contact multiply; the floor has 1
    friction: float = 0.5  # likewise
    rolling_friction: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Light:
    """A directional light: `direction` points from the scene towards the light."""

    direction: Vec3
    intensity: float = 0.8


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Lights, ambient light and the sky's gradient."""

    lights: tuple[Light, ...]
    ambient: float
    horizon_colour: Colour
    zenith_colour: Colour


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Pinhole: (K) pixel centres at integer coordinates; extrinsics (T,4,4) world to camera, one per frame."""

    height: int
    width: int
    intrinsics: FloatArray
    extrinsics: FloatArray
    far: float = 100.0


@dataclass(frozen=True, kw_only=True)
class Captions:
    """`caption`: objects, materials, initial state. `caption_initial`: also direction and speed of all that moves."""

    caption: str
    caption_initial: str


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a family makes of a configuration: everything a solver and the renderer need."""

    category: str
    family: str
    bodies: tuple[Thing, ...]  # instance id = index + 2 for dynamic bodies and 1 for static ones: see `instance_ids`
    environment: Environment
    camera: Camera
    captions: Captions
    frames: int
    fps: int
    gravity: Vec3 = (0.0, 0.0, -9.81)
    future_determined: bool = True
    parameters: dict[str, object] = field(default_factory=dict)  # what was drawn: hashed as the configuration

    @property
    def instance_ids(self) -> tuple[int, ...]:
        """Segmentation id of each body: 1 for the static world, then 2, 3, ... for dynamic bodies in order."""
        ids, following = [], 2
        for body in self.bodies:
            ids.append(following if body.dynamic else 1)
            following += body.dynamic
        return tuple(ids)


def rigid_bodies(scene: Scene) -> tuple[Body, ...]:
    """The scene's things, all of them rigid bodies; TypeError names one that is not."""
    bodies = tuple(thing for thing in scene.bodies if isinstance(thing, Body))
    if len(bodies) < len(scene.bodies):
        other = next(thing for thing in scene.bodies if not isinstance(thing, Body))
        raise TypeError(f"{other.name} is a {type(other).__name__}, expected a Body")
    return bodies


@dataclass(frozen=True, kw_only=True)
class Motion:
    """What every solver returns: surfaces with fixed topology, and the state of every dynamic thing.

    vertices (T,V,3) and normals (T,V,3) in the world; reference (V,3): the same vertices in the coordinates textures
    are evaluated in (fixed over time); faces (F,3); face_body (F,): index into `Scene.bodies`; poses (T,N,7) xyz and
    quaternion xyzw (not rigid: centre of mass and IDENTITY); velocities (T,N,6) linear and angular (not rigid: of the
    centre of mass, and 0); N dynamic things in the order of `Scene.bodies`. heat (T,V), where something is hot: its
    place in the temperature colours, from 0 (none) to 1 (yellow), which RGB shows and albedo does not.
    """

    vertices: FloatArray
    normals: FloatArray
    reference: FloatArray
    faces: NDArray[np.int32]
    face_body: NDArray[np.int32]
    poses: FloatArray
    velocities: FloatArray
    heat: FloatArray | None = None
