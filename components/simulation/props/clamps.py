"""Grey clamps that hold a strip by its end, and what carries them."""

from dataclasses import replace
from typing import Literal

from scipy.spatial.transform import Rotation

from components.simulation.props.stands import post, static
from components.simulation.rotations import quaternion, vec3
from components.simulation.scene import Body, FloatArray, Shape

Mount = Literal["lying", "standing", "hanging"]
CLAMP = 0.09  # metres: half the side of the block in which the strip is clamped
REACH = 1.2  # metres from the middle of a beam to its posts


def clamp(mount: Mount, middle: FloatArray, *, across: float, turn: Rotation) -> tuple[Body, ...]:
    """The clamp, `across` metres to either side of its middle (3,), and its post, or the beam it hangs from."""
    block = static("clamp", Shape.BOX, (CLAMP, across, CLAMP), vec3(middle), assembly="clamp")
    block = replace(block, orientation=quaternion(turn))
    x, y, z = middle.tolist()
    if mount == "lying":
        return (block, post("post", x, y, z - CLAMP, assembly="clamp"))
    if mount == "standing":
        return (block,)
    beam = static("beam", Shape.BOX, (REACH, CLAMP / 2, CLAMP / 2), (0.0, 0.0, z + 1.5 * CLAMP), assembly="clamp")
    sides = (("left", -REACH), ("right", REACH))
    posts = (post(f"{name} post", place, 0.0, z + 2 * CLAMP, assembly="") for name, place in sides)
    return (block, beam, *posts)
