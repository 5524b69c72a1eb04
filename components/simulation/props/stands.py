"""Grey parts of the static world: stands, posts and blocks."""

from components.simulation.rotations import about, quaternion
from components.simulation.scene import Body, Pattern, Shape, Texture, Vec3

GREY, SECOND_GREY, GRAIN = 0.22, 0.15, 0.4  # linear reflectance, and the pattern's period in metres
POST = 0.05  # metres: half the width of a post


def static(name: str, shape: Shape, size: Vec3, position: Vec3, *, along: str = "z", assembly: str = "stand") -> Body:
    """A grey part of a stand; a cylinder lies along the axis `along`."""
    turned = {"x": about("y", 90.0), "y": about("x", 90.0), "z": about("z", 0.0)}[along]
    texture = Texture(pattern=Pattern.NOISE, colour=(GREY,) * 3, second_colour=(SECOND_GREY,) * 3, scale=GRAIN)
    return Body(
        name=name,
        shape=shape,
        size=size,
        texture=texture,
        position=position,
        orientation=quaternion(turned),
        restitution=1.0,
        friction=1.0,
        assembly=assembly,
    )


def post(name: str, x: float, y: float, height: float, *, assembly: str = "stand") -> Body:
    """A post that stands on the floor."""
    return static(name, Shape.BOX, (POST, POST, height / 2), (x, y, height / 2), assembly=assembly)
