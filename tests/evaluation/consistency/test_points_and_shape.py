"""4D Chamfer, corresponded tracks, shape stability: bodies whose figures are known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from components.evaluation.chamfer import CAP
from components.evaluation.consistency.arrays import Floats, MeasureError
from components.evaluation.consistency.points import (
    chamfer_joint,
    chamfer_per_frame,
    diameter,
    of_diameter,
    track_errors,
)
from components.evaluation.consistency.shape import area_variation, depth_corrected_areas, volume_variation, volumes

CUBE = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 5)] * 3), axis=-1).reshape(-1, 3)
NOTHING = np.empty((0, 3))


def going(frames: int, pace: float) -> list[Floats]:
    return [CUBE + np.array([pace * frame, 0, 0]) for frame in range(frames)]


def turning(frames: int, growth: float = 0.0) -> Floats:
    turns = Rotation.from_euler("xyz", np.outer(np.arange(frames), (0.3, 0.2, 0.5)))
    return np.stack([(1 + growth * number) * turn.apply(CUBE) for number, turn in enumerate(turns)])


class TestChamfer:
    def test_truth_against_itself_is_zero(self) -> None:
        frames = going(4, 0.3)
        for found in (chamfer_per_frame(frames, frames), chamfer_joint(frames, frames, fps=16)):
            assert found is not None
            assert (found.l1, found.l2) == (0, 0)

    def test_a_shift_below_half_the_spacing_is_the_distance_and_its_square(self) -> None:
        found = chamfer_per_frame([frame + np.array([0, 0.1, 0]) for frame in going(3, 5.0)], going(3, 5.0))
        assert found is not None
        assert [found.l1, found.l2] == pytest.approx([0.1, 0.01])

    def test_the_joint_distance_of_what_comes_a_frame_late_is_the_shorter_way(self) -> None:
        """Through space it is 1 m a frame; through time `speed` / fps."""
        single = [np.array([[float(frame), 0, 0]]) for frame in range(5)]
        late = [single[0], *single[:-1]]
        for speed, way in ((2.0, 0.2), (100.0, 1.0)):
            found = chamfer_joint(late[1:], single[1:], fps=10, speed=speed)
            assert found is not None
            cap = CAP * 3.0  # the first and the last have no way through time, and are further apart in space
            assert found.l1 == pytest.approx((3 * min(way, cap) + cap) / 4)

    def test_by_default_the_clip_is_as_long_as_the_scene_is_wide(self) -> None:
        single = [np.array([[float(frame), 0, 0]]) for frame in range(5)]
        assert chamfer_joint(single[::-1], single, fps=16) == chamfer_joint(single[::-1], single, fps=16, speed=16.0)

    def test_a_scene_twice_as_large_has_the_same_ratio(self) -> None:
        small, large = going(3, 0.2), [2 * frame for frame in going(3, 0.2)]
        one, other = (chamfer_per_frame([frame * 1.05 for frame in frames], frames) for frames in (small, large))
        assert one is not None
        assert other is not None
        assert of_diameter(one.l1, diameter(small)) == pytest.approx(of_diameter(other.l1, diameter(large)))

    def test_lost_points_and_empty_frames_are_as_far_as_the_cap(self) -> None:
        truth = going(2, 0.5)
        cap = CAP * diameter(truth)
        for lost in ([NOTHING, NOTHING], [np.full_like(CUBE, np.nan)] * 2):
            found = chamfer_per_frame(lost, truth)
            assert found is not None
            assert found.l1 == pytest.approx(cap)

    def test_without_points_or_size_there_is_nothing_to_measure(self) -> None:
        assert chamfer_per_frame([NOTHING], [NOTHING]) is None
        assert chamfer_joint([CUBE], [CUBE], fps=16) is None
        assert chamfer_per_frame([CUBE[:1]], [CUBE[:1]]) is None
        assert of_diameter(1.0, 0.0) is None

    def test_another_number_of_frames_is_an_error(self) -> None:
        with pytest.raises(MeasureError, match="points of 2 frames against 3 of truth"):
            chamfer_per_frame(going(2, 0.1), going(3, 0.1))


class TestTracks:
    truth = np.stack(going(5, 1.0))

    def test_a_drift_of_a_tenth_a_frame(self) -> None:
        drift = self.truth + np.arange(5)[:, None, None] * np.array([0, 0.1, 0])
        assert track_errors(drift, self.truth) == pytest.approx((0.25, 0.4))

    def test_a_lost_point_stays_where_it_was_seen_last(self) -> None:
        lost = self.truth.copy()
        lost[3:] = np.nan
        assert track_errors(lost, self.truth) == pytest.approx(((0 + 0 + 1 + 2) / 4, 2))
        assert track_errors(np.full_like(lost, np.nan), self.truth) == pytest.approx((2.5, 4))

    def test_one_frame_is_nothing_to_measure(self) -> None:
        assert track_errors(self.truth[:1], self.truth[:1]) is None


class TestShape:
    def test_a_turning_cube_keeps_its_volume(self) -> None:
        assert volume_variation(turning(8)) == pytest.approx(0, abs=1e-12)

    def test_a_growing_cube_varies_as_its_volumes_do(self) -> None:
        sizes = (1 + 0.1 * np.arange(6)) ** 3
        assert volume_variation(turning(6, growth=0.1)) == pytest.approx(sizes.std() / sizes.mean())

    def test_the_volume_of_a_solid_ball_is_that_of_the_ball(self) -> None:
        rng = np.random.default_rng(0)
        ball = rng.normal(size=(20000, 3))
        ball *= (2 * rng.random((20000, 1)) ** (1 / 3)) / np.linalg.norm(ball, axis=1, keepdims=True)
        assert volumes(ball[None])[0] == pytest.approx(4 / 3 * np.pi * 8, rel=0.02)

    def test_a_sheet_has_no_volume_and_one_frame_no_variation(self) -> None:
        assert volume_variation(turning(3) * np.array([1, 1, 0])) is None
        assert volume_variation(turning(1)) is None
        assert volume_variation(np.full((3, 5, 3), np.nan)) is None

    def test_what_comes_nearer_keeps_its_area(self) -> None:
        """A square of 1 m: 8 pixels wide at 2 m, 4 at 4 m, focal length 16."""
        depth, ids = np.full((2, 12, 12), 9.0), np.ones((2, 12, 12), int)
        for frame, (side, z) in enumerate(((8, 2.0), (4, 4.0))):
            depth[frame, :side, :side], ids[frame, :side, :side] = z, 2
        areas = depth_corrected_areas(depth, ids, [2], np.diag([16.0, 16.0, 1.0]))
        np.testing.assert_allclose(areas[:, 0], 1.0)

    def test_what_truth_does_itself_cancels_and_the_rest_varies(self) -> None:
        truth = np.array([[1.0], [0.5], [0.8], [0.0]])
        assert area_variation(0.9 * truth, truth) == pytest.approx(0)
        assert area_variation(truth * [[1], [1], [0], [1]], truth) == pytest.approx(
            np.std([1, 1, 0]) / np.mean([1, 1, 0])
        )
        assert area_variation(0 * truth, truth) == pytest.approx(np.sqrt(2))
        assert area_variation(truth, 0 * truth) is None
