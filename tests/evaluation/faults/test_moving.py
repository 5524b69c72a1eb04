"""Moved objects against the clip in which they were there from the start."""

from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.consistency.arrays import MeasureError
from components.evaluation.faults.moving import move_object
from tests.evaluation.faults.solids import POINTS, solid_clip
from tests.evaluation.scenes import FOCAL, FRAMES, WALL, Disc

HERE = Disc(centre=(20, 24), step=(2, 1), depth=4.0)
PIXEL = 4.0 / FOCAL  # metres, at the disc's distance


def test_a_disc_that_is_moved_is_the_disc_that_was_there() -> None:
    """Three pixels right, then two a frame faster: picture, depth, ids, motion, what is visible, pose and tracks."""
    clip = solid_clip(HERE)
    there = solid_clip(replace(HERE, centre=(23, 24), step=(3, 1)))
    pixels = 3 + np.arange(FRAMES)
    moved = move_object(clip, 2, np.outer(pixels * PIXEL, (1.0, 0, 0)))
    moved.validate()
    for name in ("segmentation", "visible"):
        np.testing.assert_array_equal(getattr(moved, name), getattr(there, name), err_msg=name)
    for name in ("depth", "flow", "depth_change", "poses", "tracks"):
        np.testing.assert_allclose(getattr(moved, name), getattr(there, name), atol=1e-4, err_msg=name)


def test_twice_as_far_is_half_as_large() -> None:
    moved = move_object(solid_clip(replace(HERE, step=(0, 0))), 2, np.tile((0.0, 0, 1.5), (FRAMES, 1)))
    seen = moved.segmentation == 2
    assert np.unique(moved.depth[seen]) == pytest.approx([5.5])
    assert seen[0].sum() == pytest.approx(np.pi * (7 * 4 / 5.5) ** 2, rel=0.1)


def test_twice_as_large_has_four_times_the_area_and_keeps_its_place() -> None:
    clip = solid_clip(replace(HERE, step=(0, 0), centre=(32, 32)))
    sizes = np.linspace(1, 2, FRAMES)
    moved = move_object(clip, 2, np.zeros((FRAMES, 3)), sizes=sizes)
    areas = (moved.segmentation == 2).sum(axis=(1, 2))
    np.testing.assert_allclose(areas / areas[0], sizes**2, rtol=0.1)
    spread = np.linalg.norm(moved.tracks - moved.poses[:, :1, :3], axis=-1)
    np.testing.assert_allclose(spread, spread[0] * sizes[:, None], rtol=1e-5)


def test_what_is_behind_the_wall_is_hidden() -> None:
    moved = move_object(solid_clip(HERE), 2, np.tile((0.0, 0, WALL - 4 + 1), (FRAMES, 1)))
    assert not (moved.segmentation == 2).any()
    np.testing.assert_array_equal(moved.depth, WALL)


def test_a_gone_object_leaves_the_wall_and_tracks_that_wait() -> None:
    clip = solid_clip(HERE)
    gone = move_object(clip, 2, np.zeros((FRAMES, 3)), shown=np.arange(FRAMES) < 5)
    np.testing.assert_array_equal(gone.segmentation[:5], clip.segmentation[:5])
    np.testing.assert_array_equal(gone.depth[5:], WALL)
    np.testing.assert_array_equal(gone.tracks[5:], np.repeat(clip.tracks[4:5], FRAMES - 5, axis=0))
    assert not gone.visible[4][clip.segmentation[4] == 2].any()
    assert not gone.tracks_visible[5:, :POINTS].any()


def test_nowhere_is_the_clip_itself() -> None:
    clip = solid_clip(HERE)
    assert move_object(clip, 2, np.zeros((FRAMES, 3))) is clip


def test_a_moving_camera_is_an_error() -> None:
    clip = solid_clip(HERE)
    cameras = clip.extrinsics.copy()
    cameras[3, 0, 3] = 0.1
    with pytest.raises(MeasureError, match="camera moves"):
        move_object(replace(clip, extrinsics=cameras), 2, np.ones((FRAMES, 3)))
