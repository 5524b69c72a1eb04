"""The judge on planted faults: truth is perfect, and what should react to a fault does so the more, the stronger."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluation.heads import HEAD_METRICS
from components.evaluation.instruments import JUDGED
from components.evaluation.judge import METRICS, Videos, measure_clip
from components.evaluation.own import AGREEMENT
from components.evaluation.physics_iq import score_frames
from components.evaluation.physics_iq_recorded import enlarged
from components.evaluation.takes import TakePair
from tests.evaluation.scenes import BLUE, FRAMES, WALL, Disc, disc_clip, film

DISC = Disc(centre=(14, 22), step=(4, 2), depth=4.0, depth_step=-0.05)
OTHER = Disc(centre=(48, 40), step=(-2, -3), depth=4.5, colour=BLUE, radius=6)
SIZE = 256


@pytest.fixture(scope="module")
def pair() -> TakePair:
    other = replace(DISC, centre=(14.4, 22))
    return TakePair(take1=disc_clip(DISC, OTHER), take2=disc_clip(other, OTHER, take=1))


def true_depth(*discs: Disc) -> NDArray[np.float32]:
    return disc_clip(*discs).depth


def measured(pair: TakePair, rgb: NDArray[np.uint8], depth: NDArray[np.float32]) -> dict[str, float]:
    found = measure_clip(pair, {"row": Videos(frames=rgb[None], depth=depth[None])}, size=SIZE)["row"]
    return dict(zip(METRICS, found[0].tolist(), strict=True))


def measured_discs(pair: TakePair, *discs: Disc) -> dict[str, float]:
    return measured(pair, film(discs), true_depth(*discs))


def test_the_truth_against_itself_is_perfect(pair: TakePair) -> None:
    truth = dict(zip(METRICS, measure_clip(pair, {}, size=SIZE)["truth"][0].tolist(), strict=True))
    for metric in ("centroid_error", "centroid_final_error", "chamfer", "chamfer_ratio", "flow_epe", "static_flow_epe"):
        assert truth[metric] == 0
    assert truth["depth_warp"] == pytest.approx(0, abs=1e-6)
    assert truth["permanence"] == truth["st_iou"] == truth["s_iou"] == truth["ws_iou"] == 1
    assert truth["mse"] == 0


def test_the_true_video_with_true_depth_is_next_to_perfect(pair: TakePair) -> None:
    found = measured(pair, pair.take1.rgb, pair.take1.depth)
    assert (found["centroid_error"], found["permanence"], found["st_iou"]) == (0, 1, 1)
    assert found["chamfer"] < 0.01
    assert found["depth_warp"] < 0.02
    assert found["flow_epe"] < 0.5


def test_the_catalogue_is_ideal_for_the_truth_and_next_to_it_for_the_true_video(pair: TakePair) -> None:
    videos = {"true": Videos(frames=pair.take1.rgb[None], depth=pair.take1.depth[None])}
    found = measure_clip(pair, videos, size=SIZE)
    truth, true = (dict(zip(METRICS, found[row][0].tolist(), strict=True)) for row in ("truth", "true"))
    for one in (truth, true):
        for metric in ("depth_absrel", "depth_absrel_aligned", "moving_depth_absrel", "chamfer_l1", "chamfer_joint_l2"):
            assert one[metric] == pytest.approx(0, abs=5e-3)
        for metric in ("depth_delta1", "depth_delta1_aligned", "object_permanence", "ssim"):
            assert one[metric] == pytest.approx(1)
        assert one["psnr"] == 100
        assert one["depth_warp_l1"] == pytest.approx(0, abs=1e-6)
        assert one["divergence_time"] == pytest.approx((FRAMES - 1) / pair.take1.meta.fps)
    assert [truth[f"dynamic_flow_{part}"] for part in ("epe", "1px", "fl")] == [0, 0, 0]
    assert truth["area_variation"] == 0 <= true["area_variation"] < 0.05
    assert true["dynamic_flow_epe"] == pytest.approx(true["flow_epe"], rel=1e-5)


def test_a_frozen_video_parts_sooner_than_take_2_of_which_the_ratio_is_1() -> None:
    far = TakePair(take1=disc_clip(DISC), take2=disc_clip(replace(DISC, step=(3, 2)), take=1))
    second, frozen = (
        measured(far, rgb, depth)
        for rgb, depth in (
            (far.take2.rgb, far.take2.depth),
            (far.take1.rgb[:1].repeat(FRAMES, axis=0), far.take1.depth[:1].repeat(FRAMES, axis=0)),
        )
    )
    assert second["divergence_time_ratio"] == 1
    assert 0 < frozen["divergence_time_ratio"] < 1
    still = far.take1.rgb[:1].repeat(FRAMES, axis=0), far.take1.depth[:1].repeat(FRAMES, axis=0) * np.float32(1.2)
    assert measured(far, *still)["divergence_time"] == frozen["divergence_time"]  # a judge that is wrong all along
    assert frozen["depth_absrel"] > 0
    assert frozen["psnr"] < 100


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_video_of_one_colour_and_depth_that_is_no_number_are_wrong_not_undefined(pair: TakePair, grey: int) -> None:
    found = measured(pair, np.full_like(pair.take1.rgb, grey), np.full_like(pair.take1.depth, np.nan))
    undefined = {name for name, value in found.items() if not np.isfinite(value)}
    assert undefined <= {"inertial_residual", "jerk", "energy_drift", "energy_gain", "penetration_rate"}
    assert found["object_permanence"] == found["depth_delta1"] == 0
    assert found["depth_absrel"] == 1


def test_no_two_figures_have_one_name() -> None:
    assert len(set(METRICS)) == len(METRICS)
    assert set(METRICS).isdisjoint((*HEAD_METRICS, *AGREEMENT))


def test_the_physics_iq_columns_are_those_of_the_whole_formula(pair: TakePair) -> None:
    video = film([Disc(centre=(14, 22), step=(3, 2)), OTHER])
    clips = [np.stack(list(enlarged(frames, SIZE))) for frames in (video, pair.take1.rgb, pair.take2.rgb)]
    case = score_frames(clips[0], clips[1], clips[2], fps=pair.take1.meta.fps, seconds=None)
    found = measured(pair, video, pair.take1.depth)
    np.testing.assert_array_equal([found[name] for name in METRICS[-12:]], case.columns())


def test_two_samples_are_measured_as_each_alone(pair: TakePair) -> None:
    videos = [film([Disc(centre=(14, 22), step=(step, 2)), OTHER]) for step in (2, 3)]
    depth = np.stack([pair.take1.depth] * 2)
    both = measure_clip(pair, {"row": Videos(frames=np.stack(videos), depth=depth)}, size=SIZE)["row"]
    for one, video in zip(both, videos, strict=True):
        alone = measured(pair, video, pair.take1.depth)
        np.testing.assert_array_equal(one, [alone[metric] for metric in METRICS])


def reacts(values: list[dict[str, float]], metric: str, *, sign: int) -> None:
    """`metric` rises (sign 1) or falls (-1) with every step of a fault's strength."""
    found = [sign * value[metric] for value in values]
    assert all(weak < strong for weak, strong in pairwise(found)), (metric, found)


class TestPlantedFaults:
    def test_frozen_from_some_frame_on(self, pair: TakePair) -> None:
        values = []
        for frozen in (FRAMES - 1, 6, 4, 2, 0):
            order = np.minimum(np.arange(FRAMES), frozen)
            values.append(measured(pair, pair.take1.rgb[order], pair.take1.depth[order]))
        for metric in ("centroid_error", "chamfer", "flow_epe", "mse"):
            reacts(values, metric, sign=1)
        for metric in ("st_iou", "s_iou"):
            reacts(values, metric, sign=-1)
        assert all(value["permanence"] == 1 for value in values)
        assert values[-1]["depth_warp"] > 2 * values[0]["depth_warp"]

    def test_vanished_from_some_frame_on(self, pair: TakePair) -> None:
        gone = [
            Disc(centre=(14, 22), step=(4, 2), depth=4.0, depth_step=-0.05, gone=frame)
            for frame in (FRAMES, 7, 5, 3, 1)
        ]
        values = [measured_discs(pair, disc, OTHER) for disc in gone]
        reacts(values, "permanence", sign=-1)
        reacts(values, "depth_warp", sign=1)
        for metric in ("centroid_error", "centroid_final_error", "chamfer", "flow_epe"):
            found = [value[metric] for value in values]
            assert found[0] == min(found)
            assert found == sorted(found)
        assert values[-1]["permanence"] == pytest.approx(0.5)

    def test_shifted_by_more_and_more_pixels(self, pair: TakePair) -> None:
        shifts = (0, 2, 4, 8)
        values = []
        for shift in shifts:
            values.append(measured_discs(pair, replace(DISC, centre=(14 + shift, 22)), OTHER))
        for metric in ("centroid_error", "chamfer", "mse"):
            reacts(values, metric, sign=1)
        reacts(values, "st_iou", sign=-1)
        np.testing.assert_allclose([value["centroid_error"] for value in values], np.array(shifts) / 2, atol=0.2)

    def test_another_speed(self, pair: TakePair) -> None:
        values = [measured_discs(pair, replace(DISC, step=(step, 2)), OTHER) for step in (4, 3, 2, 1)]
        for metric in ("centroid_error", "centroid_final_error", "chamfer", "flow_epe"):
            reacts(values, metric, sign=1)

    def test_depth_that_is_read_wrong(self, pair: TakePair) -> None:
        values = [
            measured(pair, pair.take1.rgb, pair.take1.depth * np.float32(scale)) for scale in (1, 1.02, 1.05, 1.1)
        ]
        reacts(values, "chamfer", sign=1)
        assert {value["centroid_error"] for value in values} == {0}

    def test_depth_that_flickers(self, pair: TakePair) -> None:
        flicker = np.where(np.arange(FRAMES) % 2, 1, -1)[:, None, None]
        values = []
        for size in (0, 0.02, 0.05, 0.1):
            values.append(measured(pair, pair.take1.rgb, (pair.take1.depth + size * flicker).astype(np.float32)))
        reacts(values, "depth_warp", sign=1)


def test_a_clip_in_which_nothing_moves_has_a_score_and_nothing_else() -> None:
    still = disc_clip()
    found = measured(TakePair(take1=still, take2=still), still.rgb, np.full(still.depth.shape, WALL, np.float32))
    undefined = {name for name, value in found.items() if np.isnan(value)}
    of_what_moves = ("dynamic_", "occluded_", "chamfer", "moving_", "divergence_", "energy_")
    others = {"area_variation", "inertial_residual", "jerk", "penetration_rate", "object_permanence"}
    assert undefined == {*METRICS[:7], *others, *(name for name in JUDGED if name.startswith(of_what_moves))}
    assert found["st_iou"] == 1
