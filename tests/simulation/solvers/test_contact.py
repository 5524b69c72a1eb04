"""Bodies that stay in touch: friction, rolling, rest."""

import numpy as np
import pytest

from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Shape, Vec3
from components.simulation.solvers.bullet import simulate
from tests.simulation.bodies import G, floor, scene, thing


def on_slope(shape: Shape, size: Vec3, degrees: float, *, friction: float, seconds: float = 1.0) -> FloatArray:
    """Way down the slope (T,) in metres of a body let go on a plane that slopes towards +x."""
    rotation = about("y", degrees)
    downhill, _, normal = rotation.as_matrix().T
    slope = Body(
        name="slope",
        shape=Shape.BOX,
        size=(20.0, 5.0, 0.5),
        texture=floor().texture,
        position=vec3(-0.5 * normal),
        orientation=quaternion(rotation),
        restitution=1.0,
        friction=1.0,
    )
    height = size[2] if shape is Shape.BOX else size[0]
    turned = rotation * about("x", 90.0) if shape is Shape.CYLINDER else rotation
    body = thing(shape, size, vec3(height * normal), orientation=quaternion(turned), friction=friction)
    positions = simulate(scene([slope, body], seconds=seconds)).poses[:, 0, :3]
    return np.asarray((positions - positions[0]) @ downhill, np.float64)


@pytest.mark.parametrize("friction", [0.3, 0.5, 0.8])
def test_a_box_slides_beyond_the_angle_of_friction_only(friction: float) -> None:
    threshold = float(np.degrees(np.arctan(friction)))
    box = (0.3, 0.25, 0.2)
    assert on_slope(Shape.BOX, box, threshold - 0.5, friction=friction)[-1] < 1e-3
    below, beyond = (on_slope(Shape.BOX, box, threshold + more, friction=friction)[-1] for more in (-0.5, 0.5))
    assert beyond > 0.02 > 20 * below


@pytest.mark.parametrize(("degrees", "friction"), [(20.0, 0.1), (30.0, 0.3)])
def test_a_box_slides_with_the_acceleration_of_the_formula(degrees: float, friction: float) -> None:
    way = on_slope(Shape.BOX, (0.3, 0.25, 0.2), degrees, friction=friction)[-1]
    angle = np.radians(degrees)
    expected = G * (np.sin(angle) - friction * np.cos(angle)) / 2
    assert way == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("degrees", [15.0, 25.0, 32.0])
@pytest.mark.parametrize("friction", [0.4, 0.9])
def test_a_ball_rolls_down_at_five_sevenths(degrees: float, friction: float) -> None:
    way = on_slope(Shape.SPHERE, (0.4, 0.0, 0.0), degrees, friction=friction)
    t = np.arange(len(way)) / 96
    np.testing.assert_allclose(way[1:], (5 / 7 * G * np.sin(np.radians(degrees)) * t**2 / 2)[1:], rtol=0.01, atol=1e-4)


@pytest.mark.parametrize("degrees", [15.0, 32.0])
def test_a_cylinder_rolls_down_at_two_thirds(degrees: float) -> None:
    way = on_slope(Shape.CYLINDER, (0.35, 0.7, 0.0), degrees, friction=0.9)
    assert way[-1] == pytest.approx(2 / 3 * G * np.sin(np.radians(degrees)) / 2, rel=0.01)


@pytest.mark.parametrize("shape", list(Shape))
def test_a_body_on_the_floor_stays(shape: Shape) -> None:
    size = {Shape.SPHERE: (0.4, 0.0, 0.0), Shape.BOX: (0.3, 0.3, 0.4), Shape.CYLINDER: (0.4, 0.8, 0.0)}[shape]
    motion = simulate(scene([floor(), thing(shape, size, (0.3, 0.1, 0.4))], seconds=4.0, fps=16))
    assert np.linalg.norm(motion.poses[:, 0, :3] - motion.poses[0, 0, :3], axis=1).max() < 1e-3
    assert np.abs(motion.velocities[1:]).max() < 5e-3


def test_a_stack_of_boxes_drifts_less_than_a_millimetre() -> None:
    boxes = [
        thing(Shape.BOX, (0.3, 0.3, 0.2), (0.0, 0.0, 0.2 + 0.4 * level), name=f"box {level}") for level in range(3)
    ]
    motion = simulate(scene([floor(), *boxes], seconds=4.0, fps=16))
    assert np.linalg.norm(motion.poses[..., :3] - motion.poses[0, :, :3], axis=-1).max() < 1e-3
