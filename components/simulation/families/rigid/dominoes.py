"""Dominoes: a row whose first piece leans beyond its balance; whole, or with a gap, or with a block in it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.captions import describe, side
from components.simulation.props.objects import RigidObject
from components.simulation.props.row import block_at, draw_pieces, row_of
from components.simulation.rotations import vec3
from components.simulation.scene import Body, Captions, FloatArray

if TYPE_CHECKING:
    from components.parameters.simulation import Physics, Simulation

PIECES = 6  # as many as there are colours
PITCH = (0.5, 0.6)  # over the height of a piece, from piece to piece: each reaches the next above its middle
GAP = 1.35  # likewise, across a gap or a block: further than a piece that lies on the floor reaches
LEAN = (3.0, 6.0)  # degrees of the first piece beyond its balance
YAW = (-12.0, 12.0)  # degrees around straight across the front view
PLACE = (
    "a row of {count} dominoes{what}; the {first} one at its {side} end leans towards the others.",
    "{count} dominoes stand in a row{what}, the first on the {side}, {first}, leaning on one edge towards the next.",
    "an upright row of {count} dominoes{what}, but the {first} one, outermost on the {side}, is tilted inwards.",
    "on a grey floor {count} dominoes in a row{what}; on the {side} the {first} one is tilted towards the rest.",
)
WHAT = {"row": "", "gap": " with a wide gap between {two}", "block": " with a grey block between {two}"}


@dataclass(frozen=True, kw_only=True)
class Dominoes:
    """Pieces from the first; what interrupts the row after `cut` pieces; pitch in metres, lean and yaw in degrees."""

    pieces: tuple[RigidObject, ...]
    kind: str  # of WHAT
    cut: int
    pitch: float
    lean: float
    yaw: float

    @classmethod
    def draw(cls, rng: np.random.Generator, simulation: "Simulation", physics: "Physics") -> Self:
        """Draw equal pieces of several colours, and how they stand."""
        pieces = draw_pieces(rng, simulation, physics, PIECES)
        return cls(
            pieces=pieces,
            kind=str(rng.choice(list(WHAT))),
            cut=int(rng.integers(2, PIECES - 1)),
            pitch=2 * pieces[0].size[2] * float(rng.uniform(*PITCH)),
            lean=float(rng.uniform(*LEAN)),
            yaw=float(rng.choice([0.0, 180.0]) + rng.uniform(*YAW)),
        )

    def perturbed(self, rng: np.random.Generator, spread: float) -> Self:
        """The first piece leans a little more or less, and still beyond its balance."""
        return replace(self, lean=self.lean * float(np.clip(rng.normal(1.0, spread), 0.5, 1.1)))

    def bodies(self) -> tuple[Body, ...]:
        """The pieces, and the block in front of them, if there is one."""
        height = 2 * self.pieces[0].size[2]
        wide = 0.0 if self.kind == "row" else GAP * height - self.pitch
        row = np.arange(PIECES)
        places = ((row - row.mean()) * self.pitch + wide * ((row >= self.cut) - 0.5)).tolist()
        pieces = row_of(self.pieces, places, yaw=self.yaw, lean=self.lean)
        if self.kind != "block":
            return pieces
        middle = (places[self.cut - 1] + places[self.cut]) / 2
        return (block_at(middle, yaw=self.yaw, height=height), *pieces)

    def captions(self, rng: np.random.Generator, extrinsics: FloatArray) -> Captions:
        """The row, what interrupts it, and the piece that leans."""
        pieces, colours = self.bodies()[-PIECES:], [piece.colour for piece in self.pieces]
        what = WHAT[self.kind].format(two=f"the {colours[self.cut - 1]} and the {colours[self.cut]} one")
        end = side(extrinsics, pieces[-1].position, vec3(np.subtract(pieces[0].position, pieces[-1].position)))
        words = {"count": f"{PIECES} {self.pieces[0].material}", "what": what, "first": colours[0], "side": end}
        objects = [(f"{colour} domino", piece) for colour, piece in zip(colours, pieces, strict=True)]
        return describe(rng, extrinsics, [PLACE], objects, **words)
