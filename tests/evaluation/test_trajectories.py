"""Centroid errors and permanence on paths that are written down."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from components.evaluation.trajectories import FINAL_FRAMES, centroid_errors, lost, permanence

T = 9


def path(objects: int = 2) -> NDArray[np.float64]:
    """Centres (T,K,2): object k goes k + 1 pixels a frame to the right."""
    time, number = np.arange(T)[:, None], np.arange(objects)
    return np.stack([5 + time * (number + 1.0), np.full((T, objects), 10.0)], axis=-1)


def areas(*objects: int) -> NDArray[np.int64]:
    """Areas (T,K): the same in all frames."""
    return np.tile(np.array(objects), (T, 1))


def test_the_truth_has_no_error_and_is_never_lost() -> None:
    assert centroid_errors(path(), path()) == (0, 0)
    assert permanence(areas(40, 9), areas(40, 9)) == 1


def test_a_shifted_path_errs_by_the_shift() -> None:
    error, final = centroid_errors(path() + np.array([3, 4]), path())
    assert (error, final) == pytest.approx((5, 5))


def test_the_first_frame_is_given_and_not_measured() -> None:
    found = path()
    found[0] += 50
    assert centroid_errors(found, path()) == (0, 0)


def test_the_final_error_is_that_of_the_last_frames() -> None:
    found = path(1)
    found[-FINAL_FRAMES:, 0, 1] += 2
    assert centroid_errors(found, path(1)) == pytest.approx((2 * FINAL_FRAMES / (T - 1), 2))


def test_a_lost_object_is_where_it_was_seen_last() -> None:
    found = path(1)
    found[4:] = np.nan
    expected = [0, 0, 0, *range(1, T - 3)]  # one pixel a frame from frame 4 on
    assert centroid_errors(found, path(1))[0] == pytest.approx(np.mean(expected))


def test_an_object_that_is_never_found_stays_where_it_began() -> None:
    error, _ = centroid_errors(np.full_like(path(1), np.nan), path(1))
    assert error == pytest.approx(np.mean(np.arange(1, T)))


def test_frames_in_which_truth_hides_the_object_do_not_count() -> None:
    truth, found = path(), path() + np.array([0, 1])
    truth[3:, 1] = np.nan
    found[3:, 1] = np.nan
    assert centroid_errors(found, truth)[0] == pytest.approx(1)
    hidden = areas(40, 40)
    hidden[3:, 1] = 0
    assert permanence(hidden, hidden) == 1


def test_nothing_to_see_is_not_defined() -> None:
    nothing = np.full_like(path(), np.nan)
    assert np.isnan([*centroid_errors(nothing, nothing), permanence(areas(0), areas(0))]).all()


@pytest.mark.parametrize(
    ("area", "left", "gone"),
    [(100, 20, False), (100, 19, True), (40, 8, False), (40, 7, True), (10, 6, False), (10, 5, True), (5, 0, False)],
)
def test_a_fifth_of_an_object_is_enough_and_fewer_pixels_than_are_seen_are_not(
    area: int, left: int, gone: bool
) -> None:
    """An object that truth does not show cannot be lost."""
    assert (lost(areas(left), areas(area)) == gone).all()


def test_permanence_is_the_share_of_frames_in_which_objects_are_there() -> None:
    found = areas(40, 40)
    found[4:, 0] = 3
    found[0] = 0  # the first frame is given and not measured
    assert permanence(found, areas(40, 40)) == pytest.approx((3 + 8) / 16)


def test_the_earlier_an_object_vanishes_the_worse() -> None:
    errors, found_share = [], []
    for gone in (9, 7, 5, 3, 1):
        found, left = path(), areas(40, 40)
        found[gone:, 0], left[gone:, 0] = np.nan, 0
        errors.append(centroid_errors(found, path())[0])
        found_share.append(permanence(left, areas(40, 40)))
    assert all(one < other for one, other in pairwise(errors))
    assert all(one > other for one, other in pairwise(found_share))
