"""See-saw: a level plank on an axle, and a box on either side of it; one torque is the greater."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import article, describe, side
from components.simulation.props.looks import draw_colours
from components.simulation.props.planks import FRICTION, LIGHT_WOOD, PLANK, UNBALANCED, axle_on_posts, board, draw_load
from components.simulation.props.weights import Weight
from components.simulation.rotations import vec3
from components.simulation.scene import Body, Captions, FloatArray
from components.simulation.things.joints import Joint

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

HEIGHT = (0.45, 0.65)  # metres from the floor to the axle
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
        first, second, plank = draw_colours(rng, 3)
        weights, distances = draw_load(rng, simulation.articulated, (first, second))
        return cls(
            weights=weights,
            distances=distances,
            height=float(rng.uniform(*HEIGHT)),
            rate=float(rng.uniform(*physics.initial_speed) * rng.choice([-1.0, 1.0])) / PLANK[0],
            colour=plank,
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """Other distances, of which the same side remains the heavier."""
        one, two, rate = rng.normal(1.0, spread, size=3).tolist()
        most = UNBALANCED**0.25
        one, two = (min(max(share, 1 / most), most) for share in (one, two))
        return replace(self, distances=(self.distances[0] * one, self.distances[1] * two), rate=self.rate * rate)

    def bodies(self) -> tuple[Body, ...]:
        """Two posts with an axle, the plank, and the boxes on it."""
        pivot, turning = np.array([0.0, 0.0, self.height]), np.array([0.0, self.rate, 0.0])
        joint = Joint(parent="axle", pivot=vec3(pivot))
        plank = board("plank", self.colour, PLANK, vec3(pivot), joint, density=LIGHT_WOOD)
        plank = replace(plank, angular_velocity=vec3(turning), friction=FRICTION, restitution=0.3)
        boxes = []
        for weight, along in zip(self.weights, (-self.distances[0], self.distances[1]), strict=True):
            offset = np.array([along, 0.0, PLANK[2] + weight.radius])
            boxes.append(weight.carried(pivot, offset, turning, friction=FRICTION))
        return (*axle_on_posts(self.height), plank, *boxes)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """Both boxes and where they are."""
        left, right = (side(extrinsics, (0.0, 0.0, 1.0), (x, 0.0, 0.0)) for x in (-1.0, 1.0))
        phrases = [weight.phrase for weight in self.weights]
        words = {"first": article(phrases[0]), "second": article(phrases[1]), "left": left, "right": right}
        places = {"a": self.distances[0], "b": self.distances[1], "plank": self.colour}
        objects = zip(phrases, self.bodies()[-2:], strict=True)
        return describe(rng, extrinsics, [PLACE], objects, **words, **places)
