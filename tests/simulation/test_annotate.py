"""An annotated clip: its contract, and tracks that stay on their material."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from components.clip import DEPTH_STEP, FLOW_STEP, Clip, ClipMeta
from components.errors import Phys4dError
from components.geometry import project
from components.simulation.annotate import annotate, sample_points
from components.simulation.scene import FloatArray
from tests.simulation.rendering.scenes import box, camera, floor, poses, scene, sphere, tumbling
from tests.simulation.rendering.test_visibility import nearest

META = ClipMeta(
    clip_id="rigid-000000-v0-t0",
    split="train",
    category="rigid",
    family="test",
    configuration="0",
    view=0,
    take=0,
    seed=0,
    attempts=1,
    rejections="",
    fps=16,
    caption="",
    caption_initial="",
    parameters={},
    solver="none",
    versions={},
    future_determined=True,
    approximate=False,
)


def clip_of(size: tuple[int, int] = (64, 64), *, points: int = 64, seed: int = 0) -> Clip:
    rng = np.random.default_rng(seed)
    return annotate(*tumbling(size, frames=9), points_per_object=points, samples_per_pixel=4, rng=rng, meta=META)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return clip_of()


def test_a_clip_keeps_its_contract(clip: Clip) -> None:
    clip.validate()
    assert clip.rgb.shape == (9, 64, 64, 3)
    assert clip.tracks.shape == (9, 2 * 64, 3)
    assert [thing.id for thing in clip.objects] == [2, 3]
    assert [(clip.track_ids == thing.id).sum() for thing in clip.objects] == [64, 64]


def test_flow_and_depth_are_rounded_to_their_steps(clip: Clip) -> None:
    for values, step in ((clip.flow, FLOW_STEP), (clip.depth, DEPTH_STEP), (clip.depth_change, DEPTH_STEP)):
        np.testing.assert_array_equal(values / step, np.round(values / step))


def test_tracks_move_as_the_pose_of_their_object_says(clip: Clip) -> None:
    for column, thing in enumerate(clip.objects):
        own = clip.tracks[:, clip.track_ids == thing.id].astype(np.float64)
        _, motion = tumbling(frames=9)
        body = _to_body(own[0], motion.poses[0, column])
        for t in range(9):
            assert np.abs(_to_world(body, motion.poses[t, column]) - own[t]).max() < 1e-5


def test_tracks_lie_on_the_surface() -> None:
    made, motion = tumbling(frames=2)
    points = sample_points(made, motion, points_per_object=500, rng=np.random.default_rng(3))
    body = _to_body(points.positions(motion)[0][points.ids == 3], motion.poses[0, 1])
    np.testing.assert_allclose(np.abs(body).max(axis=1), 0.3, atol=1e-9)


def test_points_are_uniform_over_the_surface() -> None:
    slab = box((1.0, 1.0, 0.25), poses(np.array([[0, 0, 1], [0, 0, 1.1]])))
    made, motion = scene([floor(), slab], camera(frames=2))
    points = sample_points(made, motion, points_per_object=8000, rng=np.random.default_rng(5)).positions(motion)[0]
    share = (np.abs(np.abs(points[:, 2] - 1) - 0.25) < 1e-9).mean()
    assert share == pytest.approx(8 / 12, abs=0.02)  # top and bottom: 2 x 4 of 12 square metres
    assert np.abs(points.mean(axis=0) - [0, 0, 1]).max() < 0.03


def test_tracks_project_alike_at_two_sizes(clip: Clip) -> None:
    large = clip_of((128, 128))
    np.testing.assert_array_equal(large.tracks, clip.tracks)
    small_pixels, _ = project(clip.tracks, clip.intrinsics, clip.extrinsics)
    large_pixels, _ = project(large.tracks, large.intrinsics, large.extrinsics)
    assert np.abs(large_pixels - ((small_pixels + 0.5) * 2 - 0.5)).max() < 1e-4
    assert (large.tracks_visible == clip.tracks_visible).mean() > 0.999


@pytest.mark.parametrize("t", [0, 8])
def test_tracks_are_visible_where_no_triangle_of_all_stands_before_them(clip: Clip, t: int) -> None:
    _, motion = tumbling(frames=9)
    origin = -clip.extrinsics[t, :3, :3].T.astype(np.float64) @ clip.extrinsics[t, :3, 3]
    triangles = motion.vertices[t][motion.faces]
    reach = nearest(origin, clip.tracks[t] - origin, triangles, 1e-4)
    certain = (reach > 1 - 3e-5) | (reach < 1 - 3e-4)
    assert certain.mean() > 0.95
    np.testing.assert_array_equal(clip.tracks_visible[t][certain], (reach > 1 - 3e-5)[certain])
    assert 0.2 < clip.tracks_visible[t].mean() < 0.6


def test_visible_tracks_are_where_the_picture_shows_their_object(clip: Clip) -> None:
    pixels, z = project(clip.tracks, clip.intrinsics, clip.extrinsics)
    columns, rows = np.round(pixels).astype(int).clip(0, 63).transpose(2, 0, 1)
    t = np.arange(9)[:, None]
    shown = clip.tracks_visible & (clip.segmentation[t, rows, columns] == clip.track_ids)
    assert shown.sum() / clip.tracks_visible.sum() > 0.85  # the others are within a pixel of an object's edge
    assert np.median(np.abs(z - clip.depth[t, rows, columns])[shown]) < 0.03


def test_about_half_of_a_free_ball_is_visible() -> None:
    view = camera(frames=2, eye=(0, -6, 2), target=(0, 0, 2))
    ball = sphere(0.5, poses([[0, 0, 2.0], [0, 9.0, 2.0]]))
    clip = annotate(
        *scene([ball], view), points_per_object=2000, samples_per_pixel=1, rng=np.random.default_rng(0), meta=META
    )
    assert clip.tracks_visible[0].mean() == pytest.approx((1 - 0.5 / 6) / 2, abs=0.03)


def test_tracks_outside_the_picture_are_not_visible() -> None:
    view = camera(frames=2)
    ball = sphere(0.4, poses([[0, 0, 0.4], [30.0, 0, 0.4]]))
    clip = annotate(
        *scene([floor(), ball], view),
        points_per_object=50,
        samples_per_pixel=1,
        rng=np.random.default_rng(0),
        meta=META,
    )
    assert clip.tracks_visible[0].any()
    assert not clip.tracks_visible[1].any()


def test_the_same_generator_gives_the_same_clip_and_another_other_points(clip: Clip) -> None:
    again, other = clip_of(), clip_of(seed=1)
    for name, values in clip.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], values)
    assert (other.tracks != clip.tracks).any()
    np.testing.assert_array_equal(other.rgb, clip.rgb)


def test_a_scene_without_dynamic_bodies_has_no_tracks() -> None:
    clip = annotate(
        *scene([floor()], camera(frames=2)),
        points_per_object=8,
        samples_per_pixel=1,
        rng=np.random.default_rng(0),
        meta=META,
    )
    assert clip.tracks.shape == (2, 0, 3)
    assert clip.objects == ()


def test_a_body_without_a_surface_is_refused_by_name() -> None:
    made, motion = scene([floor(), box((0, 0, 0), poses([0, 0, 1]), name="speck")], camera(frames=2))
    with pytest.raises(Phys4dError, match="body speck has no surface"):
        sample_points(made, motion, points_per_object=8, rng=np.random.default_rng(0))


def _to_body(points: FloatArray, pose: FloatArray) -> FloatArray:
    return np.asarray(Rotation.from_quat(pose[3:]).inv().apply(points - pose[:3]), np.float64)


def _to_world(points: FloatArray, pose: FloatArray) -> FloatArray:
    return np.asarray(Rotation.from_quat(pose[3:]).apply(points) + pose[:3], np.float64)
