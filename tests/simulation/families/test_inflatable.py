"""The families of inflatables: what frame 0 decides, valid scenes over all ranges, and clips whose annotation fits."""

import re

import numpy as np
import pytest

from components.parameters.categories.inflatable import Inflatable
from components.simulation.clips import configuration_clips
from components.simulation.families import load_category
from components.simulation.families.inflatable.bounce import Bounce
from components.simulation.families.inflatable.cushion import Cushion
from components.simulation.families.inflatable.deflate import Deflate
from components.simulation.families.inflatable.inflate import Inflate
from components.simulation.guard import guard
from components.simulation.props.envelope import MATERIALS
from components.simulation.scene import Body, FloatArray, Motion, Scene
from components.simulation.things.membrane import Membrane, enclosed_volume
from tests.simulation.families.chain import LAPTOP, first_scene, in_picture, solved, with_section
from tests.simulation.families.warped import check_warp

INFLATABLE = LAPTOP.simulation.inflatable
REAL = LAPTOP.simulation.physics.real
FAMILIES = sorted(load_category("inflatable").families)
LOW = {"radius": 0.3, "density": 0.15, "stiffness": 600.0, "strain": 0.01, "friction": 0.0, "drop_height": 0.1,
       "ball_radius": 0.1, "ball_density": 5.0, "growth": 1.2, "shrinkage": 0.1, "seconds": 10.0}  # fmt: skip
HIGH = {"radius": 0.5, "density": 1.0, "stiffness": 100.0, "strain": 0.15, "friction": 1.0, "drop_height": 2.0,
        "ball_radius": 0.35, "ball_density": 200.0, "growth": 3.0, "shrinkage": 0.8, "seconds": 1.0}  # fmt: skip


OUTCOME = re.compile(
    r"\b(fall|bounce|hit|rebound|grow|swell|expand|shrink|collapse|flatten|sink|burst|roll|will|until|then)(s|es|ing|ed)?\b"
)


def volumes(scene: Scene, motion: Motion) -> FloatArray:
    """Inside the scene's inflatable, (T,) m^3."""
    index, shell = next((i, one) for i, one in enumerate(scene.bodies) if isinstance(one, Membrane))
    own = np.unique(motion.faces[motion.face_body == index])
    return np.array([enclosed_volume(points, shell.faces) for points in motion.vertices[:, own]])


@pytest.mark.parametrize("family", FAMILIES)
def test_both_takes_of_a_draw_are_valid_and_in_the_picture(family: str) -> None:
    params = with_section("inflatable", family, {}, frames=5)
    for take in (0, 1):
        scene = first_scene(params, "inflatable", index=3, take=take)
        motion = solved(scene)
        guard(scene, motion)
        assert in_picture(scene, motion)
        assert scene.future_determined


@pytest.mark.long
@pytest.mark.parametrize("ends", [LOW, HIGH], ids=["low", "high"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_ends_of_all_ranges_make_valid_scenes(family: str, ends: dict[str, float]) -> None:
    changes = {name: (value, value) for name, value in ends.items()}
    Inflatable.model_validate({**INFLATABLE.model_dump(), **changes})
    params = with_section("inflatable", family, changes, frames=33)
    for index in range(3):
        scene = first_scene(params, "inflatable", index=index)
        guard(scene, solved(scene))


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_draws_pass_the_guard_and_move(family: str) -> None:
    params = with_section("inflatable", family, {}, frames=33)
    for index in range(12):
        scene = first_scene(params, "inflatable", index=index)
        motion = solved(scene)
        guard(scene, motion)
        assert np.linalg.norm(motion.vertices - motion.vertices[0], axis=2).max() > 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_second_take_is_another_initial_state(family: str) -> None:
    rng = np.random.default_rng(1)
    drawn = load_category("inflatable").families[family].draw(rng, LAPTOP.simulation, REAL)
    other = drawn.perturbed(rng, 0.02)
    first = np.concatenate([one.points for one in drawn.bodies() if isinstance(one, Membrane)])
    second = np.concatenate([one.points for one in other.bodies() if isinstance(one, Membrane)])
    balls = [
        np.array([one.position for one in each.bodies() if isinstance(one, Body) and one.dynamic])
        for each in (drawn, other)
    ]
    moved = np.abs(first - second).max() + np.abs(balls[0] - balls[1]).max(initial=0.0)
    assert 1e-4 < moved < 0.3


def test_a_beach_ball_begins_in_balance() -> None:
    drawn = Bounce.draw(np.random.default_rng(3), LAPTOP.simulation, REAL)
    (ball,) = drawn.bodies()
    assert isinstance(ball, Membrane)
    assert ball.points[:, 2].min() == pytest.approx(drawn.height + ball.thickness)
    assert ball.gas is not None
    assert ball.gas.start / enclosed_volume(ball.points, ball.faces) == pytest.approx(
        1 + 3 * drawn.envelope.stiffness * drawn.envelope.strain / drawn.radius / 101_325
    )


def test_a_beach_ball_keeps_its_volume_while_it_bounces() -> None:
    scene = first_scene(with_section("inflatable", "bounce", {}, frames=21), "inflatable")
    motion = solved(scene)
    assert motion.velocities[:, 0, 2].max() > 1.0  # it came back up
    held = volumes(scene, motion)
    np.testing.assert_allclose(held / held[0], 1.0, atol=0.005)


@pytest.mark.parametrize("family", ["inflate", "deflate"])
def test_a_balloon_ends_with_the_volume_of_its_gas(family: str) -> None:
    params = with_section("inflatable", family, {"seconds": (1.0, 1.0)}, frames=21)
    scene = first_scene(params, "inflatable")
    balloon = next(one for one in scene.bodies if isinstance(one, Membrane))
    assert balloon.gas is not None
    held = volumes(scene, solved(scene))
    assert held[0] == pytest.approx(balloon.gas.start, rel=1e-6)
    assert held[-1] == pytest.approx(balloon.gas.end, rel=0.02)  # at its pressure, not at ambient pressure
    assert (np.diff(held) * np.sign(balloon.gas.end - balloon.gas.start) > -1e-3 * held.max()).all()


def test_a_balloon_is_held_by_its_neck_on_the_pump() -> None:
    pump, balloon = Inflate.draw(np.random.default_rng(4), LAPTOP.simulation, REAL).bodies()
    assert isinstance(pump, Body)
    assert isinstance(balloon, Membrane)
    neck = balloon.points[balloon.pinned]
    assert np.ptp(neck[:, 2]) < 1e-12
    assert (np.hypot(*(neck[:, :2] - pump.position[:2]).T) < pump.size[0]).all()
    assert balloon.points[:, 2].min() == pytest.approx(pump.size[1] + balloon.thickness)


def test_cushion_and_balloon_touch_the_floor() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        cushion, ball = Cushion.draw(rng, LAPTOP.simulation, REAL).bodies()
        (balloon,) = Deflate.draw(rng, LAPTOP.simulation, REAL).bodies()
        for shell in (cushion, balloon):
            assert isinstance(shell, Membrane)
            assert shell.points[:, 2].min() == pytest.approx(shell.thickness, abs=0.004)
        assert isinstance(cushion, Membrane)
        assert isinstance(ball, Body)
        assert ball.position[2] - ball.size[0] > cushion.points[:, 2].max() + INFLATABLE.drop_height[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_captions_name_the_skin_and_no_outcome(family: str) -> None:
    kind = load_category("inflatable").families[family]
    view = first_scene(with_section("inflatable", family, {}, frames=5), "inflatable").camera.extrinsics[0]
    seen = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        captions = kind.draw(rng, LAPTOP.simulation, REAL).captions(rng, view)
        assert any(material in captions.caption for material in MATERIALS)
        assert "{" not in captions.caption
        assert not OUTCOME.search(captions.caption_initial.lower()), captions.caption_initial
        seen.add(captions.caption)
    assert len(seen) > 8


def test_clips_are_whole_and_their_flow_fits_the_picture() -> None:
    params = with_section("inflatable", "cushion", {}, frames=9)
    clips = list(configuration_clips(params, split="train", category="inflatable", index=0))
    assert {thing.kind for thing in clips[0].objects} == {"deformable", "rigid"}
    scene = first_scene(with_section("inflatable", "cushion", {}, frames=9), "inflatable")
    check_warp(scene, solved(scene))
