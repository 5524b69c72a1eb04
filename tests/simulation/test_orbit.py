"""A camera that orbits: where it is, what its clips say, and that their annotation stays exact."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.clip import DEPTH_STEP, FLOW_STEP, Clip
from components.geometry import pixel_grid, project, unproject
from components.parameters.loader import load_params
from components.params import Params
from components.simulation.camera import Viewpoint, orbit_camera
from components.simulation.captions import with_orbit
from components.simulation.clips import configuration_clips
from components.simulation.configuration import build_scene, configuration_hash
from components.simulation.rendering.renderer import render
from components.simulation.scene import Camera, Captions, Scene
from components.simulation.solvers.bullet import simulate
from tests.simulation.rendering.pixels import away_from_edges

LAPTOP = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml")
RANGES = LAPTOP.simulation.camera
CAMERA = Viewpoint.middle(RANGES)
VIDEO = LAPTOP.video.model_copy(update={"frames": 5, "height": 60, "width": 80})


def orbiting(degrees: tuple[float, float] = (24.0, 24.0), *, share: float = 1.0, size: int = 48) -> Params:
    """Small clips of which a share orbits."""
    camera = RANGES.model_copy(update={"orbit": RANGES.orbit.model_copy(update={"share": share, "degrees": degrees})})
    simulation = LAPTOP.simulation.model_copy(
        update={"camera": camera, "samples_per_pixel": 1, "points_per_object": 64}
    )
    video = LAPTOP.video.model_copy(update={"frames": 5, "height": size, "width": size})
    return LAPTOP.model_copy(update={"simulation": simulation, "video": video})


def scene_of(params: Params, *, split: str = "train", index: int = 0) -> Scene:
    return build_scene(params, split=split, category="rigid", index=index, view=0, take=0, attempt=0)


@cache
def clip() -> Clip:
    (made,) = configuration_clips(orbiting(size=96), split="train", category="rigid", index=0)
    return made


def centres(camera: Camera) -> np.ndarray:
    rotations, translations = camera.extrinsics[:, :3, :3], camera.extrinsics[:, :3, 3]
    found: np.ndarray = -np.einsum("tji,tj->ti", rotations, translations)
    return found


class TestCamera:
    @given(azimuth=st.floats(-180, 180), orbit=st.floats(-180, 180))
    @settings(max_examples=30, deadline=None)
    def test_it_stays_on_a_circle_and_looks_at_the_target(self, azimuth: float, orbit: float) -> None:
        camera = orbit_camera(CAMERA, VIDEO, azimuth=azimuth, orbit=orbit)
        target = np.array([0.0, 0.0, CAMERA.target_height])
        pixels, z = project(np.tile(target, (5, 1)), camera.intrinsics, camera.extrinsics)
        np.testing.assert_allclose(pixels, [[39.5, 29.5]] * 5, atol=1e-6)
        np.testing.assert_allclose(z, CAMERA.distance)
        np.testing.assert_allclose(np.ptp(centres(camera)[:, 2]), 0.0, atol=1e-9)

    def test_it_goes_evenly_all_the_degrees_to_its_right(self) -> None:
        camera = orbit_camera(CAMERA, VIDEO, azimuth=10.0, orbit=60.0)
        x, y, _ = centres(camera).T
        np.testing.assert_allclose(np.degrees(np.arctan2(x, -y)), [10.0, 25.0, 40.0, 55.0, 70.0])
        to_its_right = camera.extrinsics[0, 0, :3]
        assert to_its_right @ (centres(camera)[1] - centres(camera)[0]) > 0

    def test_it_begins_where_a_still_one_stands(self) -> None:
        still, moving = (orbit_camera(CAMERA, VIDEO, azimuth=10.0, orbit=orbit) for orbit in (0.0, 60.0))
        np.testing.assert_array_equal(still.extrinsics[0], moving.extrinsics[0])
        assert (still.extrinsics == still.extrinsics[0]).all()


class TestScenes:
    @pytest.mark.parametrize("split", ["appearance", "labeler", "judge", "dev", "test"])
    def test_only_trains_cameras_orbit(self, split: str) -> None:
        scene = scene_of(orbiting(), split=split)
        assert (scene.camera.extrinsics == scene.camera.extrinsics[0]).all()
        assert "orbit" not in scene.parameters

    def test_a_share_of_configurations_orbits_within_the_range(self) -> None:
        scenes = [scene_of(orbiting((-30.0, -10.0), share=0.5), index=index) for index in range(60)]
        drawn = [scene.parameters.get("orbit") for scene in scenes]
        moving = [float(one) for one in drawn if isinstance(one, float)]
        assert 15 < len(moving) < 45
        assert -30 <= min(moving) < max(moving) <= -10
        for scene, one in zip(scenes, drawn, strict=True):
            assert ((scene.camera.extrinsics != scene.camera.extrinsics[0]).any()) == (one is not None)

    def test_nothing_else_is_drawn_differently(self) -> None:
        still, moving = scene_of(orbiting(share=0.0)), scene_of(orbiting())
        assert str(replace(moving, camera=still.camera, captions=still.captions, parameters=still.parameters)) == str(
            still
        )
        assert configuration_hash(still.parameters) != configuration_hash(moving.parameters)
        assert still.captions.caption == moving.captions.caption
        assert moving.captions.caption_initial.startswith(still.captions.caption_initial)

    @pytest.mark.parametrize(("degrees", "side"), [(24.04, "right"), (-24.04, "left")])
    def test_the_caption_says_which_way_and_how_far(self, degrees: float, side: str) -> None:
        found = {
            with_orbit(np.random.default_rng(seed), Captions(caption="A.", caption_initial="B."), degrees)
            for seed in range(20)
        }
        assert len(found) == 3
        for captions in found:
            assert captions.caption == "A."
            assert captions.caption_initial.startswith("B. ")
            for word in ("camera", side, "24.0 degrees"):
                assert word in captions.caption_initial


class TestAnnotation:
    def test_what_stands_still_moves_by_the_projection_of_the_same_world_point(self) -> None:
        made, grid = clip(), pixel_grid(96, 96)
        for t in range(4):
            floor = made.segmentation[t] == 1
            points = unproject(grid[floor], made.depth[t][floor], made.intrinsics, made.extrinsics[t])
            pixels, z = project(points, made.intrinsics, made.extrinsics[t + 1])
            near = made.depth[t][floor] < 10
            assert floor.mean() > 0.3
            assert np.abs(made.flow[t][floor] - (pixels - grid[floor]))[near].max() < FLOW_STEP
            change = np.abs(made.depth_change[t][floor] - (z - made.depth[t][floor]))
            assert change[near].max() < 4 * DEPTH_STEP
            assert np.abs(made.flow[t][floor]).max() > 1

    def test_the_sky_moves_by_the_homography_of_the_rotation(self) -> None:
        made, grid = clip(), pixel_grid(96, 96)
        inverse = np.linalg.inv(made.intrinsics.astype(np.float64))
        for t in range(4):
            turn = made.extrinsics[t + 1, :3, :3].astype(np.float64) @ made.extrinsics[t, :3, :3].T.astype(np.float64)
            moved = np.concatenate([grid, np.ones((96, 96, 1))], -1) @ (made.intrinsics @ turn @ inverse).T
            sky = ~made.valid[t]
            assert sky.sum() > 500
            expected = moved[..., :2] / moved[..., 2:] - grid
            assert np.abs(made.flow[t] - expected)[sky].max() < FLOW_STEP
            assert (made.depth_change[t][sky] == 0).all()

    def test_a_point_that_leaves_the_picture_is_not_visible(self) -> None:
        made = clip()
        landed = pixel_grid(96, 96) + made.flow
        outside = ((landed < -0.51) | (landed > 95.51)).any(axis=-1)
        assert outside.any()
        assert not made.visible[outside].any()
        assert made.visible[~outside].mean() > 0.9

    def test_tracks_land_on_their_instance(self) -> None:
        made = clip()
        for t in range(5):
            seen = made.tracks_visible[t]
            pixels, z = project(made.tracks[t], made.intrinsics, made.extrinsics[t])
            column, row = np.rint(pixels[seen]).astype(int).T
            right = made.segmentation[t][row, column] == made.track_ids[seen]
            assert seen.any()
            assert right.mean() > 0.9  # a pixel at an edge shows what is beside
            near = np.abs(made.depth[t][row, column] - z[seen])[right]
            assert np.median(near) < 0.02

    def test_the_next_frames_albedo_warped_back_is_this_ones(self) -> None:
        params = orbiting(size=256)
        scene = scene_of(params)
        rendering = render(scene, simulate(scene), samples_per_pixel=1, albedo=True)
        assert rendering.albedo is not None
        grid, colour, depth = pixel_grid(256, 256), [], []
        for t in range(4):
            there = (grid + rendering.flow[t]).astype(np.float32)
            inner = away_from_edges(rendering.segmentation[t]) & rendering.visible[t] & rendering.valid[t]
            landed = np.rint(there).astype(int).clip(0, 255)
            inner &= away_from_edges(rendering.segmentation[t + 1])[landed[..., 1], landed[..., 0]]
            assert inner.mean() > 0.3
            warped = cv2.remap(rendering.albedo[t + 1], there[..., 0], there[..., 1], cv2.INTER_LINEAR)
            colour.append(np.abs(warped - rendering.albedo[t])[inner].ravel())
            back = cv2.remap(rendering.depth[t + 1], there[..., 0], there[..., 1], cv2.INTER_LINEAR)
            depth.append(np.abs(back - rendering.depth[t] - rendering.depth_change[t])[inner].ravel())
        assert np.median(np.concatenate(colour)) < 5e-3
        assert np.median(np.concatenate(depth)) < 1e-3
