"""Ropes: length, energy, loops, contact, and the tube that is drawn."""

import numpy as np
import pytest

from components.simulation.guard import guard
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Motion, Scene, Shape, Thing, Vec3
from components.simulation.solvers.bullet_joints import simulate
from components.simulation.solvers.rope_surface import AROUND, PER_LINK
from components.simulation.things.joints import Joint, JointedBody, JointKind
from components.simulation.things.rope import Rope
from tests.simulation.bodies import GREY, G, floor, scene, thing
from tests.simulation.solvers.test_joints import PIVOT, holder, way

LINKS = 24


def rope(
    points: FloatArray, *, mass: float = 0.4, first: str = "beam", last: str = "", turning: Vec3 = (0.0, 0.0, 0.0)
) -> Rope:
    return Rope(
        name="rope",
        texture=GREY,
        position=vec3((points[1:] + points[:-1]).mean(axis=0) / 2),
        angular_velocity=turning,
        points=tuple(vec3(point) for point in points),
        radius=0.02,
        mass=mass,
        first=first,
        last=last,
        assembly="stand",
    )


def straight(degrees: float, length: float = 1.5) -> FloatArray:
    return np.asarray(PIVOT + np.linspace(0.0, length, LINKS + 1)[:, None] * way(degrees), np.float64)


def with_ball(degrees: float, *, mass: float = 20.0, rope_mass: float = 0.4) -> tuple[Thing, ...]:
    cord = rope(straight(degrees), mass=rope_mass)
    bob = JointedBody(
        name="ball",
        shape=Shape.SPHERE,
        size=(0.25, 0.0, 0.0),
        texture=GREY,
        position=vec3(np.array(cord.points[-1]) + 0.25 * way(degrees)),
        orientation=quaternion(about("y", -degrees)),
        mass=mass,
        restitution=0.5,
        joint=Joint(parent="rope", pivot=cord.points[-1], kind=JointKind.FIXED),
    )
    return (holder(), cord, bob)


def nodes(motion: Motion, index: int) -> FloatArray:
    """Ends of the links (T,L+1,3), as the middles of every few rings of the tube of the thing `index`."""
    own = np.unique(motion.faces[motion.face_body == index])
    tube = motion.vertices[:, own][:, : AROUND * (LINKS * PER_LINK + 1)]
    return np.asarray(tube.reshape(len(tube), -1, AROUND, 3).mean(axis=2)[:, ::PER_LINK], np.float64)


def lengths(points: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1), np.float64)


@pytest.mark.parametrize("rope_mass", [0.08, 0.4, 2.0])
def test_a_ball_on_a_rope_keeps_its_energy_and_its_distance(rope_mass: float) -> None:
    world = scene(with_ball(60.0, rope_mass=rope_mass), seconds=3.0)
    motion = simulate(world)
    np.testing.assert_allclose(lengths(nodes(motion, 1)), 1.5, rtol=1e-6)
    total = np.zeros(len(motion.poses))
    for column, mass in ((0, rope_mass), (1, 20.0)):  # links hardly move against their rope's mean: a straight rope
        total += mass * G * motion.poses[:, column, 2]
    linear = motion.velocities[:, :, :3]
    speed = np.linalg.norm(motion.velocities[:, 1, 3:], axis=1)
    total += 20.0 * (linear[:, 1] ** 2).sum(axis=1) / 2 + 20.0 * 0.4 * 0.25**2 * speed**2 / 2
    total += rope_mass * (linear[:, 0] ** 2).sum(axis=1) / 2 * 4 / 3
    assert np.abs(total - total[0]).max() < 0.01 * np.ptp(20.0 * G * motion.poses[:, 1, 2])


def test_a_rope_is_as_long_at_the_end_as_at_the_start_where_it_whips() -> None:
    cord = rope(straight(90.0))
    motion = simulate(scene([holder(), cord], seconds=1.0))
    np.testing.assert_allclose(lengths(nodes(motion, 1)), 1.5, rtol=1e-6)
    np.testing.assert_allclose(nodes(motion, 1)[0], cord.points, atol=1e-9)


def hanging_chain(span: float, links: int = LINKS, link: float = 0.1) -> FloatArray:
    """Ends of the links (links+1,3) of a chain in equilibrium: tangents of the slopes grow evenly."""
    growth = np.linspace(0.01, 1.0, 20001)
    steps = np.arange(links) - (links - 1) / 2
    width = link * np.cos(np.arctan(growth[:, None] * steps)).sum(axis=1)
    slopes = np.arctan(growth[np.abs(width - span).argmin()] * steps)
    ways = link * np.stack([np.cos(slopes), 0 * slopes, np.sin(slopes)], axis=1)
    return np.asarray(PIVOT + np.concatenate([np.zeros((1, 3)), np.cumsum(ways, axis=0)]), np.float64)


def test_a_rope_that_is_tied_at_both_ends_hangs_in_a_catenary() -> None:
    points = hanging_chain(2.0)
    ends = [holder(), holder(points[-1], name="other")]
    motion = simulate(scene([*ends, rope(points, last="other")], seconds=2.0))
    assert np.linalg.norm(nodes(motion, 2) - points, axis=2).max() < 1e-3


def test_a_tied_end_holds_where_a_heavy_ball_pulls() -> None:
    points = hanging_chain(2.0)
    cord = rope(points, last="other")
    middle = cord.middles[5]
    weight = JointedBody(
        name="ball",
        shape=Shape.SPHERE,
        size=(0.2, 0.0, 0.0),
        texture=GREY,
        position=vec3(middle - [0.0, 0.0, 0.22]),
        mass=60.0,
        joint=Joint(parent="rope", pivot=vec3(middle), kind=JointKind.BALL),
    )
    motion = simulate(scene([holder(), holder(points[-1], name="other"), cord, weight], seconds=2.0))
    held = nodes(motion, 2)
    assert np.linalg.norm(held[:, -1] - points[-1], axis=1).max() < 2e-3
    np.testing.assert_allclose(lengths(held), 2.4, rtol=1e-3)


def test_a_wrecking_ball_gives_a_box_no_more_energy_than_it_had() -> None:
    box = thing(Shape.BOX, (0.2, 0.2, 0.2), (0.46, 0.0, 1.25), mass=5.0, restitution=0.5)
    base = thing(Shape.BOX, (0.2, 0.2, 0.5), (0.46, 0.0, 0.5), name="base", mass=0.0, friction=0.0)
    world: Scene = scene([floor(), base, *with_ball(-50.0), box], seconds=1.2)
    motion = simulate(world)
    guard(world, motion)
    speed = np.linalg.norm(motion.velocities[:, :, :3], axis=2)
    before, after = float(speed[:, 1].max()), float(motion.velocities[:, 2, 0].max())
    height = 1.75 * (1 - np.cos(np.radians(50.0)))
    assert before == pytest.approx(np.sqrt(2 * G * height), rel=0.01)
    restitution = 0.25
    assert after == pytest.approx(before * (1 + restitution) * 20.2 / 25.2, rel=0.05)  # head-on, at the lowest point


def test_a_rope_lies_on_a_bar_and_slides_off_it() -> None:
    bar = Body(
        name="bar",
        shape=Shape.CYLINDER,
        size=(0.2, 1.0, 0.0),
        texture=GREY,
        position=(0.0, 0.0, 1.0),
        orientation=quaternion(about("x", 90.0)),
        friction=1.0,
        restitution=1.0,
    )
    points = np.stack([np.linspace(-0.4, 1.1, LINKS + 1), np.zeros(LINKS + 1), np.full(LINKS + 1, 1.222)], axis=1)
    world = scene([floor(), bar, rope(points, first="")], seconds=1.2, fps=16)
    motion = simulate(world)
    guard(world, motion)
    np.testing.assert_allclose(lengths(nodes(motion, 2)), 1.5, rtol=1e-3)
    assert motion.poses[-1, 0, 2] < 0.8


def test_the_tube_of_a_rope_is_closed_and_has_the_volume_of_its_circle() -> None:
    motion = simulate(scene([holder(), rope(straight(40.0))], seconds=0.5, fps=16))
    own = motion.faces[motion.face_body == 1]
    for frame in (0, -1):
        a, b, c = (motion.vertices[frame, own[:, corner]] for corner in range(3))
        volume = np.einsum("fi,fi->", a - PIVOT, np.cross(b - PIVOT, c - PIVOT)) / 6
        assert volume == pytest.approx(np.pi * 0.02**2 * 1.5, rel=0.05)
        normals = motion.normals[frame, own].mean(axis=1)
        assert (np.einsum("fi,fi->f", np.cross(b - a, c - a), normals) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(motion.normals, axis=2), 1.0, atol=1e-9)


def test_the_state_of_a_rope_is_that_of_its_centre_of_mass() -> None:
    motion = simulate(scene([holder(), rope(straight(70.0))], seconds=1.0, fps=96))
    middles = nodes(motion, 1)
    centre = ((middles[:, 1:] + middles[:, :-1]) / 2).mean(axis=1)
    np.testing.assert_allclose(motion.poses[:, 0, :3], centre, atol=2e-4)
    np.testing.assert_array_equal(motion.poses[:, 0, 3:], np.tile([0.0, 0.0, 0.0, 1.0], (97, 1)))
    moved = (motion.poses[2:, 0, :3] - motion.poses[:-2, 0, :3]) * 96 / 2
    assert np.abs(moved - motion.velocities[1:-1, 0, :3]).max() < 0.05
