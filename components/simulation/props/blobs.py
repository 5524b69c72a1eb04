"""Blobs: soft boxes, cylinders and balls of some gel."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from components.simulation.props.looks import coloured
from components.simulation.props.objects import draw_velocity
from components.simulation.rotations import about
from components.simulation.scene import FloatArray, Pattern, Shape, Vec3
from components.simulation.things.soft import Elastic, SoftBody, soft_body
from components.simulation.things.tetrahedra import Solid, ball, box, cylinder

if TYPE_CHECKING:
    from components.parameters.categories.deformable import Deformable
    from components.parameters.simulation import Physics

POISSON = 0.498  # of gels, which are mostly water: near incompressible
FRICTION = 0.7
CLEARANCE = 0.003  # metres at which vertices are kept from bodies
NOUNS = {Shape.SPHERE: "ball", Shape.BOX: "block", Shape.CYLINDER: "cylinder"}
BOX_CELLS, RINGS, SHELLS = (6, 6, 6), 5, 5
HALF_EXTENT = (0.65, 0.85)  # of a box, over the radius of a ball
CYLINDER_RADIUS, CYLINDER_HEIGHT = (0.75, 0.9), (1.4, 1.8)  # likewise


@dataclass(frozen=True, kw_only=True)
class Gel:
    """A pattern, density in kg/m^3, and damping in seconds."""

    pattern: Pattern
    density: float
    damping: float


GELS = {
    "jelly": Gel(pattern=Pattern.NOISE, density=1050.0, damping=0.004),
    "silicone gel": Gel(pattern=Pattern.CHECKER, density=980.0, damping=0.003),
    "gelatin": Gel(pattern=Pattern.STRIPES, density=1100.0, damping=0.006),
}


@dataclass(frozen=True, kw_only=True)
class Blob:
    """A soft body without its place: size as in `Shape`, young in Pa, velocity in m/s; tilt and yaw in degrees."""

    shape: Shape
    size: Vec3
    colour: str
    gel: str
    young: float
    velocity: Vec3
    yaw: float
    tilt: float = 0.0

    @classmethod
    def draw(
        cls, rng: np.random.Generator, ranges: "Deformable", physics: "Physics", *, shape: Shape, colour: str
    ) -> "Blob":
        """Draw size, gel, stiffness and initial velocity."""
        radius = float(rng.uniform(*ranges.radius))
        size = {
            Shape.SPHERE: (radius, 0.0, 0.0),
            Shape.BOX: tuple((radius * rng.uniform(*HALF_EXTENT, size=3)).tolist()),
            Shape.CYLINDER: (
                radius * float(rng.uniform(*CYLINDER_RADIUS)), radius * float(rng.uniform(*CYLINDER_HEIGHT)), 0.0
            ),
        }[shape]  # fmt: skip
        return cls(
            shape=shape,
            size=(size[0], size[1], size[2]),
            colour=colour,
            gel=str(rng.choice(list(GELS))),
            young=float(rng.uniform(*ranges.young)),
            velocity=draw_velocity(rng, physics.initial_speed),
            yaw=float(rng.uniform(0.0, 90.0)),
        )

    @property
    def phrase(self) -> str:
        """Colour, gel and shape."""
        return f"{self.colour} {self.gel} {NOUNS[self.shape]}"

    @property
    def points(self) -> FloatArray:
        """Vertices (V,3) around the middle, turned."""
        turn = about("z", self.yaw) * about("y", self.tilt)
        return np.asarray(turn.apply(self.solid.vertices), np.float64)

    @property
    def solid(self) -> Solid:
        """Its cells."""
        if self.shape is Shape.SPHERE:
            return ball(self.size[0], SHELLS)
        return box(self.size, BOX_CELLS) if self.shape is Shape.BOX else cylinder(self.size[0], self.size[1], RINGS)

    @property
    def height(self) -> float:
        """Metres from its lowest to its highest vertex."""
        return float(self.points[:, 2].max()) - float(self.points[:, 2].min())

    def over_floor(self, x: float, y: float, height: float = 0.0) -> SoftBody:
        """The blob with its lowest point `height` above the floor."""
        return self.body(np.array([x, y, height + CLEARANCE - float(self.points[:, 2].min())]))

    def body(self, middle: FloatArray) -> SoftBody:
        """The blob around a point (3,)."""
        gel = GELS[self.gel]
        return soft_body(
            name=f"{self.colour} {NOUNS[self.shape]}",
            texture=coloured(self.colour, gel.pattern, scale=0.3),
            solid=self.solid,
            elastic=Elastic(
                density=gel.density, young=self.young, poisson=POISSON, damping=gel.damping, friction=FRICTION
            ),
            points=self.points + middle,
            material=self.gel,
            thickness=CLEARANCE,
            velocity=self.velocity,
        )
