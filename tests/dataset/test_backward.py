"""Motion on the grid that it leads to: what is at a pixel now was there before."""

from typing import Literal

import numpy as np
import pytest

from components.dataset.backward import motion_into
from components.geometry import pixel_grid, warp
from tests.dataset.scenes import FOCAL, SPEED, moving_square


@pytest.mark.parametrize(("kind", "within"), [("rigid", 1e-4), ("deformable", 0.06)])
def test_motion_is_that_of_the_formula(kind: Literal["rigid", "deformable"], within: float) -> None:
    clip = moving_square(kind=kind)
    for frame in range(1, len(clip.rgb)):
        motion, known = motion_into(clip, frame)
        here = clip.segmentation[frame] == 2
        centre = clip.intrinsics[:2, 2]
        rays = (pixel_grid(*here.shape) - centre) / FOCAL
        z = clip.depth[frame][..., None]
        before = (rays * z - [SPEED, 0]) / (z + SPEED) * FOCAL + centre
        expected = pixel_grid(*here.shape) - before
        assert known[here].mean() > 0.9
        assert np.abs(motion - expected)[here & known].max() < within
        assert np.abs(motion[clip.segmentation[frame] == 1]).max() < 1e-4


def test_the_frame_before_drawn_at_the_motion_is_this_frame() -> None:
    clip = moving_square()
    for frame in range(1, len(clip.rgb)):
        motion, known = motion_into(clip, frame)
        assert known.all()
        found = warp(clip.rgb[frame - 1], -motion)
        same = np.abs(found - clip.rgb[frame]).max(axis=-1) < 1
        square = clip.segmentation[frame] == 2
        inner = square & np.roll(square, 2, axis=1) & np.roll(square, -2, axis=1)
        inner &= np.roll(square, 2, axis=0) & np.roll(square, -2, axis=0)
        assert inner.sum() > 10
        assert same[inner].all()


def test_forward_and_backward_motion_agree_where_a_point_lands() -> None:
    clip = moving_square(kind="deformable")
    motion, known = motion_into(clip, 1)
    moved = clip.visible[0] & (clip.segmentation[0] == 2)
    landing = (pixel_grid(*moved.shape) + clip.flow[0])[moved].round().astype(int)
    at = (landing[:, 1], landing[:, 0])
    reached = known[at] & (clip.segmentation[1][at] == 2)
    assert np.abs(motion[at] - clip.flow[0][moved])[reached].max() < 0.15


def test_what_deforms_and_was_not_seen_is_unknown() -> None:
    clip = moving_square(kind="deformable")
    clip.visible[:] = False
    motion, known = motion_into(clip, 2)
    square = clip.segmentation[2] == 2
    assert not known[square].any()
    assert (motion[square] == 0).all()
    assert known[~square].all()


def test_the_sky_moves_with_the_cameras_turn_alone() -> None:
    clip = moving_square()
    clip.segmentation[:] = 0
    clip.extrinsics[1:, :3, 3] = 5.0  # a move does not shift what is infinitely far
    motion, known = motion_into(clip, 1)
    assert known.all()
    assert np.abs(motion).max() < 1e-4
    turn = 0.05
    c, s = np.cos(turn), np.sin(turn)
    clip.extrinsics[1:, :3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    middle = motion_into(clip, 1)[0][12, 15]  # near the principal point: f tan of the turn
    assert middle[0] == pytest.approx(FOCAL * np.tan(turn), rel=0.02)
