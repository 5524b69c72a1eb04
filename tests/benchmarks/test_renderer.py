import numpy as np
import pytest

from components.benchmarks.renderer import RendererSpeed, _projection, renderer_speed, resized
from components.geometry import project
from tests.simulation.rendering.scenes import camera, tumbling


def test_both_renderers_are_timed_at_every_size() -> None:
    made, motion = tumbling((32, 48), frames=2, rings=6)
    speeds = renderer_speed(made, motion, sizes=(16, 32), samples_per_pixel=4, repeats=1)
    assert [speed.size for speed in speeds] == [16, 32]
    for speed in speeds:
        assert isinstance(speed, RendererSpeed)
        assert speed.triangles == len(motion.faces)
        assert speed.ratio == pytest.approx(speed.frames_per_second / speed.tiny_renderer_frames_per_second)


def test_a_resized_camera_keeps_what_is_in_its_middle() -> None:
    view = camera((32, 48), frames=1)
    pixels, _ = project([0.0, 0.0, 0.6], resized(view, 64, 64).intrinsics, view.extrinsics[0])
    np.testing.assert_allclose(pixels, [31.5, 31.5])


def test_opengl_sees_points_in_the_same_pixels() -> None:
    view = camera((32, 48), frames=1)
    in_camera = np.array([0.4, -0.3, 2.5])
    pixels, z = project(in_camera, view.intrinsics, np.eye(4))
    clip = _projection(view) @ [in_camera[0], -in_camera[1], -in_camera[2], 1.0]
    u, v = (clip[0] / clip[3] + 1) / 2 * 48 - 0.5, (1 - clip[1] / clip[3]) / 2 * 32 - 0.5
    np.testing.assert_allclose([u, v], pixels)
    assert clip[3] == z
