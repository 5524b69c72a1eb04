"""What each fault plants, and that it plants nothing at strength 0 and never in the first frame."""

from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.consistency.arrays import MeasureError
from components.evaluation.consistency.catalogue import BY_NAME
from components.evaluation.faults.expected import REACTS
from components.evaluation.faults.kinds import (
    FAULTS,
    Fault,
    freeze,
    interpenetrate,
    late_shadow,
    swap_identities,
    wrong_gravity,
)
from tests.evaluation.faults.solids import PAIR, POINTS, solid_clip
from tests.evaluation.scenes import FRAMES, Disc

CLIP = solid_clip(*PAIR)
RNG = np.random.default_rng


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
class TestEveryFault:
    def test_strength_nothing_is_the_clip_as_it_was(self, fault: Fault) -> None:
        same = fault.plant(CLIP, 0.0, RNG(0))
        for name, array in CLIP.arrays().items():
            np.testing.assert_array_equal(getattr(same, name), array, err_msg=name)

    def test_the_first_frame_is_given_and_the_clip_stays_a_clip(self, fault: Fault) -> None:
        wrong = fault.plant(CLIP, 1.0, RNG(0))
        wrong.validate()
        for name in ("rgb", "depth", "segmentation", "tracks"):
            np.testing.assert_array_equal(getattr(wrong, name)[0], getattr(CLIP, name)[0], err_msg=name)

    def test_the_same_seed_plants_the_same_and_truth_is_not_touched(self, fault: Fault) -> None:
        before = {name: array.copy() for name, array in CLIP.arrays().items()}
        one, other = (fault.plant(CLIP, 0.7, RNG(3)) for _ in range(2))
        for name, array in before.items():
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
            np.testing.assert_array_equal(getattr(CLIP, name), array, err_msg=name)

    def test_its_reactions_are_declared_and_are_metrics(self, fault: Fault) -> None:
        assert REACTS[fault.name]
        assert REACTS[fault.name] <= BY_NAME.keys()


def test_every_metric_is_declared_to_react_to_something() -> None:
    assert BY_NAME.keys() - frozenset().union(*REACTS.values()) == set()
    assert {fault.name for fault in FAULTS} == REACTS.keys()


def test_freezing_half_holds_the_middle_frame() -> None:
    still = freeze(CLIP, 0.5, RNG(0))
    np.testing.assert_array_equal(still.rgb[:5], CLIP.rgb[:5])
    np.testing.assert_array_equal(still.rgb[5:], np.repeat(CLIP.rgb[4:5], 4, axis=0))
    assert not still.flow[4:].any()
    np.testing.assert_array_equal(still.flow[:4], CLIP.flow[:4])


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_free_bodies_fall_too_slowly_and_others_as_before(strength: float) -> None:
    fps, gravity = CLIP.meta.fps, 9.81
    times = np.arange(FRAMES) / fps
    fall = np.stack([0 * times, 0 * times, 4 - gravity * times**2 / 2], axis=-1)
    poses = CLIP.poses.copy()
    poses[:, 0, :3] = fall
    clip = replace(CLIP, poses=poses)
    slow = wrong_gravity(clip, strength, RNG(0))
    np.testing.assert_allclose(slow.poses[:, 0, 2], 4 - (1 - strength) * gravity * times**2 / 2, atol=1e-5)
    np.testing.assert_array_equal(slow.poses[:, 1], clip.poses[:, 1])


def test_swapped_objects_have_each_other_s_ids_tracks_and_colour() -> None:
    wrong = swap_identities(CLIP, 0.5, RNG(0))
    late = slice(5, None)
    for one, other in ((2, 3), (3, 2)):
        np.testing.assert_array_equal(wrong.segmentation[late] == one, CLIP.segmentation[late] == other)
    np.testing.assert_array_equal(wrong.tracks[late, :POINTS], CLIP.tracks[late, POINTS:])
    red = wrong.rgb[late][CLIP.segmentation[late] == 3].mean(axis=0)
    assert red[0] > 2 * red[2]


def test_late_shadows_are_the_world_of_a_while_ago() -> None:
    """The wall darkens by one grey a frame; strength 1 lags by half of 8 steps."""
    disc = Disc(step=(0, 0))
    clip = solid_clip(disc)
    rgb = clip.rgb.copy()
    world = clip.segmentation == 1
    rgb[world] = (200 - np.arange(FRAMES))[np.nonzero(world)[0]][:, None]
    clip = replace(clip, rgb=rgb)
    late = late_shadow(clip, 1.0, RNG(0))
    np.testing.assert_array_equal(late.rgb[:, 60, 60, 0], 200 - np.maximum(np.arange(FRAMES) - 4, 0))
    np.testing.assert_array_equal(late.rgb[~world], clip.rgb[~world])


def test_an_object_without_tracked_points_cannot_sink() -> None:
    bare = replace(CLIP, track_ids=np.full_like(CLIP.track_ids, CLIP.objects[0].id))
    with pytest.raises(MeasureError, match="object 3 has no tracked points"):
        interpenetrate(bare, 0.5, RNG(0))
