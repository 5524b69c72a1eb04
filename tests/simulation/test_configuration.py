"""A scene depends on the seed and its place in a split, on nothing else."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.geometry import project
from components.parameters.loader import load_params
from components.params import Params
from components.simulation.catalogue import CATEGORY_NAMES
from components.simulation.configuration import build_scene, configuration_hash
from components.simulation.guard import guard
from components.simulation.meshes import shape_mesh
from components.simulation.scene import Body, Scene, rigid_bodies
from components.simulation.solvers.bullet import simulate

PROFILE = Path(__file__).parents[2] / "profiles" / "laptop.yaml"
LAPTOP = load_params(PROFILE)
STANDARD = (0.0, 0.0, -9.81)


def build(
    split: str = "train",
    index: int = 0,
    *,
    category: str = "rigid",
    view: int = 0,
    take: int = 0,
    attempt: int = 0,
    params: Params = LAPTOP,
) -> Scene:
    return build_scene(params, split=split, category=category, index=index, view=view, take=take, attempt=attempt)


def with_views(views: int) -> Params:
    splits = LAPTOP.simulation.splits
    split = splits.train.model_copy(update={"views": views, "takes": 2})
    simulation = LAPTOP.simulation.model_copy(update={"splits": splits.model_copy(update={"train": split})})
    return LAPTOP.model_copy(update={"simulation": simulation})


def from_many_cameras(params: Params) -> Params:
    """The same with cameras that differ from one configuration to the next."""
    ranges = {"field_of_view": (45.0, 55.0), "distance": (4.8, 6.0), "elevation": (8.0, 24.0)}
    simulation = params.simulation
    camera = simulation.camera.model_copy(update=ranges)
    return params.model_copy(update={"simulation": simulation.model_copy(update={"camera": camera})})


def dynamic(scene: Scene) -> list[Body]:
    return [body for body in rigid_bodies(scene) if body.dynamic]


def motion_hash(indices: list[int]) -> dict[str, str]:
    return {
        str(index): hashlib.sha256(simulate(build(index=index)).vertices.tobytes()).hexdigest() for index in indices
    }


def test_another_process_and_another_order_give_the_same_bytes() -> None:
    program = (
        "import json; from tests.simulation.test_configuration import motion_hash;"
        "print(json.dumps(motion_hash([5, 3, 4, 0, 1, 2])))"
    )
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert json.loads(answer.stdout) == motion_hash([0, 1, 2, 3, 4, 5])  # also: the solver prints nothing on stdout


def test_views_differ_in_camera_and_captions_only() -> None:
    params = with_views(3)
    for index in range(6):
        views = [build(index=index, view=view, params=params) for view in range(3)]
        front = views[0]
        assert len({str(replace(scene, camera=front.camera, captions=front.captions)) for scene in views}) == 1
        assert all(np.array_equal(simulate(scene).poses, simulate(views[0]).poses) for scene in views)
        assert not np.allclose(views[0].camera.extrinsics, views[2].camera.extrinsics)


def test_one_view_is_the_middle_one_of_three() -> None:
    np.testing.assert_array_equal(
        build(view=0).camera.extrinsics, build(view=1, params=with_views(3)).camera.extrinsics
    )


def test_a_configuration_is_seen_alike_in_all_its_views_and_takes() -> None:
    params = from_many_cameras(with_views(2))
    cameras = []
    for index in range(20):
        scenes = [build(index=index, view=view, take=take, params=params) for view in range(2) for take in range(2)]
        (camera,) = {json.dumps(scene.parameters["camera"]) for scene in scenes}
        assert len({scene.camera.intrinsics.tobytes() for scene in scenes}) == 1
        assert len({scene.camera.extrinsics.tobytes() for scene in scenes}) == 2  # of two views
        for scene in scenes:
            _, z = project([0.0, 0.0, 1.05], scene.camera.intrinsics, scene.camera.extrinsics[0])
            assert z == pytest.approx(json.loads(camera)["distance"])
        cameras.append(camera)
    assert len(set(cameras)) == 20


def test_ranges_of_cameras_change_nothing_else() -> None:
    for index in range(6):
        one, other = build(index=index), build(index=index, params=from_many_cameras(LAPTOP))
        rest = {name: value for name, value in other.parameters.items() if name != "camera"}
        assert rest == one.parameters
        assert "camera" not in one.parameters  # it is the same in all configurations
        assert str(replace(other, camera=one.camera, captions=one.captions, parameters=rest)) == str(one)
        assert configuration_hash(other.parameters) != configuration_hash(one.parameters)


def test_floor_and_sky_are_drawn_from_their_ranges() -> None:
    changes = {"floor_contrast": (0.2, 0.3), "floor_scale": (3.0, 4.0), "sky": (0.1, 0.2)}
    simulation = LAPTOP.simulation
    around = simulation.environment.model_copy(update=changes)
    params = LAPTOP.model_copy(update={"simulation": simulation.model_copy(update={"environment": around})})
    for index in range(20):
        scene = build(index=index, params=params)
        floor = scene.bodies[0].texture
        assert 0.2 <= floor.second_colour[0] / floor.colour[0] <= 0.3
        assert 3.0 <= floor.scale <= 4.0
        assert 0.1 <= scene.environment.horizon_colour[0] <= 0.2


def test_the_second_take_differs_in_the_initial_state_by_one_or_two_percent() -> None:
    changes = []
    for index in range(60):
        first, second = (build("test", index, take=take) for take in (0, 1))
        for one, other in zip(dynamic(first), dynamic(second), strict=True):
            assert replace(one, position=other.position, orientation=other.orientation) == other
            changes.append(np.linalg.norm(np.subtract(one.position, other.position)) / np.linalg.norm(one.position))
        assert configuration_hash(first.parameters) == configuration_hash(second.parameters)
        assert first.captions == second.captions
    assert all(change > 0 for change in changes)
    assert 0.003 < np.mean(changes) < 0.02
    assert max(changes) < 0.05


@pytest.mark.parametrize("take", [0, 1])
def test_nearly_every_draw_passes_the_guard(take: int) -> None:
    for split in ("test", "appearance"):
        for index in range(40):
            scene = build(split, index, take=take)
            guard(scene, simulate(scene))


def test_everything_moves_but_columns_that_stand_back() -> None:
    for index in range(60):
        scene = build(index=index)
        poses = simulate(scene).poses[..., :3]
        assert np.linalg.norm(poses[-1] - poses[0], axis=-1).max() > 0.04


def test_objects_are_in_the_picture_for_most_of_the_clip() -> None:
    seen = []
    for split in ("train", "appearance"):
        for index in range(60):
            scene = build(split, index)
            centres = simulate(scene).poses[..., :3]
            pixels, _ = project(centres, scene.camera.intrinsics, scene.camera.extrinsics[0])
            seen.append(((pixels >= 0) & (pixels <= 63)).all(axis=-1).mean())
    assert np.mean(seen) > 0.97


def test_objects_are_about_five_pixels_in_radius_at_frame_0() -> None:
    for index in range(60):
        scene = build(index=index)
        if scene.family != "topple":
            for body in dynamic(scene):
                mesh = shape_mesh(body.shape, body.size)
                a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
                area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
                radius = np.sqrt(area / 4 / np.pi)  # Cauchy: a convex body shows a quarter of its surface in the mean
                _, z = project(body.position, scene.camera.intrinsics, scene.camera.extrinsics[0])
                assert 3.9 < radius * scene.camera.intrinsics[0, 0] / float(z) < 7.2


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_splits_and_attempts_share_no_configuration(category: str) -> None:
    hashes = [
        configuration_hash(build(split, index, category=category, attempt=attempt).parameters)
        for split in ("appearance", "labeler", "judge", "train", "dev", "test")
        for index in range(25 if category == "rigid" else 3)
        for attempt in range(2)
    ]
    assert len(set(hashes)) == len(hashes)


def test_another_seed_is_another_world() -> None:
    other = LAPTOP.model_copy(update={"seed": 1})
    assert configuration_hash(build().parameters) != configuration_hash(build(params=other).parameters)


def test_parameters_survive_json_with_their_hash() -> None:
    for index in range(20):
        parameters = build("appearance", index).parameters
        assert configuration_hash(json.loads(json.dumps(parameters))) == configuration_hash(parameters)


def test_the_real_world_is_determined_by_its_first_frame() -> None:
    for index in range(30):
        scene = build(index=index)
        assert scene.gravity == STANDARD
        assert scene.future_determined
        assert not any(any(body.velocity) for body in scene.bodies)


def test_the_unknown_world_is_not() -> None:
    scenes = [build("appearance", index) for index in range(40)]
    sizes = [np.linalg.norm(scene.gravity) / 9.81 for scene in scenes]
    tilts = [np.degrees(np.arccos(-scene.gravity[2] / np.linalg.norm(scene.gravity))) for scene in scenes]
    speeds = [np.linalg.norm(body.velocity) for scene in scenes for body in dynamic(scene)]
    assert not any(scene.future_determined for scene in scenes)
    assert 0.1 <= min(sizes) < 0.3
    assert 1.0 < max(sizes) <= 1.2
    assert max(tilts) <= 40.0 + 1e-6
    assert max(tilts) > 30.0
    assert max(speeds) <= 2.0 + 1e-9


def test_no_two_objects_of_a_scene_share_a_colour() -> None:
    for index in range(60):
        names = [body.name.split()[0] for body in dynamic(build(index=index))]
        assert len(set(names)) == len(names)


def test_families_come_in_their_shares() -> None:
    families = [build(index=index).family for index in range(400)]
    for family, share in LAPTOP.simulation.rigid.families.items():
        assert families.count(family) / 400 == pytest.approx(share, abs=0.07)
