"""See-saw: a level plank on an axle, and a box on either side of it; one torque is the greater."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.errors import ParametersError
from components.simulation.captions import article, choose, side, write_captions
from components.simulation.props.looks import coloured, draw_colours
from components.simulation.props.rods import AXLE
from components.simulation.props.stands import POST, post, static
from components.simulation.props.weights import Weight
from components.simulation.rotations import vec3
from components.simulation.scene import Body, Captions, FloatArray, Pattern, Shape, Vec3
from components.simulation.things.joints import Joint, JointedBody

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

PLANK: Vec3 = (1.5, 0.3, 0.045)  # half extents in metres
PLANK_DENSITY = 300.0  # kg/m^3: light wood
HEIGHT = (0.45, 0.65)  # metres from the floor to the axle
DISTANCE = (0.4, 1.2)  # metres from the axle to the middle of a box
UNBALANCED = 1.3  # at least, of the greater torque over the other: enough to see it within a clip
FRICTION = 0.8  # of plank and boxes; those of two multiply
DRAWS = 200
PLACE = (
    "a level plank on an axle, with {first} {a:.1f} metres from its middle on the {left} and {second} {b:.1f} metres on"
    " the {right}.",
    "on a {plank} see-saw, {first} is {a:.1f} metres to the {left} of the axle and {second} {b:.1f} metres to the"
    " {right}.",
    "{first} and {second} on the two arms of a see-saw, {a:.1f} metres from the axle on the {left} and {b:.1f} on the"
    " {right}.",
)


@dataclass(frozen=True, kw_only=True)
class SeeSaw:
    """weights at -distances[0] and +distances[1] metres along the plank; rate in radians per second about +y."""

    weights: tuple[Weight, Weight]
    distances: tuple[float, float]
    height: float
    rate: float
    colour: str

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw boxes and distances that do not balance."""
        ranges = simulation.articulated
        first, second, plank = draw_colours(rng, 3)
        for _ in range(DRAWS):
            a, b = (
                Weight.draw(rng, radii=ranges.radius, densities=ranges.density, colour=colour, shape=Shape.BOX)
                for colour in (first, second)
            )
            distances = (float(rng.uniform(*DISTANCE)), float(rng.uniform(*DISTANCE)))
            ratio = a.mass * distances[0] / (b.mass * distances[1])
            if max(ratio, 1 / ratio) > UNBALANCED:
                return cls(
                    weights=(a, b),
                    distances=distances,
                    height=float(rng.uniform(*HEIGHT)),
                    rate=float(rng.uniform(*physics.initial_speed) * rng.choice([-1.0, 1.0])) / PLANK[0],
                    colour=plank,
                )
        raise ParametersError("every see-saw balances: widen simulation.articulated.radius or density")

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Other distances, of which the same side remains the heavier."""
        one, two, rate = rng.normal(1.0, spread, size=3).tolist()
        most = UNBALANCED**0.25
        one, two = (min(max(share, 1 / most), most) for share in (one, two))
        return replace(self, distances=(self.distances[0] * one, self.distances[1] * two), rate=self.rate * rate)

    def bodies(self) -> tuple[Body, ...]:
        """Two posts with an axle, the plank, and the boxes on it."""
        pivot, turning = np.array([0.0, 0.0, self.height]), np.array([0.0, self.rate, 0.0])
        aside = PLANK[1] + 2 * POST
        plank = JointedBody(
            name="plank",
            shape=Shape.BOX,
            size=PLANK,
            texture=coloured(self.colour, Pattern.STRIPES),
            position=vec3(pivot),
            angular_velocity=vec3(turning),
            mass=PLANK_DENSITY * 8 * float(np.prod(PLANK)),
            material="wooden",
            friction=FRICTION,
            restitution=0.3,
            assembly="stand",
            joint=Joint(parent="axle", pivot=vec3(pivot)),
        )
        boxes = []
        for weight, along in zip(self.weights, (-self.distances[0], self.distances[1]), strict=True):
            offset = np.array([along, 0.0, PLANK[2] + weight.radius])
            velocity = vec3(np.cross(turning, offset) + 0.0)
            place = vec3(pivot + offset)
            boxes.append(weight.body(place, velocity=velocity, angular_velocity=vec3(turning), friction=FRICTION))
        axle = static("axle", Shape.CYLINDER, (AXLE, 2 * aside, 0.0), vec3(pivot), along="y")
        posts = [post(f"{name} post", 0.0, y, self.height + POST) for name, y in (("front", -aside), ("back", aside))]
        return (axle, *posts, plank, *boxes)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """Both boxes and where they are."""
        left, right = (side(extrinsics, (0.0, 0.0, 1.0), (x, 0.0, 0.0)) for x in (-1.0, 1.0))
        phrases = [weight.phrase for weight in self.weights]
        words = {"first": article(phrases[0]), "second": article(phrases[1]), "left": left, "right": right}
        places = {"a": self.distances[0], "b": self.distances[1], "plank": self.colour}
        sentence = choose(rng, PLACE).format(**words, **places)
        objects = list(zip(phrases, self.bodies()[-2:], strict=True))
        return write_captions(rng, extrinsics=extrinsics, sentences=[sentence], objects=objects)
