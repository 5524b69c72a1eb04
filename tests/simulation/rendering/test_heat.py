"""Temperature colours: added to the picture of what is hot, also of what stands still, and to nothing else."""

from dataclasses import replace

import numpy as np

from components.simulation.rendering.renderer import Rendering, render
from components.simulation.scene import FloatArray
from tests.simulation.rendering.scenes import box, camera, floor, poses, scene

FRAMES = 5


def heated(heat: FloatArray | None) -> Rendering:
    """A box that stands still on the floor; `heat` (T,) is its own."""
    made, motion = scene([floor(), box((0.6, 0.6, 0.6), poses([[0, 0, 0.6]] * FRAMES))], camera(frames=FRAMES))
    if heat is not None:
        own = np.isin(np.arange(motion.vertices.shape[1]), motion.faces[motion.face_body == 1])
        motion = replace(motion, heat=heat[:, None] * own)
    return render(made, motion, samples_per_pixel=4, albedo=True)


def of_the_box(rendering: Rendering) -> FloatArray:
    """Mean colour (T,3) of its pixels."""
    return np.stack([rgb[ids > 1].mean(axis=0) for rgb, ids in zip(rendering.rgb, rendering.segmentation, strict=True)])


def test_what_is_not_warm_looks_as_if_there_were_no_heat() -> None:
    np.testing.assert_array_equal(heated(np.zeros(FRAMES)).rgb, heated(None).rgb)


def test_a_thing_that_stands_still_turns_red_then_orange_then_yellow_as_it_warms_up() -> None:
    cold = of_the_box(heated(None))
    red, orange, yellow = (of_the_box(heated(np.linspace(0.0, 1.0, FRAMES))) - cold)[[1, 3, 4]]
    assert red[0] > 20
    assert red[0] > 4 * red[1]
    assert orange[0] > red[0]
    assert orange[1] > 3 * orange[2]
    assert yellow[1] > 1.5 * orange[1]
    assert yellow[2] < yellow[1]


def test_albedo_and_annotation_know_nothing_of_heat() -> None:
    hot, cold = heated(np.linspace(0.0, 1.0, FRAMES)), heated(None)
    for name in ("albedo", "depth", "flow", "depth_change", "visible", "segmentation", "valid"):
        np.testing.assert_allclose(getattr(hot, name), getattr(cold, name), atol=1e-6)
    assert (hot.rgb[-1][hot.segmentation[-1] < 2] == cold.rgb[-1][cold.segmentation[-1] < 2]).mean() > 0.9
