"""What hangs on joints and ropes: coloured balls and boxes of some material."""

from dataclasses import dataclass, replace

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.props.objects import MATERIALS, volume
from components.simulation.rotations import vec3
from components.simulation.scene import IDENTITY, Body, FloatArray, Pattern, Quaternion, Shape, Texture, Vec3
from components.simulation.things.joints import Joint, JointedBody, jointed

STILL: Vec3 = (0.0, 0.0, 0.0)
RESTITUTION, HUNG_FRICTION = 0.3, 0.2  # of weights, unless a family says otherwise
DENSITIES = {"wooden": (0.0, 0.3), "plastic": (0.2, 0.5), "rubber": (0.4, 0.7), "steel": (0.7, 1.0)}  # in the range
PATTERNS = {name: material.pattern for name, material in MATERIALS.items()} | {"steel": Pattern.PLAIN}


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A ball or a cube without its place: radius, or half the side, in metres; density in kg/m^3."""

    shape: Shape
    radius: float
    colour: str
    material: str
    density: float

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        *,
        radii: tuple[float, float],
        densities: tuple[float, float],
        colour: str,
        shape: Shape = Shape.SPHERE,
    ) -> "Weight":
        """Draw a size and a material, which decides where in the range of densities it lies."""
        material = str(rng.choice(list(DENSITIES)))
        share = float(rng.uniform(*DENSITIES[material]))
        return cls(
            shape=shape,
            radius=float(rng.uniform(*radii)),
            colour=colour,
            material=material,
            density=densities[0] + (densities[1] - densities[0]) * share,
        )

    @property
    def size(self) -> Vec3:
        """As in `Shape`."""
        return (self.radius, self.radius, self.radius) if self.shape is Shape.BOX else (self.radius, 0.0, 0.0)

    @property
    def mass(self) -> float:
        """Kilograms."""
        return self.density * volume(self.shape, self.size)

    @property
    def name(self) -> str:
        """Colour and shape: one of its own in every scene."""
        return f"{self.colour} {'box' if self.shape is Shape.BOX else 'ball'}"

    @property
    def phrase(self) -> str:
        """Colour, material and shape."""
        return f"{self.colour} {self.material} {'box' if self.shape is Shape.BOX else 'ball'}"

    @property
    def texture(self) -> Texture:
        """Of its colour, in its material's pattern."""
        return coloured(self.colour, PATTERNS[self.material])

    def body(
        self,
        position: Vec3,
        *,
        orientation: Quaternion = IDENTITY,
        velocity: Vec3 = STILL,
        angular_velocity: Vec3 = STILL,
        friction: float = 0.6,
    ) -> Body:
        """The weight at a place, joined to nothing."""
        return Body(
            name=self.name,
            shape=self.shape,
            size=self.size,
            texture=self.texture,
            position=position,
            orientation=orientation,
            velocity=velocity,
            angular_velocity=angular_velocity,
            mass=self.mass,
            material=self.material,
            friction=friction,
            restitution=RESTITUTION,
        )

    def carried(
        self,
        pivot: FloatArray,
        offset: FloatArray,
        turning: FloatArray,
        *,
        friction: float,
        orientation: Quaternion = IDENTITY,
    ) -> Body:
        """The weight `offset` (3,) from a pivot (3,), on what turns about it at `turning` (3,) radians per second."""
        return self.body(
            vec3(pivot + offset),
            orientation=orientation,
            velocity=vec3(np.cross(turning, offset) + 0.0),
            angular_velocity=vec3(turning),
            friction=friction,
        )

    def hung(
        self,
        position: Vec3,
        joint: Joint,
        *,
        orientation: Quaternion = IDENTITY,
        velocity: Vec3 = STILL,
        angular_velocity: Vec3 = STILL,
        restitution: float = RESTITUTION,
        assembly: str = "",
    ) -> JointedBody:
        """The weight at a place, on a joint."""
        free = self.body(
            position,
            orientation=orientation,
            velocity=velocity,
            angular_velocity=angular_velocity,
            friction=HUNG_FRICTION,
        )
        return jointed(replace(free, restitution=restitution, assembly=assembly), joint)
