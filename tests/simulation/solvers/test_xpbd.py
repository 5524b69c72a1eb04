"""Membranes by XPBD against formulas: free flight, stiffness, pressure, air, rest, and nothing passes through."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from components.simulation.scene import FloatArray, Motion, Shape, Thing
from components.simulation.solvers import xpbd_model
from components.simulation.solvers.xpbd import STEPS_PER_SECOND, simulate
from components.simulation.solvers.xpbd_constraints import colours, hinges
from components.simulation.things.membrane import Air, Gas, Membrane, edges_of, enclosed_volume, lumped_areas
from components.simulation.things.sheet import SHEAR
from components.simulation.things.shell import AMBIENT_PRESSURE
from tests.simulation.bodies import G, ball, floor, scene, thing
from tests.simulation.membranes import DENSITY, balloon, cloth

WEIGHTLESS = (0.0, 0.0, 0.0)


def momentum(things: list[Thing], motion: Motion) -> FloatArray:
    masses = np.array([one.mass for one in things if one.dynamic])
    return np.asarray((masses[:, None] * motion.velocities[:, :, :3]).sum(axis=1), np.float64)


def speeds(points: FloatArray, fps: int) -> FloatArray:
    """Fastest vertex (T-1,) between frames, m/s."""
    return np.asarray(np.linalg.norm(np.diff(points, axis=0), axis=2).max(axis=1) * fps, np.float64)


@pytest.mark.parametrize("kind", ["cloth", "balloon", "ball"])
def test_free_fall_is_exact(kind: str) -> None:
    start = (0.3, 0.1, 0.5)
    things: dict[str, list[Thing]] = {
        "cloth": [cloth(height=3.0, velocity=start)],
        "balloon": [balloon(height=3.0, velocity=start)],
        "ball": [cloth(height=9.0), ball(0.2, (0.0, 0.0, 3.0), velocity=start)],
    }
    made = scene(things[kind], seconds=0.6)
    motion = simulate(made)
    t = np.arange(made.frames)[:, None] / made.fps
    gravity = np.array([0.0, 0.0, -G])
    fallen = motion.poses[:, -1, :3] - motion.poses[0, -1, :3]
    np.testing.assert_allclose(fallen, np.array(start) * t + gravity * t**2 / 2, atol=1e-6)
    np.testing.assert_allclose(motion.velocities[:, -1, :3], np.array(start) + gravity * t, atol=1e-4)


def test_a_shell_that_swings_keeps_its_momentum() -> None:
    blown = balloon(velocity=(0.5, -0.3, 0.2))
    assert blown.gas is not None
    blown = replace(blown, gas=Gas.sealed(1.2 * blown.gas.start))
    motion = simulate(scene([blown], gravity=WEIGHTLESS))
    assert np.ptp([enclosed_volume(points, blown.faces) for points in motion.vertices]) > 0.01
    np.testing.assert_allclose(motion.velocities[:, 0, :3], np.tile([0.5, -0.3, 0.2], (97, 1)), atol=1e-6)


def test_a_ball_and_a_free_cloth_share_momentum() -> None:
    things: list[Thing] = [cloth(height=1.0), ball(0.2, (0.1, 0.05, 1.4), velocity=(0.3, 0.0, -3.0), mass=0.8)]
    motion = simulate(scene(things, gravity=WEIGHTLESS))
    total = momentum(things, motion)
    assert motion.velocities[-1, 1, 2] > -2.9  # they met
    assert np.abs(total - total[0]).max() < 1e-6


@pytest.mark.parametrize(("stiffness", "tolerance"), [(150.0, 0.02), (500.0, 0.02), (1000.0, 0.05)])
def test_a_hanging_cloth_is_as_long_as_its_stiffness_says(stiffness: float, tolerance: float) -> None:
    hung = cloth(
        height=2.0, side=1.0, stiffness=stiffness, upright=True, pinned=lambda flat: np.asarray(flat[:, 1] > 0.499)
    )
    motion = simulate(scene([hung], seconds=3.0, fps=4))
    middle = motion.vertices[-1, 10, 2]  # of the lowest row
    shear = SHEAR * stiffness
    modulus = stiffness * (stiffness + 2 * shear) / (stiffness + shear)
    assert (1.5 - middle) / (DENSITY * G / (2 * modulus)) == pytest.approx(1.0, abs=tolerance)
    assert np.linalg.norm(motion.velocities[-1, 0, :3]) < 1e-3


def test_the_air_pushes_a_plate_by_half_rho_v_squared() -> None:
    wind = 6.0
    plate = cloth(upright=True, air=Air(drag=1.1, wind=(0.0, wind, 0.0)))
    motion = simulate(scene([plate], seconds=1 / 96, gravity=WEIGHTLESS))
    pressure = 1.1 * 1.2 / 2 * wind**2
    made = motion.poses[1, 0, 1] - motion.poses[0, 0, 1]
    assert made == pytest.approx(pressure / DENSITY / 2 / 96**2, rel=0.1)  # it slows down as the plate gathers speed


def test_a_cloth_that_falls_flat_reaches_the_speed_at_which_air_bears_it() -> None:
    motion = simulate(scene([cloth(height=9.0, air=Air(drag=1.2))], seconds=1.5, fps=8))
    assert -motion.velocities[-1, 0, 2] == pytest.approx(np.sqrt(2 * DENSITY * G / (1.2 * 1.2)), rel=0.03)


@pytest.mark.parametrize("pressure", [100.0, 300.0])
def test_the_skin_of_a_balloon_balances_its_gas(pressure: float) -> None:
    sealed = balloon(pressure=pressure)
    motion = simulate(scene([sealed], seconds=1.0, fps=8, gravity=WEIGHTLESS))
    assert sealed.gas is not None
    volumes = np.array([enclosed_volume(points, sealed.faces) for points in motion.vertices])
    np.testing.assert_allclose(volumes / volumes[0], 1.0, atol=0.001)
    held = AMBIENT_PRESSURE * (sealed.gas.start / volumes[-1] - 1)
    assert held == pytest.approx(pressure, rel=0.1)  # what one pass a step leaves of the skin's stiffness is in it


def test_the_volume_of_a_bouncing_balloon_stays() -> None:
    dropped = balloon(height=1.6)
    motion = simulate(scene([floor(), dropped], seconds=1.2, fps=48))
    points = motion.vertices[:, -len(dropped.points) :]
    volumes = np.array([enclosed_volume(frame, dropped.faces) for frame in points])
    width = np.ptp(points[..., 2], axis=1)
    assert width.min() < 0.85 * width[0]  # it is pressed flat
    assert motion.velocities[-1, 0, 2] > 0.5 or motion.poses[:, 0, 2].argmin() < len(points) - 5  # and comes back
    np.testing.assert_allclose(volumes / volumes[0], 1.0, atol=0.005)


@pytest.mark.slow
def test_pressure_times_area_bears_a_balloon() -> None:
    heavy = balloon(height=0.351 + 0.006, pressure=150.0, stiffness=500.0, density=1.2)
    motion = simulate(scene([floor(), heavy], seconds=5.0, fps=16))
    assert heavy.gas is not None
    borne = []
    for points in motion.vertices[-48:, -len(heavy.points) :]:  # it still breathes by a few millimetres
        pressure = AMBIENT_PRESSURE * (heavy.gas.start / enclosed_volume(points, heavy.faces) - 1)
        borne.append(pressure * lumped_areas(points, heavy.faces)[points[:, 2] < heavy.thickness + 1e-4].sum())
    assert np.linalg.norm(motion.velocities[-48:, 0, :3].mean(axis=0)) < 0.01
    assert np.mean(borne) / (heavy.mass * G) == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
def test_a_cloth_over_a_ball_comes_to_rest() -> None:
    draped = cloth(height=0.85, side=1.2, cells=24, air=Air(drag=1.2))
    obstacle = replace(ball(0.4, (0.05, 0.02, 0.4)), mass=0.0)
    motion = simulate(scene([floor(), obstacle, draped], seconds=7.0, fps=16))
    points = motion.vertices[:, -len(draped.points) :]
    assert points[-1, :, 2].min() < 0.4  # it hangs down
    assert speeds(points[-8:], 16).max() < 0.01
    assert np.linalg.norm(motion.velocities[-1, 0, :3]) < 0.01


@pytest.mark.parametrize("radius", [0.12, 0.3])
@pytest.mark.parametrize("speed", [2.0, 8.0])
def test_no_ball_passes_through_a_cloth(radius: float, speed: float) -> None:
    held = cloth(height=1.5, side=1.2, cells=24, pinned=lambda flat: np.asarray(np.abs(flat).max(axis=1) > 0.599))
    struck = ball(radius, (0.03, 0.02, 1.52 + radius), velocity=(0.0, 0.0, -speed), mass=1.0)
    motion = simulate(scene([held, struck], seconds=0.5, fps=96))
    points = motion.vertices[:, : len(held.points)]
    apart = np.linalg.norm(points - motion.poses[:, None, 1, :3], axis=2)
    assert apart.min() > radius
    near = np.linalg.norm(points[..., :2] - motion.poses[:, None, 1, :2], axis=2).argmin(axis=1)
    assert (motion.poses[:, 1, 2] > points[np.arange(len(points)), near, 2]).all()


@pytest.mark.parametrize("restitution", [0.0, 0.6, 0.95])
def test_a_ball_leaves_the_floor_with_its_restitution(restitution: float) -> None:
    """Seen at 960 frames a second: at 96, a frame after the impact is up to .1 m/s of gravity away from it."""
    things = [floor(), cloth(height=9.0, cells=2), ball(0.2, (0.0, 0.0, 1.0), restitution=restitution)]
    speed = simulate(scene(things, seconds=0.45, fps=960)).velocities[:, 1, 2]
    impact = int(np.argmin(speed))
    assert abs(max(speed[impact:].max(), 0.0) / -speed[impact] - restitution) < 0.01


def test_a_ball_rolls_down_a_slope_with_five_sevenths() -> None:
    tilt = np.radians(25.0)
    slope = thing(
        Shape.BOX,
        (4.0, 1.0, 0.1),
        (0.0, 0.0, 0.0),
        orientation=(0.0, float(np.sin(tilt / 2)), 0.0, float(np.cos(tilt / 2))),
    )
    normal = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    x, y, z = (normal * 0.3).tolist()
    rolling = replace(ball(0.2, (x, y, z)), friction=1.0)
    things = [replace(slope, mass=0.0, friction=1.0), cloth(height=9.0), rolling]
    motion = simulate(scene(things, seconds=0.625))
    made = np.linalg.norm(motion.poses[-1, 1, :3] - motion.poses[0, 1, :3])
    assert made == pytest.approx(5 / 7 * G * np.sin(tilt) * 0.625**2 / 2, rel=0.005)


def test_no_two_constraints_of_a_colour_share_a_vertex() -> None:
    for membrane in (cloth(cells=7), balloon()):
        for rows in (membrane.springs, hinges(membrane.rest, membrane.faces).corners):
            chosen = colours(rows, len(membrane.points))
            for colour in range(chosen.max() + 1):
                corners = rows[chosen == colour].ravel()
                assert len(np.unique(corners)) == len(corners)


def test_a_flat_sheet_has_no_curvature_and_every_inner_edge_a_hinge() -> None:
    flat = cloth(cells=5)
    rows = hinges(flat.rest, flat.faces)
    assert np.abs(rows.rest).max() < 1e-12
    assert len(rows.corners) == len(edges_of(flat.faces)) - 4 * 5
    np.testing.assert_allclose(rows.weights.sum(axis=1), 0.0, atol=1e-12)


def test_a_bent_strip_has_the_energy_of_its_curvature() -> None:
    radius, rigidity = 0.5, 1e-4
    flat = cloth(cells=20)
    rows = hinges(flat.rest, flat.faces)
    angle = flat.rest[:, 0] / radius
    bent = np.stack([radius * np.sin(angle), flat.rest[:, 1], radius * np.cos(angle)], axis=1)
    curvature = np.linalg.norm(np.einsum("ck,cki->ci", rows.weights, bent[rows.corners]), axis=1)
    energy = (rigidity / rows.areas * curvature**2 / 2).sum()
    assert energy == pytest.approx(rigidity / 2 / radius**2, rel=0.06)  # per m^2; edges on the border have no hinge


def digest() -> str:
    """Of the motion of a cloth, a balloon and a ball."""
    things = [floor(), cloth(height=0.9, air=Air(drag=1.2)), balloon(height=0.4), ball(0.15, (0.1, 0.0, 1.2), mass=0.4)]
    motion = simulate(scene(things, seconds=0.5, fps=16))
    return hashlib.sha256(motion.vertices.tobytes() + motion.velocities.tobytes()).hexdigest()


def test_colours_launched_one_by_one_as_on_an_accelerator_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = digest()
    monkeypatch.setattr(xpbd_model, "runs_in_order", lambda device: False)
    assert digest() == expected


def test_a_frame_rate_that_does_not_divide_the_steps_is_refused() -> None:
    with pytest.raises(ValueError, match=r"video\.fps is 17"):
        simulate(scene([cloth()], fps=17))
    assert STEPS_PER_SECOND % 960 == 0  # what fits the other solvers fits this one


def test_a_dynamic_box_is_refused() -> None:
    box = thing(Shape.BOX, (0.2, 0.2, 0.2), (0.0, 0.0, 2.0), name="brick")
    with pytest.raises(ValueError, match=r"brick.*one ball"):
        simulate(scene([cloth(), box]))


def test_normals_of_a_balloon_point_outwards() -> None:
    shell_ = balloon()
    motion = simulate(scene([shell_], seconds=0.1, fps=16, gravity=WEIGHTLESS))
    outwards = motion.vertices[-1] - motion.poses[-1, 0, :3]
    assert (np.einsum("vi,vi->v", motion.normals[-1], outwards) > 0.9 * np.linalg.norm(outwards, axis=1)).all()
    assert isinstance(shell_, Membrane)
    assert shell_.kind == "deformable"
