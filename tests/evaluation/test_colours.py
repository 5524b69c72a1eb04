"""Objects are found by colour alone."""

import numpy as np
import pytest

from components.evaluation.colours import NOTHING, SEEN, find_objects, locate, palette_of
from tests.evaluation.scenes import BLUE, FRAMES, GREEN, RED, Disc, disc_clip, film, wall

LEFT = Disc(colour=RED, centre=(16, 20), step=(1, 2))
RIGHT = Disc(colour=BLUE, centre=(44, 40), step=(-1, -2), radius=5)


def test_every_object_is_found_where_it_is() -> None:
    clip = disc_clip(LEFT, RIGHT)
    found = find_objects(clip.rgb, palette_of(clip))
    for frame in range(FRAMES):
        np.testing.assert_array_equal(found.labels[frame] == 0, LEFT.pixels(frame))
        np.testing.assert_array_equal(found.labels[frame] == 1, RIGHT.pixels(frame))
    np.testing.assert_array_equal(found.foreground, found.labels != NOTHING)


def test_centres_are_those_of_the_discs_and_a_lost_object_has_none() -> None:
    clip = disc_clip(LEFT, Disc(colour=BLUE, centre=(44, 40), step=(-1, -2), gone=5))
    centres = locate(find_objects(clip.rgb, palette_of(clip)).labels, 2).centres
    np.testing.assert_allclose(centres[:, 0], [(16 + t, 20 + 2 * t) for t in range(FRAMES)])
    np.testing.assert_allclose(centres[:5, 1], [(44 - t, 40 - 2 * t) for t in range(5)])
    assert np.isnan(centres[5:, 1]).all()


def test_red_lies_at_both_ends_of_the_hues() -> None:
    clip = disc_clip(LEFT)
    rgb = clip.rgb.copy()
    here = LEFT.pixels(0) & (np.indices(rgb.shape[1:3]).sum(axis=0) % 2 == 0)
    rgb[0][here] = (220, 44, 30)  # hue 2 of 180 beside hue 178
    palette = palette_of(disc_clip(LEFT).__class__(**{**vars(clip), "rgb": rgb}))
    assert min(palette.hues[0], 180 - palette.hues[0]) < 5


def test_a_shadow_is_no_object() -> None:
    shadow = (wall() * 0.4).astype(np.uint8)
    assert not find_objects(shadow[None], palette_of(disc_clip(LEFT))).foreground.any()


def test_a_blob_of_another_colour_is_foreground_but_no_known_object() -> None:
    found = find_objects(film([Disc(colour=GREEN)]), palette_of(disc_clip(LEFT)))
    assert (found.labels == NOTHING).all()
    assert found.foreground.any(axis=(1, 2)).all()


def test_a_static_coloured_object_is_known_and_no_foreground() -> None:
    clip = disc_clip(LEFT, Disc(colour=BLUE, centre=(44, 40), step=(0, 0), dynamic=False))
    found = find_objects(clip.rgb, palette_of(clip))
    assert (found.labels == 1).any()
    np.testing.assert_array_equal(found.foreground, found.labels == 0)


def test_an_object_that_the_first_frame_hides_is_not_known() -> None:
    palette = palette_of(disc_clip(LEFT, Disc(colour=BLUE, centre=(44, 40), gone=0)))
    assert palette.ids.tolist() == [2]


@pytest.mark.parametrize(("pixels", "seen"), [(SEEN - 1, False), (SEEN, True)])
def test_few_pixels_are_not_seen(pixels: int, seen: bool) -> None:
    labels = np.full((1, 8, 8), NOTHING)
    labels[0, 3, :pixels] = 0
    located = locate(labels, 1)
    assert np.isfinite(located.centres).all() == seen
    assert located.areas.tolist() == [[pixels]]


def test_a_clip_without_colours_has_nothing_to_find() -> None:
    clip = disc_clip()
    found = find_objects(clip.rgb, palette_of(clip))
    assert not found.foreground.any()
    assert locate(found.labels, 0).centres.shape == (FRAMES, 0, 2)
