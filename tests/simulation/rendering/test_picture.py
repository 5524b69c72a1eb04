"""Colour: textures travel with their material, shadows darken, what stands still keeps its bytes."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from components.errors import Phys4dError
from components.geometry import pixel_grid, project, sample, warp
from components.simulation.rendering.renderer import Rendering, render
from components.simulation.scene import Camera, FloatArray, Light, Pattern, Texture
from tests.simulation.rendering.pixels import away_from_edges
from tests.simulation.rendering.scenes import (
    PLAIN,
    box,
    camera,
    floor,
    moving_camera,
    poses,
    scene,
    sphere,
    tumbling,
)
from tests.simulation.rendering.test_flow import orbit

BROAD_NOISE = Texture(pattern=Pattern.NOISE, colour=(0.7, 0.7, 0.7), second_colour=(0.2, 0.2, 0.25), scale=3.0)
OVERHEAD = Light(direction=(0, 0, 1.0), intensity=0.6)


def residuals(rendering: Rendering, t: int) -> tuple[FloatArray, FloatArray]:
    """Albedo of t+1 warped back to t, against t: at all visible pixels away from edges, and at those of objects."""
    assert rendering.albedo is not None
    back = warp(rendering.albedo[t + 1], rendering.flow[t])
    ids = rendering.segmentation
    landing = sample(away_from_edges(ids[t + 1]).astype(float), pixel_grid(*ids.shape[1:]) + rendering.flow[t])
    fair = rendering.visible[t] & rendering.valid[t] & away_from_edges(ids[t]) & (landing > 0.999)
    error = np.abs(back - rendering.albedo[t]).mean(axis=-1)
    return error[fair], error[fair & (ids[t] > 1)]


@pytest.fixture(scope="module")
def orbited() -> Rendering:
    """A rolling ball and a tumbling box, seen by a camera that orbits."""
    time = np.arange(3)[:, None] / 16
    ball = sphere(0.5, poses([[-0.6, 0.3, 0.5]] + time * [1, 0, 0], time * [0, 2, 0]))
    crate = box((0.4, 0.4, 0.4), poses([[0.8, 0, 0.9]] + time * [-0.5, 0, 0], time * [1.2, 0.8, 2.0]))
    view = moving_camera((256, 256), orbit(17)[:3])
    return render(*scene([floor(texture=BROAD_NOISE), ball, crate], view), samples_per_pixel=4, albedo=True)


@pytest.mark.parametrize("t", [0, 1])
def test_warping_the_next_frame_back_by_flow_gives_this_frame(orbited: Rendering, t: int) -> None:
    everywhere, on_objects = residuals(orbited, t)
    assert len(on_objects) > 2000
    assert np.median(everywhere) < 1e-3
    assert np.median(on_objects) < 3e-3  # what is left is the bilinear reading of a turning texture


def test_half_a_pixel_of_wrong_flow_would_show(orbited: Rendering) -> None:
    wrong = replace(orbited, flow=orbited.flow + np.float32(0.5))
    assert np.median(residuals(wrong, 0)[1]) > 4 * np.median(residuals(orbited, 0)[1])


def brightness(rendering: Rendering, view: Camera, point: tuple[float, float, float]) -> int:
    pixels, _ = project(np.array(point), view.intrinsics, view.extrinsics[0])
    return int(rendering.rgb[0, round(pixels[1]), round(pixels[0])].sum())


def test_the_ground_under_an_occluder_is_darker() -> None:
    view = camera((96, 128), frames=2, eye=(0, -5, 3))
    parts = [floor(texture=PLAIN), box((0.4, 0.4, 0.1), poses([[0, 0, 1.5], [0, 0, 1.4]]))]
    rendering = render(*scene(parts, view, lights=[OVERHEAD]), samples_per_pixel=1)
    lit, shadowed = brightness(rendering, view, (1.2, 0, 0)), brightness(rendering, view, (0, 0, 0))
    assert shadowed < 0.8 * lit
    assert lit == brightness(rendering, view, (-1.2, 0, 0))


def test_static_occluders_cast_shadows_as_moving_ones_do() -> None:
    view = camera((96, 128), frames=2, eye=(0, -5, 3))
    pictures = []
    for track in (poses([0, 0, 1.5]), poses([[0, 0, 1.5], [0, 0, 1.4]])):
        parts = [floor(texture=PLAIN), box((0.4, 0.4, 0.1), track)]
        pictures.append(render(*scene(parts, view), samples_per_pixel=4).rgb[0])
    np.testing.assert_array_equal(*pictures)


def test_a_shadow_touches_what_stands_on_the_ground() -> None:
    view = camera((256, 256), frames=2, eye=(0, -3, 1.2), target=(0, 0, 0.2))
    parts = [floor(texture=PLAIN), box((0.3, 0.3, 0.3), poses([0, 0, 0.3]))]
    low_sun = Light(direction=(-1, 0, 0.7), intensity=0.8)
    rendering = render(*scene(parts, view, lights=[low_sun]), samples_per_pixel=1)
    beside = brightness(rendering, view, (0.31, -0.2, 0))
    assert beside == brightness(rendering, view, (0.5, -0.2, 0))
    assert beside < 0.8 * brightness(rendering, view, (-0.5, -0.2, 0))


def test_light_on_the_ground_follows_lambert_in_srgb() -> None:
    view = camera(frames=2, eye=(0, -5, 3))
    slanted = Light(direction=(0, -1, 1), intensity=0.5)
    rendering = render(*scene([floor(texture=PLAIN)], view, lights=[slanted]), samples_per_pixel=1)
    linear = 0.5 * (0.4 + 0.5 * np.sqrt(0.5))
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    ground = rendering.rgb[0][rendering.valid[0]]
    assert np.abs(ground - expected).max() <= 1


def test_lights_add() -> None:
    view = camera(frames=2, eye=(0, -5, 3))
    lights = [Light(direction=(0, -1, 1), intensity=0.3), Light(direction=(1, 0, 0), intensity=9.0), OVERHEAD]
    rendering = render(*scene([floor(texture=PLAIN)], view, lights=lights), samples_per_pixel=1)
    linear = 0.5 * (0.4 + 0.3 * np.sqrt(0.5) + 0.6)  # the second only grazes the ground
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(rendering.rgb[0][rendering.valid[0]] - expected).max() <= 1


def test_the_still_world_keeps_its_bytes_over_time() -> None:
    made, motion = tumbling((64, 64), frames=9)
    alone = render(*scene([floor()], made.camera), samples_per_pixel=4)
    assert (alone.rgb == alone.rgb[0]).all()
    rendering = render(made, motion, samples_per_pixel=4)
    differs = np.not_equal(rendering.rgb, alone.rgb).any(axis=-1)
    brightest = (rendering.rgb.astype(int) - alone.rgb).max(axis=-1)
    background = np.stack([away_from_edges(ids) for ids in rendering.segmentation]) & (rendering.segmentation < 2)
    assert 0 < (differs & background).mean() < 0.05  # shadows
    assert brightest[background].max() == 0


@pytest.mark.parametrize("pattern", [Pattern.CHECKER, Pattern.STRIPES, Pattern.NOISE])
def test_a_pattern_shows_both_colours_on_every_side_of_a_box(pattern: Pattern) -> None:
    paint = Texture(pattern=pattern, colour=(0.9, 0.1, 0.1), second_colour=(0.1, 0.1, 0.9), scale=0.5)
    view = camera((128, 128), frames=2, eye=(0, -3, 0), target=(0, 0, 0))
    for turn in ([0, 0, 0], [np.pi / 2, 0, 0], [0, 0, np.pi / 2]):
        parts = [box((0.5, 0.5, 0.5), poses([0, 0, 0], [turn]), texture=paint)]
        rendering = render(*scene(parts, view), samples_per_pixel=4, albedo=True)
        assert rendering.albedo is not None
        red = rendering.albedo[0][away_from_edges(rendering.segmentation[0]) & rendering.valid[0]][:, 0]
        assert (red > 0.6).mean() > 0.1
        assert (red < 0.4).mean() > 0.1


def test_a_distant_pattern_fades_into_its_mean_instead_of_shimmering() -> None:
    fine = Texture(pattern=Pattern.CHECKER, colour=(0.8, 0.8, 0.8), second_colour=(0.2, 0.2, 0.2), scale=0.02)
    rendering = render(*scene([floor(texture=fine)], camera(frames=2)), samples_per_pixel=1, albedo=True)
    assert rendering.albedo is not None
    np.testing.assert_allclose(rendering.albedo[0][rendering.valid[0]], 0.5, atol=0.06)


def test_more_samples_converge_to_the_same_picture() -> None:
    few, many = (render(*tumbling((48, 48), frames=2), samples_per_pixel=n).rgb.astype(int) for n in (4, 64))
    assert np.abs(few - many).mean() < 2.0


def test_annotation_does_not_depend_on_samples() -> None:
    one, four = (render(*tumbling((40, 40), frames=3), samples_per_pixel=n) for n in (1, 4))
    for name in ("depth", "valid", "flow", "depth_change", "visible", "segmentation"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))


def test_bands_of_pixels_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = digest(render(*tumbling((40, 40), frames=3), samples_per_pixel=4))
    monkeypatch.setattr("components.simulation.rendering.renderer.SUB_SAMPLES_PER_BAND", 1000)
    assert digest(render(*tumbling((40, 40), frames=3), samples_per_pixel=4)) == whole


def digest(rendering: Rendering) -> str:
    names = ("rgb", "depth", "valid", "flow", "depth_change", "visible", "segmentation")
    return hashlib.sha256(b"".join(getattr(rendering, name).tobytes() for name in names)).hexdigest()


def test_samples_that_are_no_square_are_refused() -> None:
    with pytest.raises(Phys4dError, match="samples_per_pixel is 5, expected a square"):
        render(*tumbling((16, 16), frames=2), samples_per_pixel=5)


def test_a_camera_for_another_number_of_frames_is_refused() -> None:
    made, motion = tumbling((16, 16), frames=3)
    with pytest.raises(Phys4dError, match="extrinsics for 2 frames and the motion has 3"):
        render(replace(made, camera=camera(frames=2)), motion, samples_per_pixel=1)


def test_vertices_that_are_not_finite_are_refused() -> None:
    made, motion = tumbling((16, 16), frames=3)
    broken = motion.vertices.copy()
    broken[1, 5] = np.nan
    with pytest.raises(Phys4dError, match="not finite from frame 1"):
        render(made, replace(motion, vertices=broken), samples_per_pixel=1)


@pytest.mark.gpu
def test_an_accelerator_sees_what_the_processor_sees() -> None:
    host, device = (render(*tumbling((64, 64), frames=3), samples_per_pixel=4, device=name) for name in ("cpu", "cuda"))
    agree = host.segmentation == device.segmentation
    assert agree.mean() > 0.999
    np.testing.assert_allclose(device.depth[agree], host.depth[agree], rtol=1e-5)
    assert np.median(np.abs(device.rgb.astype(int) - host.rgb)) == 0
