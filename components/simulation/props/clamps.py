"""Grey clamps that hold a strip by its end, and what carries them."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from components.simulation.captions import side
from components.simulation.props.stands import post, static
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Shape

Mount = Literal["lying", "standing", "hanging"]
CLAMP = 0.09  # metres: half the side of the block in which the strip is clamped
REACH = 1.2  # metres from the middle of a beam to its posts


@dataclass(frozen=True, kw_only=True)
class Clamped:
    """A strip clamped at one end; way: 1 where it bends towards +x, or up, -1 towards -x, or down.

    free: 1 where the free end of a lying strip is on the side of +x, -1 where of -x; turn: degrees about z.
    """

    mount: Mount
    way: int
    free: int
    turn: float

    @property
    def directions(self) -> tuple[FloatArray, FloatArray]:
        """Unit vectors (3,) along the strip and towards where it bends."""
        turn, x, z = about("z", self.turn), np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
        if self.mount == "lying":
            return turn.apply(self.free * x), self.way * z
        return (z if self.mount == "standing" else -z), turn.apply(self.way * x)

    def root(self, length: float, height: float) -> FloatArray:
        """Where (3,) a strip of a length leaves its clamp, at a height."""
        if self.mount == "lying":
            return np.asarray(about("z", self.turn).apply([-self.free * length / 2, 0.0, height]), np.float64)
        return np.array([0.0, 0.0, height])

    def sides(self, extrinsics: FloatArray) -> tuple[str, str]:
        """Of the picture that its free end is on, and of the strip that it bends away from."""
        along, towards = self.directions
        free, back = (side(extrinsics, (0.0, 0.0, 1.0), vec3(way)) for way in (along, -towards))
        return free, (("lower" if self.way > 0 else "upper") if self.mount == "lying" else back)

    def clamp(self, root: FloatArray, *, width: float) -> tuple[Body, ...]:
        """The clamp of a strip of a width that leaves it at `root`, and its post, or the beam it hangs from."""
        middle, across = root - CLAMP * self.directions[0], width / 2 + CLAMP
        block = static("clamp", Shape.BOX, (CLAMP, across, CLAMP), vec3(middle), assembly="clamp")
        block = replace(block, orientation=quaternion(about("z", self.turn)))
        x, y, z = middle.tolist()
        if self.mount == "lying":
            return (block, post("post", x, y, z - CLAMP, assembly="clamp"))
        if self.mount == "standing":
            return (block,)
        beam = static("beam", Shape.BOX, (REACH, CLAMP / 2, CLAMP / 2), (0.0, 0.0, z + 1.5 * CLAMP), assembly="clamp")
        ends = (("left", -REACH), ("right", REACH))
        posts = (post(f"{name} post", place, 0.0, z + 2 * CLAMP, assembly="") for name, place in ends)
        return (block, beam, *posts)
