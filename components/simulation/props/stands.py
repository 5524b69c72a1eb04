"""Grey parts of the static world: stands, posts, blocks and slabs."""

from scipy.spatial.transform import Rotation

from components.simulation.props.looks import STONE, plain_grey
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Pattern, Shape, Texture, Vec3

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


def bracket(
    name: str, place: Vec3, *, behind: float, radius: float = POST, assembly: str = "stand"
) -> tuple[Body, Body]:
    """An arm that reaches to a place, and the post of an `assembly` that holds it, metres behind."""
    x, y, z = place
    arm = static(f"{name} arm", Shape.CYLINDER, (radius, behind, 0.0), (x, y + behind / 2, z), along="y")
    return arm, post(f"{name} post", x, y + behind, z + POST, assembly=assembly)


def slab(name: str, size: Vec3, corner: FloatArray, turn: Rotation, *, way: float, friction: float = 0.5) -> Body:
    """A sloping stone slab of half extents `size`, whose upper side begins at `corner` and goes on along `way` x."""
    return Body(
        name=name,
        shape=Shape.BOX,
        size=size,
        texture=STONE,
        position=vec3(corner + turn.apply([way * size[0], 0.0, -size[2]])),
        orientation=quaternion(turn),
        restitution=1.0,
        friction=friction,
    )


def plinth_size(shape: Shape, *, radius: float, height: float) -> Vec3:
    """The size, as in `Shape`, of what stands on the floor so high; of a ball, height alone decides."""
    return {
        Shape.SPHERE: (height / 2, 0.0, 0.0),
        Shape.BOX: (radius, radius, height / 2),
        Shape.CYLINDER: (radius, height, 0.0),
    }[shape]


def plinth_height(shape: Shape, size: Vec3) -> float:
    """Metres from the floor to the top."""
    return size[1] if shape is Shape.CYLINDER else 2 * max(size[0::2])


def plinth(name: str, shape: Shape, size: Vec3, place: tuple[float, float], *, turn: Rotation, grey: float) -> Body:
    """A grey body that stands on the floor at a place."""
    return Body(
        name=name,
        shape=shape,
        size=size,
        texture=plain_grey(grey),
        position=(*place, plinth_height(shape, size) / 2),
        orientation=quaternion(turn),
        restitution=1.0,
        friction=1.0,
    )
