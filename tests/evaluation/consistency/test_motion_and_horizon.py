"""Motion stability and long-horizon plausibility: falls, planes and bodies whose figures are known."""

import numpy as np
import pytest

from components.evaluation.consistency.arrays import Floats
from components.evaluation.consistency.long_horizon import (
    divergence_time,
    energy_drift,
    energy_gain,
    mechanical_energy,
    object_permanence,
    penetration_rate,
    relative_divergence_time,
)
from components.evaluation.consistency.stability import depth_warp_l1, free_flight, inertial_residual, jerk
from components.geometry import pixel_grid

FPS, GRAVITY = 16.0, np.array([0.0, 0.0, -9.81])
TIMES = np.arange(9) / FPS
RESIDUAL = 9.81 / FPS**2


def fall(share: float = 1.0, *, pace: float = 0.0) -> Floats:
    """Centres (9,1,3) of one body, 5 m up, that falls with a share of gravity."""
    centres = np.outer(share * TIMES**2 / 2, GRAVITY) + np.outer(TIMES, (pace, 0, 0)) + (0, 0, 5)
    return np.asarray(centres[:, None], np.float64)


FREE = free_flight(fall(pace=2.0), fps=FPS, gravity=GRAVITY)


class TestFreeFall:
    def test_a_throw_is_free_and_a_body_at_rest_is_not(self) -> None:
        assert FREE.all()
        assert not free_flight(fall(0), fps=FPS, gravity=GRAVITY).any()

    @pytest.mark.parametrize("share", [0.0, 0.4, 1.0, 1.5])
    def test_too_little_gravity_leaves_what_it_lacks(self, share: float) -> None:
        """Frozen in mid-air (share 0) it is g dt^2."""
        found = inertial_residual(fall(share), FREE, fps=FPS, gravity=GRAVITY)
        assert found == pytest.approx(abs(1 - share) * RESIDUAL, abs=1e-12)

    def test_contacts_are_left_out(self) -> None:
        touched = fall()
        touched[4:] += 0.3
        free = FREE.copy()
        free[2:4] = False
        assert inertial_residual(touched, free, fps=FPS, gravity=GRAVITY) == pytest.approx(0, abs=1e-12)
        assert inertial_residual(touched, ~(FREE | True), fps=FPS, gravity=GRAVITY) is None

    def test_a_lost_body_counts_as_one_that_hangs(self) -> None:
        assert inertial_residual(fall() * np.nan, FREE, fps=FPS, gravity=GRAVITY) == pytest.approx(RESIDUAL)

    def test_jerk_is_the_third_derivative(self) -> None:
        assert jerk(fall(), FREE, fps=FPS) == pytest.approx(0, abs=1e-9)
        cubic = np.outer(TIMES**3, (0, 2.0, 0))[:, None]
        assert jerk(cubic, FREE, fps=FPS) == pytest.approx(12.0)

    def test_too_few_frames_are_nothing_to_measure(self) -> None:
        assert jerk(fall()[:3], FREE[:1], fps=FPS) is None
        assert inertial_residual(fall()[:2], FREE[:0], fps=FPS, gravity=GRAVITY) is None


class TestDepthWarp:
    visible = np.ones((2, 8, 8), np.bool_)

    def test_a_tilted_plane_that_moves_across_leaves_nothing(self) -> None:
        u = pixel_grid(8, 8)[..., 0]
        depth = np.stack([4 + 0.1 * (u - t) for t in range(3)])
        flow = np.full((2, 8, 8, 2), (1.0, 0.0))
        inside = self.visible & (u < 7)
        assert depth_warp_l1(depth, flow, np.zeros((2, 8, 8)), inside) == pytest.approx(0, abs=1e-12)
        assert depth_warp_l1(depth, 0 * flow, np.zeros((2, 8, 8)), inside) == pytest.approx(0.1)

    def test_depth_that_does_not_change_as_said_is_the_difference(self) -> None:
        depth, change = np.full((3, 8, 8), 4.0), np.full((2, 8, 8), -0.25)
        assert depth_warp_l1(depth, np.zeros((2, 8, 8, 2)), change, self.visible) == 0.25

    def test_between_two_surfaces_nothing_is_read(self) -> None:
        depth, ids = np.full((3, 8, 8), 4.0), np.full((3, 8, 8), 2)
        depth[:, :, 5:], ids[:, :, 5:] = 8.0, 1
        flow = np.full((2, 8, 8, 2), (0.5, 0.0))
        still = np.zeros((2, 8, 8))
        assert depth_warp_l1(depth, flow, still, self.visible, segmentation=ids) == 0
        assert depth_warp_l1(depth, flow, still, self.visible) == pytest.approx(2 / 8)

    def test_what_is_not_finite_is_lost_and_nothing_visible_nothing_to_measure(self) -> None:
        depth, flow, still = np.full((3, 8, 8), np.nan), np.zeros((2, 8, 8, 2)), np.zeros((2, 8, 8))
        assert depth_warp_l1(depth, flow, still, self.visible, lost=0.7) == pytest.approx(0.7)
        assert depth_warp_l1(depth, flow + np.inf, still, self.visible) == 1
        assert depth_warp_l1(depth, flow, still, ~self.visible) is None


class TestDivergence:
    def leaving(self, pace: float) -> Floats:
        return fall() + np.outer(np.arange(9), (0, pace, 0))[:, None]

    def test_it_is_the_first_moment_beyond_five_percent(self) -> None:
        assert divergence_time(self.leaving(0.1), fall(), fps=FPS, size=5.0) == 3 / FPS

    def test_what_never_leaves_lasts_the_clip(self) -> None:
        assert divergence_time(fall(), fall(), fps=FPS, size=5.0) == 8 / FPS

    def test_it_is_relative_to_how_long_the_world_repeats_itself(self) -> None:
        other = self.leaving(0.05)
        assert relative_divergence_time(self.leaving(0.1), fall(), other, fps=FPS, size=5.0) == pytest.approx(3 / 6)

    def test_equal_takes_and_takes_that_part_at_once_are_defined(self) -> None:
        assert relative_divergence_time(self.leaving(0.1), fall(), fall(), fps=FPS, size=5.0) == pytest.approx(3 / 8)
        assert relative_divergence_time(fall(), fall(), fall() + 9, fps=FPS, size=5.0) == 8
        assert divergence_time(fall(), fall(), fps=FPS, size=0.0) is None
        assert divergence_time(fall()[:1], fall()[:1], fps=FPS, size=1.0) is None


class TestPenetration:
    box = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 5)] * 3), axis=-1).reshape(-1, 3)

    def test_it_is_the_share_of_frames_in_which_a_body_is_under_the_floor(self) -> None:
        frames = [self.box + np.array([0, 0, height]) for height in (0.6, 0.5, 0.49, 0.47, 0.3)]
        assert penetration_rate({2: frames}) == 2 / 5
        assert penetration_rate({2: frames}, floor=None) == 0

    @pytest.mark.parametrize(("gap", "share"), [(0.99, 0), (0.7, 1)])
    def test_bodies_in_each_other_count_both(self, gap: float, share: float) -> None:
        bodies = {2: [self.box], 3: [self.box + np.array([gap, 0.1, 0.1])]}
        assert penetration_rate(bodies, floor=None, solid=[2, 3]) == share
        assert penetration_rate(bodies, floor=None, solid=[]) == 0

    def test_nothing_seen_is_nothing_to_measure_and_sheets_hold_nothing(self) -> None:
        assert penetration_rate({2: [np.full((4, 3), np.nan)]}) is None
        sheet = self.box * np.array([1, 1, 0])
        assert penetration_rate({2: [sheet], 3: [self.box]}, floor=None, solid=[2, 3]) == 0.5


class TestEnergy:
    def test_a_throw_keeps_it(self) -> None:
        energy = mechanical_energy(fall(pace=3.0), [2.0], fps=FPS, gravity=GRAVITY)
        np.testing.assert_allclose(energy, energy[0])
        assert energy_drift(energy, 10.0) == pytest.approx(0)

    def test_lifting_gains_and_freezing_in_a_fall_loses(self) -> None:
        lifted = fall(0) + np.outer(np.arange(9), (0, 0, 0.5))[:, None]
        energy = mechanical_energy(lifted, [2.0], fps=FPS, gravity=GRAVITY)
        assert energy_drift(energy, 2 * 9.81) == pytest.approx(7 * 0.5)  # of weight times a metre
        assert energy_gain(energy, 2 * 9.81) == pytest.approx(7 * 0.5)
        stopped = fall(pace=3.0)
        stopped[4:] = stopped[4]
        energy = mechanical_energy(stopped, [2.0], fps=FPS, gravity=GRAVITY)
        drift = energy_drift(energy, 1.0)
        assert drift is not None
        assert drift < 0
        assert energy_gain(energy, 1.0) == 0

    def test_lost_bodies_rest_and_no_scale_is_nothing_to_measure(self) -> None:
        centres = np.concatenate([fall(), fall() * np.nan], axis=1)
        energy = mechanical_energy(centres, [1.0, 1.0], fps=FPS, gravity=GRAVITY)
        np.testing.assert_allclose(energy, mechanical_energy(fall(), [1.0], fps=FPS, gravity=GRAVITY))
        assert energy_drift(energy, 0.0) is None
        assert energy_gain(energy[:1], 1.0) is None


def test_an_object_is_there_while_a_fifth_of_it_is() -> None:
    expected = np.full((5, 1), 100)
    assert object_permanence([[0], [100], [20], [19], [0]], expected) == 0.5
    assert object_permanence(expected, 0 * expected) is None
