"""Bodies on joints: periods, energy, momentum, torques."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ellipk

from components.simulation.rotations import about, matrices, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Motion, Scene, Shape, Thing, Vec3
from components.simulation.solvers.bullet_joints import simulate
from components.simulation.solvers.linkage import inertia
from components.simulation.things.joints import Joint, JointedBody, JointKind
from tests.simulation.bodies import GREY, G, ball, scene, thing

PIVOT = np.array([0.0, 0.0, 3.0])


def holder(position: FloatArray = PIVOT, *, name: str = "beam", assembly: str = "stand") -> Body:
    return Body(
        name=name,
        shape=Shape.BOX,
        size=(0.05, 0.05, 0.05),
        texture=GREY,
        position=vec3(position),
        assembly=assembly,
    )


def jointed(
    name: str,
    position: FloatArray,
    *,
    parent: str,
    pivot: FloatArray,
    kind: JointKind = JointKind.HINGE,
    axis: Vec3 = (0.0, 1.0, 0.0),
    shape: Shape = Shape.SPHERE,
    size: Vec3 = (0.15, 0.0, 0.0),
    mass: float = 3.0,
    turned: float = 0.0,
    turning: Vec3 = (0.0, 0.0, 0.0),
    restitution: float = 0.5,
    assembly: str = "stand",
) -> JointedBody:
    """A body that turns about a pivot at rest; `turned`: degrees about y."""
    return JointedBody(
        name=name,
        shape=shape,
        size=size,
        texture=GREY,
        position=vec3(position),
        orientation=quaternion(about("y", turned)),
        velocity=vec3(np.cross(turning, position - pivot)),
        angular_velocity=turning,
        mass=mass,
        restitution=restitution,
        friction=0.0,
        assembly=assembly,
        joint=Joint(parent=parent, pivot=vec3(pivot), kind=kind, axis=axis),
    )


def way(degrees: float) -> FloatArray:
    return np.array([np.sin(np.radians(degrees)), 0.0, -np.cos(np.radians(degrees))])


def energy(bodies: Sequence[Thing], motion: Motion, gravity: Vec3 = (0.0, 0.0, -G)) -> FloatArray:
    """Kinetic and potential energy (T,) of all dynamic bodies."""
    total = np.zeros(len(motion.poses))
    for column, body in enumerate(body for body in bodies if isinstance(body, Body) and body.dynamic):
        linear, angular = motion.velocities[:, column, :3], motion.velocities[:, column, 3:]
        own = np.einsum("tji,tj->ti", matrices(motion.poses[:, column, 3:]), angular)
        kinetic = body.mass * (linear**2).sum(axis=1) / 2 + (np.array(inertia(body)) * own**2).sum(axis=1) / 2
        total += kinetic - body.mass * motion.poses[:, column, :3] @ np.array(gravity)
    return total


def period(angle: FloatArray, fps: int) -> float:
    """Mean time between passages downwards through 0, interpolated."""
    passed = np.flatnonzero((angle[:-1] > 0) & (angle[1:] <= 0))
    times = (passed + angle[passed] / (angle[passed] - angle[passed + 1])) / fps
    return float((times[-1] - times[0]) / (len(times) - 1))


@pytest.mark.parametrize("kind", [JointKind.HINGE, JointKind.BALL])
@pytest.mark.parametrize("degrees", [2.0, 60.0, 110.0, 170.0])
def test_the_period_of_a_pendulum_is_the_elliptic_integral(kind: JointKind, degrees: float) -> None:
    length = 1.2
    weight = jointed("ball", PIVOT + length * way(degrees), parent="beam", pivot=PIVOT, kind=kind)
    motion = simulate(scene([holder(), weight], seconds=8.0, fps=480))
    offset = motion.poses[:, 0, :3] - PIVOT
    moment = inertia(weight)[1] + weight.mass * length**2
    slow = np.sqrt(moment / (weight.mass * G * length))
    expected = 4 * slow * ellipk(np.sin(np.radians(degrees) / 2) ** 2)
    if degrees < 5:
        assert expected == pytest.approx(2 * np.pi * slow, rel=1e-4)
    assert period(np.arctan2(offset[:, 0], -offset[:, 2]), 480) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(np.linalg.norm(offset, axis=1), length, atol=1e-9)


@pytest.mark.parametrize(
    ("shape", "size"),
    [(Shape.BOX, (0.1, 0.2, 0.6)), (Shape.CYLINDER, (0.05, 1.2, 0.0)), (Shape.CYLINDER, (0.5, 0.1, 0.0))],
)
def test_a_body_of_any_shape_swings_with_its_own_moment_of_inertia(shape: Shape, size: Vec3) -> None:
    body = jointed("body", PIVOT + 0.6 * way(2.0), parent="beam", pivot=PIVOT, shape=shape, size=size, turned=-2.0)
    offset = simulate(scene([holder(), body], seconds=4.0, fps=480)).poses[:, 0, :3] - PIVOT
    moment = inertia(body)[1] + body.mass * 0.6**2
    expected = 4 * np.sqrt(moment / (body.mass * G * 0.6)) * ellipk(np.sin(np.radians(1.0)) ** 2)
    assert period(np.arctan2(offset[:, 0], -offset[:, 2]), 480) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("rate", [0.0, 1.5])
def test_a_pendulum_follows_its_equation_of_motion(rate: float) -> None:
    weight = jointed("ball", PIVOT + way(90.0), parent="beam", pivot=PIVOT, turning=(0.0, -rate, 0.0))
    offset = simulate(scene([holder(), weight], seconds=1.0)).poses[:, 0, :3] - PIVOT
    pull = weight.mass * G / (inertia(weight)[1] + weight.mass)
    exact = solve_ivp(
        lambda _, state: (state[1], -pull * np.sin(state[0])), (0, 1), (np.pi / 2, rate), rtol=1e-10, dense_output=True
    ).sol(np.arange(97) / 96)[0]
    np.testing.assert_allclose(np.arctan2(offset[:, 0], -offset[:, 2]), exact, atol=2e-6)


def test_a_pendulum_starts_at_its_velocity() -> None:
    weight = jointed("ball", PIVOT + way(0.0), parent="beam", pivot=PIVOT, turning=(0.0, -2.0, 0.0))
    motion = simulate(scene([holder(), weight], seconds=2.0, fps=960))
    moment = inertia(weight)[1] + weight.mass
    highest = np.arccos(1 - moment * 2.0**2 / 2 / (weight.mass * G))
    offset = motion.poses[:, 0, :3] - PIVOT
    assert np.arctan2(offset[:, 0], -offset[:, 2]).max() == pytest.approx(highest, rel=1e-5)
    np.testing.assert_allclose(motion.velocities[0, 0], weight.velocity + weight.angular_velocity)


@pytest.mark.parametrize("gravity", [(0.0, 0.0, -G), (3.0, 1.0, -5.0)])
@pytest.mark.parametrize("degrees", [(60.0, -20.0), (120.0, 60.0), (90.0, 170.0)])
def test_a_double_pendulum_keeps_its_energy(degrees: tuple[float, float], gravity: Vec3) -> None:
    middle = PIVOT + 0.8 * way(degrees[0])
    bodies = [
        holder(),
        jointed("upper", middle, parent="beam", pivot=PIVOT),
        jointed(
            "rod",
            (PIVOT + middle) / 2,
            parent="upper",
            pivot=middle,
            kind=JointKind.FIXED,
            shape=Shape.CYLINDER,
            size=(0.03, 0.8, 0.0),
            mass=0.2,
            turned=-degrees[0],
        ),
        jointed("lower", middle + 0.6 * way(degrees[1]), parent="upper", pivot=middle, mass=2.0),
    ]
    motion = simulate(scene(bodies, seconds=3.0, gravity=gravity))
    total = energy(bodies, motion, gravity)
    scale = np.ptp(energy(bodies, Motion(**{**motion.__dict__, "velocities": 0 * motion.velocities}), gravity))
    assert np.abs(total - total[0]).max() < 0.01 * scale
    arm = motion.poses[:, 2, :3] - motion.poses[:, 0, :3]
    np.testing.assert_allclose(np.linalg.norm(arm, axis=1), 0.6, atol=1e-9)


@pytest.mark.parametrize("held", [1, 2])
def test_a_cradle_hands_on_momentum_and_energy(held: int) -> None:
    radius, gap, length, degrees = 0.15, 1e-3, 1.0, 30.0
    pivots = [PIVOT + np.array([number * (2 * radius + gap), 0.0, 0.0]) for number in range(5)]
    bodies: list[Thing] = [holder()]
    for number, pivot in enumerate(pivots):
        place = pivot + length * way(-degrees if number < held else 0.0)
        bodies.append(
            jointed(
                f"ball {number}", place, parent="beam", pivot=pivot, size=(radius, 0, 0), restitution=1, assembly=""
            )
        )
    motion = simulate(scene(bodies, seconds=0.95, fps=96))
    aside = np.degrees(np.arcsin(motion.poses[:, :, 0] - np.array(pivots)[:, 0]))
    highest = np.abs(aside).argmax(axis=0)
    assert (aside[highest, range(5)][-held:] > 0.97 * degrees).all()
    late = len(aside) * 5 // 6  # on their way up on the other side
    assert np.abs(aside[late, :-held]).max() < 0.06 * degrees
    total = energy(bodies, motion)
    assert np.abs(total - total[0]).max() < 0.01 * 3.0 * G * (1 - np.cos(np.radians(degrees))) * held


def test_two_balls_on_long_rods_exchange_velocities() -> None:
    bodies = [
        holder(),
        jointed(
            "one", PIVOT + way(0.0), parent="beam", pivot=PIVOT, turning=(0, -1.0, 0), restitution=1.0, assembly=""
        ),
        ball(0.15, vec3(PIVOT + way(0.0) + [0.302, 0.0, 0.0]), mass=3.0 * 1.009, restitution=1.0),
    ]
    motion = simulate(scene(bodies, seconds=0.05, fps=960))
    assert motion.velocities[-1, 1, 0] == pytest.approx(1.0, abs=0.01)
    assert abs(motion.velocities[-1, 0, 0]) < 0.01


def see_saw(masses: tuple[float, float], distances: tuple[float, float]) -> FloatArray:
    """Angle (T,) of a plank about +y, with a box on the left and one on the right; radians."""
    plank = jointed("plank", PIVOT, parent="beam", pivot=PIVOT, shape=Shape.BOX, size=(1.5, 0.3, 0.04), mass=20.0)
    plank = JointedBody(**{**plank.__dict__, "friction": 0.8})
    boxes = [
        thing(Shape.BOX, (0.2, 0.2, 0.2), (x, 0.0, 3.24), name=f"box {x}", mass=mass, friction=0.8)
        for x, mass in zip((-distances[0], distances[1]), masses, strict=True)
    ]
    poses = simulate(scene([holder(), plank, *boxes], seconds=0.4)).poses[:, 0]
    return np.asarray(2 * np.arctan2(poses[:, 4], poses[:, 6]), np.float64)


def test_a_see_saw_with_equal_torques_stays_level() -> None:
    assert np.abs(see_saw((8.0, 5.0), (0.5, 0.8))).max() < 1e-3


@pytest.mark.parametrize("masses", [(8.0, 5.2), (8.4, 5.0), (3.0, 9.0)])
def test_a_see_saw_goes_where_the_torque_is_greater(masses: tuple[float, float]) -> None:
    torque = masses[1] * 0.8 - masses[0] * 0.5
    plank = 20.0 * (1.5**2 + 0.04**2) / 3
    boxes = [m * (d**2 + 0.24**2 + 2 * 0.2**2 / 3) for m, d in zip(masses, (0.5, 0.8), strict=True)]
    expected = torque * G / (plank + sum(boxes)) * 0.2**2 / 2
    assert see_saw(masses, (0.5, 0.8))[19] == pytest.approx(expected, rel=0.05, abs=5e-4)


@pytest.mark.parametrize("friction", [0.3, 0.6])
def test_a_box_stays_on_a_turntable_below_the_friction_of_its_centripetal_acceleration(friction: float) -> None:
    distance, slips = 0.8, []
    for share in (0.96, 1.04):
        rate = share * float(np.sqrt(friction * G / distance))
        table = jointed(
            "table",
            PIVOT,
            parent="beam",
            pivot=PIVOT,
            axis=(0.0, 0.0, 1.0),
            shape=Shape.CYLINDER,
            size=(1.3, 0.1, 0.0),
            mass=900.0,
            turning=(0.0, 0.0, rate),
        )
        table = JointedBody(**{**table.__dict__, "friction": 1.0})
        box = Body(
            name="box",
            shape=Shape.BOX,
            size=(0.1, 0.1, 0.1),
            texture=GREY,
            position=(distance, 0.0, 3.15),
            velocity=(0.0, rate * distance, 0.0),
            angular_velocity=(0.0, 0.0, rate),
            mass=5.0,
            friction=friction,
            restitution=0.0,
        )
        poses = simulate(scene([holder(), table, box], seconds=1.5)).poses[:, 1]
        slips.append(float(np.linalg.norm(poses[-1, :2]) - distance))
    assert abs(slips[0]) < 5e-3
    assert slips[1] > 0.03


def test_a_parent_that_is_not_there_is_named() -> None:
    weight = jointed("ball", PIVOT + way(0.0), parent="hook", pivot=PIVOT)
    with pytest.raises(ValueError, match="ball hangs on 'hook'"):
        simulate(scene([holder(), weight]))


def test_a_frame_rate_that_does_not_divide_the_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="fps is 25"):
        simulate(scene([holder()], fps=25))


def test_same_scene_same_bytes() -> None:
    world: Scene = scene([holder(), jointed("ball", PIVOT + way(70.0), parent="beam", pivot=PIVOT)])
    first, second = simulate(world), simulate(world)
    assert first.vertices.tobytes() == second.vertices.tobytes()
    assert first.velocities.tobytes() == second.velocities.tobytes()
