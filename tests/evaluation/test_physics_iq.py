"""The Physics-IQ metric on arrays: what must hold of it whatever the benchmark's code says."""

import dataclasses
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from components.errors import ClipError
from components.evaluation.physics_iq import score_frames
from components.evaluation.physics_iq_agreement import Agreement, shrink
from components.evaluation.physics_iq_masks import KERNEL, MotionDetector, blur, fast_blur, opened_and_closed
from components.evaluation.physics_iq_score import PhysicsIqCase, aggregate
from tests.evaluation.physics_iq_samples import clip

EQUAL = Agreement(st_iou=1.0, s_iou=1.0, ws_iou=1.0, mse=0.0)


def falling(*, speed: float = 1.0, delay: float = 0.0) -> NDArray[np.uint8]:
    """Five seconds at 8 frames a second, 256x256."""
    return clip(seed=4, seconds=5, fps=8, size=(256, 256), speed=speed, delay=delay)


def squares(*, left: int, frames: int = 8) -> NDArray[np.uint8]:
    """A bright square that moves down in a column of a dark clip (frames, 128, 128, 3)."""
    video = np.zeros((frames, 128, 128, 3), np.uint8)
    for index in range(frames):
        video[index, 12 * index : 12 * index + 24, left : left + 24] = 200
    return video


def case(scenario: str, *, st_iou: float, variance: float = 0.5, view: str = "") -> PhysicsIqCase:
    return PhysicsIqCase(
        scenario=scenario,
        view=view,
        take1=Agreement(st_iou=st_iou, s_iou=0.4, ws_iou=0.3, mse=0.02),
        take2=EQUAL,
        variance=Agreement(st_iou=variance, s_iou=0.8, ws_iou=0.6, mse=0.01),
    )


def test_take_1_again_scores_100() -> None:
    take = falling()
    scored = score_frames(take, take, falling(speed=1.1), fps=8, scenario="fall")
    assert scored.take1 == EQUAL
    assert scored.take2 == scored.variance
    assert scored.score == 100


def test_clips_without_motion_agree() -> None:
    still = falling(speed=0.0)
    scored = score_frames(still, still, still, fps=8, scenario="still")
    assert (scored.take1, scored.take2, scored.variance, scored.score) == (EQUAL, EQUAL, EQUAL, 100)


def test_the_longer_the_delay_the_lower_the_score() -> None:
    takes = falling(), falling(speed=1.02)
    scores = [
        score_frames(falling(delay=delay), *takes, fps=8, scenario="fall").score for delay in (0.0, 0.25, 0.5, 1.0, 2.0)
    ]
    assert all(earlier > later for earlier, later in pairwise(scores)), scores


def test_a_static_clip_scores_low_at_256_pixels() -> None:
    take = falling()
    static = np.repeat(take[:1], len(take), axis=0)
    assert score_frames(static, take, falling(speed=1.02), fps=8, scenario="fall").score < 10


def test_mse_of_black_and_white_is_one() -> None:
    black = np.zeros((6, 32, 32, 3), np.uint8)
    scored = score_frames(black + 255, black, black, fps=8, scenario="flat", seconds=None)
    assert (scored.take1.mse, scored.take2.mse, scored.variance.mse) == (1, 1, 0)


def test_the_same_clips_give_the_same_numbers() -> None:
    first, again = (
        score_frames(falling(speed=1.2), falling(), falling(speed=1.02), fps=8, scenario="fall") for _ in range(2)
    )
    assert first == again


def test_takes_that_never_meet_leave_nothing_for_a_clip_elsewhere() -> None:
    takes = squares(left=0), squares(left=96)
    elsewhere = score_frames(squares(left=48), *takes, fps=8, scenario="apart", seconds=None)
    assert (elsewhere.take1.s_iou, elsewhere.variance.s_iou) == (0, 0)
    assert 0 <= elsewhere.score < 50
    assert score_frames(takes[0], *takes, fps=8, scenario="apart", seconds=None).score == 100


@settings(max_examples=25, deadline=None)
@given(seeds=st.tuples(*[st.integers(0, 2**16)] * 3), noise=st.integers(0, 255), frames=st.integers(1, 6))
def test_every_score_lies_between_0_and_100(seeds: tuple[int, int, int], noise: int, frames: int) -> None:
    clips = []
    for seed in seeds:
        grain = np.random.default_rng(seed).integers(0, noise + 1, (frames, 1, 40, 40, 3)) // 2
        clips.append((squares(left=seed % 100, frames=frames)[:, None, :40, :40] // 2 + grain)[:, 0].astype(np.uint8))
    scored = score_frames(*clips, fps=8, scenario="any", seconds=None)
    values = [value for part in (scored.take1, scored.take2, scored.variance) for value in dataclasses.astuple(part)]
    assert 0 <= scored.score <= 100
    assert all(0 <= value <= 1 for value in values)


class TestMotionDetector:
    def test_the_first_frame_has_no_motion(self) -> None:
        assert not MotionDetector().mask(squares(left=40)[0]).any()

    def test_a_change_shows_from_just_above_10_levels_of_what_the_average_left(self) -> None:
        """The average takes 0.3 of a step before it is compared: 0.7 of the step is left, rounded."""
        for step, moves in ((14, False), (16, True)):
            detector = MotionDetector()
            frames = np.full((2, 32, 32, 3), 100, np.uint8)
            frames[1] += step
            assert [bool(detector.mask(frame).any()) for frame in frames] == [False, moves]

    def test_a_speck_smaller_than_the_opening_is_no_motion(self) -> None:
        for side, moves in ((2, False), (12, True)):
            detector = MotionDetector()
            frames = np.zeros((2, 64, 64, 3), np.uint8)
            frames[1, 30 : 30 + side, 30 : 30 + side] = 255
            assert [bool(detector.mask(frame).any()) for frame in frames] == [False, moves]

    def test_grey_weighs_the_channels_as_rgb(self) -> None:
        """30 levels of green are 17.6 of grey, of which 0.7 show; 30 of blue are 3.4."""
        for channel, moves in ((1, True), (2, False)):
            detector = MotionDetector()
            frames = np.full((2, 32, 32, 3), 100, np.uint8)
            frames[1, ..., channel] += 30
            assert [bool(detector.mask(frame).any()) for frame in frames] == [False, moves]
            reversed_ = MotionDetector(order="bgr")
            assert [bool(reversed_.mask(frame[..., ::-1]).any()) for frame in frames] == [False, moves]


@settings(max_examples=60, deadline=None)
@given(
    boxes=st.lists(st.tuples(*[st.integers(0, 39)] * 2, *[st.integers(1, 12)] * 2), max_size=4),
    holes=st.integers(0, 60),
    seed=st.integers(0, 2**16),
)
def test_opening_and_closing_a_part_is_that_of_the_whole(
    boxes: list[tuple[int, int, int, int]], holes: int, seed: int
) -> None:
    mask = np.zeros((40, 40), np.uint8)
    for top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = 255
    mask.ravel()[np.random.default_rng(seed).integers(0, mask.size, holes)] = 0
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, KERNEL)
    assert np.array_equal(opened_and_closed(mask), cv2.morphologyEx(opened, cv2.MORPH_CLOSE, KERNEL))


@settings(max_examples=60, deadline=None)
@given(size=st.tuples(*[st.integers(1, 70)] * 2), levels=st.integers(1, 256), seed=st.integers(0, 2**16))
def test_the_fast_blur_is_that_of_opencv(size: tuple[int, int], levels: int, seed: int) -> None:
    """Few levels make many means that lie halfway between two bytes."""
    grey = np.random.default_rng(seed).choice(np.linspace(0, 255, levels), size).astype(np.uint8)
    assert np.array_equal(fast_blur(grey), blur(grey))


def test_where_the_fast_blur_differs_opencvs_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = MotionDetector()
    expected = [detector.mask(frame) for frame in squares(left=40)]
    monkeypatch.setattr("components.evaluation.physics_iq_masks.fast_blur", lambda grey: blur(grey) // 2)
    detector = MotionDetector()
    assert np.array_equal([detector.mask(frame) for frame in squares(left=40)], expected)


def test_levels_are_those_of_a_division() -> None:
    ramp = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(shrink(ramp, (16, 16)), (ramp / 255.0).astype(np.float32))


class TestAggregate:
    def test_the_formula_is_applied_to_the_means(self) -> None:
        score = aggregate([case("a", st_iou=0.2, variance=0.4), case("b", st_iou=0.4, variance=0.6)])
        expected = 100 * ((0.3 / 0.5 + 0.4 / 0.8 + 0.3 / 0.6) / 3 - (0.02 - 0.01))
        assert score.score == pytest.approx(expected, abs=0.005)
        assert (score.n, score.scenarios) == (2, 2)

    def test_the_variance_is_rounded_before_it_divides(self) -> None:
        rough = dataclasses.replace(case("a", st_iou=0.2), variance=Agreement(**dict.fromkeys(COLUMNS, 0.123456)))
        assert dataclasses.astuple(aggregate([rough]).variance) == (0.1235, 0.12346, 0.1235, 0.1235)

    def test_views_of_a_scenario_are_one_unit_of_the_interval(self) -> None:
        scenarios = [case(f"{index}", st_iou=0.02 * index) for index in range(12)]
        tripled = [dataclasses.replace(one, view=view) for one in scenarios for view in ("left", "center", "right")]
        assert aggregate(tripled).interval == aggregate(scenarios).interval
        assert (aggregate(tripled).n, aggregate(tripled).scenarios) == (36, 12)

    def test_the_interval_holds_the_score_and_follows_the_seed(self) -> None:
        cases = [case(f"{index}", st_iou=0.02 * index) for index in range(12)]
        score = aggregate(cases, seed=1)
        assert score.interval is not None
        assert score.interval[0] < score.score < score.interval[1]
        assert score == aggregate(cases, seed=1)
        assert score.interval != aggregate(cases, seed=2).interval

    def test_one_scenario_has_no_interval(self) -> None:
        views = [case("a", st_iou=0.3, view=view) for view in ("left", "right")]
        assert aggregate(views).interval is None
        document = aggregate(views).to_json()
        assert (document["interval"], document["column_intervals"]) == (None, None)

    def test_the_interval_of_a_column_is_that_of_its_mean(self) -> None:
        """Of n equally likely draws of 0 and 1, the mean of 25 has the deviation 0.1."""
        score = aggregate([case(f"{index}", st_iou=float(index % 2)) for index in range(25)])
        assert score.take1_interval is not None
        low, high = score.take1_interval
        assert low.st_iou == pytest.approx(0.48 - 0.2, abs=0.05)
        assert high.st_iou == pytest.approx(0.48 + 0.2, abs=0.05)
        assert (low.s_iou, high.s_iou) == pytest.approx((0.4, 0.4))

    def test_json_names_every_column(self) -> None:
        document = aggregate([case("a", st_iou=0.2), case("b", st_iou=0.3)]).to_json()
        assert list(document) == ["score", "columns", "n", "scenarios", "interval", "column_intervals"]
        columns = document["columns"]
        assert isinstance(columns, dict)
        assert columns["st_iou"] == pytest.approx(0.25)
        assert columns["st_iou_take2"] == 1
        assert set(columns) == {f"{name}{end}" for name in COLUMNS for end in ("", "_take2", "_variance")}

    def test_no_cases_have_no_score(self) -> None:
        with pytest.raises(ValueError, match="at least one case"):
            aggregate([])


COLUMNS = ("st_iou", "s_iou", "ws_iou", "mse")


class TestRefusals:
    take = squares(left=40)

    def test_a_clip_shorter_than_the_duration(self) -> None:
        with pytest.raises(ClipError, match=r"take 2 of fall left has 8 frames, expected at least 40"):
            score_frames(falling(), falling(), self.take, fps=8, scenario="fall", view="left", seconds=5)

    def test_whole_clips_of_different_length(self) -> None:
        with pytest.raises(ClipError, match="generated of fall has 7 frames, expected exactly 8"):
            score_frames(self.take[:7], self.take, self.take, fps=8, scenario="fall", seconds=None)

    def test_frames_that_are_not_bytes(self) -> None:
        floats = self.take / 255.0
        with pytest.raises(ClipError, match=r"generated of fall is float64 .* expected uint8"):
            score_frames(floats, self.take, self.take, fps=8, scenario="fall", seconds=None)  # type: ignore[arg-type]
