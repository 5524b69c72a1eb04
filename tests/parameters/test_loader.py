"""params.yaml: every mistake is named with its field, its value, what was expected and what to do."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from components.errors import ExitCode, ParametersError
from components.parameters.loader import examine, load_params, parse_params, read_yaml
from components.parameters.profiles import profile_names, profile_values
from components.simulation.catalogue import CATEGORY_NAMES
from tests.dotted import set_fields


def laptop(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- any value a user can write
    """The laptop profile with dotted fields changed: `video__frames=18`."""
    return set_fields(profile_values("laptop"), **changes)


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_good(name: str) -> None:
    assert parse_params(profile_values(name), source=name).profile == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sed": 1}, "sed: unknown key, did you mean 'seed'?"),
        ({"video__frame": 17}, "video.frame: unknown key, did you mean 'frames'?"),
        ({"stage3__groupsize": 8}, "stage3.groupsize: unknown key, did you mean 'group_size'?"),
        ({"simulation__splits__tset": {}}, "simulation.splits.tset: unknown key, did you mean 'test'?"),
        ({"video__zzz": 1}, "video.zzz: unknown key, expected one of frames, height, width, fps"),
        ({"video__frames": "17"}, "video.frames: '17' is wrong, it should be a valid integer"),
        ({"video__frames": True}, "video.frames: True is wrong"),
        ({"stage1__learning_rate": "2e-3"}, "stage1.learning_rate: '2e-3' is wrong"),
        ({"seed": -1}, "seed: -1 is wrong, it should be greater than or equal to 0"),
        ({"stage3__group_size": 1}, "stage3.group_size: 1 is wrong, it should be greater than or equal to 2"),
        ({"quality__min_valid_share": 1.5}, "quality.min_valid_share: 1.5 is wrong"),
        (
            {"simulation__rigid__radius": [0.5, 0.1]},
            "[0.5, 0.1] is wrong, expected [low, high] with 0.05 <= low <= high <= 1",
        ),
        ({"simulation__rigid__radius": [0.5]}, "simulation.rigid.radius"),
        (
            {"simulation__splits__dev__configurations": {"rigd": 3}},
            "configurations.rigd: unknown key, did you mean 'rigid'",
        ),
        (
            {"simulation__rigid__families": {"drop": 0.5, "dorp": 0.5}},
            "simulation.rigid.families: unknown family 'dorp', expected one of behind, collide, dominoes, drop, ramp,",
        ),
        ({"video": None}, "video: None is wrong"),
        ({"simulation__samples_per_pixel": True}, "simulation.samples_per_pixel: True is wrong"),
        ({"simulation__samples_per_pixel": 4.0}, "simulation.samples_per_pixel: 4.0 is wrong"),
        ({"simulation__samples_per_pixel": 5}, "simulation.samples_per_pixel: 5 is wrong, expected 1, 4, 9 or 16"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParametersError) as error:
        parse_params(laptop(**changes), source="params.yaml")
    assert message in str(error.value)
    assert str(error.value).startswith("params.yaml: ")
    assert error.value.code is ExitCode.BAD_PARAMETERS


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"video__frames": 18},
            "video.frames: 18 does not fit backbone wan22 (tiny), expected 4 k + 1, at most 1021: write 17",
        ),
        ({"video__height": 72}, "video.height: 72 does not fit backbone wan22 (tiny), expected a multiple of 16"),
        ({"video__width": 80, "backbones__wan22__size": "5b"}, "write 96"),
        ({"backbones__wan22__size": "5b"}, "backbones.wan22.source: nothing, expected a hub id or a folder: write Wan"),
        ({"backbones__wan22__source": "a/b"}, "backbones.wan22.source: 'a/b' is of no use to size tiny"),
        ({"backbones__wan22__revision": "main"}, "backbones.wan22.source: 'main' is of no use to size tiny"),
        ({"stage2__heads_batch_size": 25}, "stage2.heads_batch_size: 25 is more than stage2.batch_size"),
        (
            {"video__frames": 1025, "pipeline__backbones": ["wan22"]},
            "video.frames: 1025 does not fit backbone wan22 (tiny), expected 4 k + 1, at most 1021: write 1021",
        ),
        (
            {"video__height": 4112},
            "video.height: 4112 is more than backbone wan22 (tiny) has positions for: write 4096",
        ),
        (
            {"video__frames": 21},
            "video.frames: 21 does not fit backbone open_sora (tiny), expected 17: write 17, or leave open_sora out of",
        ),
        (
            {"backbones__wan22__size": "14b"},
            "backbones.wan22.size: '14b' is wrong, expected tiny or 5b",
        ),
        (
            {"pipeline__backbones": ["wan21"]},
            "pipeline.backbones: unknown backbone 'wan21', expected one of wan22, cogvideox, open_sora, ltx_video",
        ),
        ({"simulation__splits__train__physics": "unknown"}, "simulation.splits.train.physics: 'unknown', expected"),
        (
            {"pseudo_labels__depth": "depth_anything"},
            "pseudo_labels.depth_source: nothing, expected a hub id or a folder: write depth-anything/Depth-Anything",
        ),
        (
            {"pseudo_labels__depth": "video_depth_anything"},
            "pseudo_labels.depth_source: nothing, expected a hub id or a folder: write a folder of its weights",
        ),
        ({"pseudo_labels__depth_source": "x/y"}, "pseudo_labels.depth_source: 'x/y' is of no use to depth labeler"),
        ({"video__fps": 25}, "video.fps: 25 does not divide the solver's 960 steps a second: write 24"),
        ({"simulation__clips_per_shard": 49}, "simulation.clips_per_shard: 49 is not a multiple of 1 views x 2 takes"),
        ({"simulation__camera__orbit__share": 1.0}, "simulation.camera.orbit.share: 1 leaves stage 3 no clip"),
        (
            {"simulation__camera__orbit__share": 0.5, "simulation__splits__train__takes": 2},
            "simulation.camera.orbit.share: 0.5, expected 0: second takes are for scores",
        ),
        (
            {"simulation__camera__orbit__share": 0.5, "simulation__camera__orbit__degrees": [0.0, 0.0]},
            "simulation.camera.orbit.degrees: [0.0, 0.0], expected an angle",
        ),
        (
            {
                "simulation__device": "cuda",
                "cluster__executor": {"simulate@train": "kubernetes", "stage2": "kubernetes"},
                "storage__bucket": "phys4d-data",
            },
            "cluster.pods.simulate.gpus: 0, expected 1 at least, for simulation.device is cuda",
        ),
        ({"simulation__splits__test__takes": 1}, "simulation.splits.test.takes: 1, expected 2"),
        ({"simulation__splits__test__physics": "unknown"}, "simulation.splits.test.physics: 'unknown', expected"),
        (
            {"promotion__floors": {"beauty": 0.5}},
            "promotion.floors: 'beauty' is no metric that can be better or worse, expected one such as score",
        ),
        ({"promotion__over_champion": ["agreement_flow_epe"]}, "promotion.over_champion: 'agreement_flow_epe' is no"),
        (
            {"promotion__no_regression": {"frechet_pixel_features": 1.0}},
            "promotion.no_regression: 'frechet_pixel_features' is a figure of all clips together",
        ),
        ({"promotion__over_champion": ["chamfer", "chamfer"]}, "promotion.over_champion: a metric stands there twice"),
    ],
)
def test_fields_that_do_not_fit_each_other_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParametersError) as error:
        parse_params(laptop(**changes), source="params.yaml")
    assert message in str(error.value)


def test_every_problem_is_found_and_the_message_counts_them() -> None:
    values = laptop(video__frames="x", seed=-1)
    assert len(examine(values)[1]) == 2
    with pytest.raises(ParametersError, match=r"\(and 1 more: phys4d params check\)"):
        parse_params(values, source="params.yaml")


def test_a_missing_section_is_named() -> None:
    values = laptop()
    del values["video"]
    with pytest.raises(ParametersError, match="video: missing; phys4d profile diff"):
        parse_params(values, source="params.yaml")


def test_parameters_are_frozen() -> None:
    params = parse_params(laptop(), source="laptop")
    with pytest.raises(ValidationError):
        params.video.frames = 21


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("a: {1: x}", "a.1"),
        ("a: {null: x}", "a.None"),
        ("a: {2020-01-01: x}", "a.2020-01-01"),
        ("a: [{[1, 2]: x}]", "a.0.(1, 2)"),
        ("a: 2020-01-01", "a"),
        ("a: &b [*b]", "a.0"),
        ("a: &b {c: *b}", "a.c"),
        ("a: !!set {b}", "a"),
        ('a: {b: "\\ud800"}', "a.b"),
        (f"a: {2**63}", "a"),
        (f"a: 0x{'f' * 6000}", "a"),
    ],
)
def test_what_no_field_can_hold_is_named_in_a_short_line(tmp_path: Path, text: str, field: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    params, problems = examine(read_yaml(path))
    assert params is None
    assert [problem.field for problem in problems] == [field]
    assert "expected" in problems[0].message
    assert len(str(problems[0])) < 250


def test_a_long_value_is_not_written_whole() -> None:
    (problem,) = examine(laptop(seed="x" * 10_000))[1]
    assert len(str(problem)) < 250


def test_a_problem_is_one_line() -> None:
    (problem,) = examine(laptop(**{"se\ned": 1}))[1]
    assert str(problem) == "se ed: unknown key, did you mean 'seed'?"


@pytest.mark.parametrize("text", ["seed: 1\na: 2020-99-01", f"seed: 1\na: {'9' * 5000}"])
def test_a_value_that_cannot_be_read_is_given_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParametersError, match="line 2, column 4"):
        read_yaml(path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)


@pytest.mark.parametrize("text", ["a: [1, 2", "a: 1\na: 2", "\t- x", "[1, 2]", "", "a: " + "[" * 500 + "]" * 500])
def test_what_is_not_a_mapping_in_yaml_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(ParametersError, match=r"params\.yaml"):
        read_yaml(path)


def test_a_missing_file_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match="phys4d profile use laptop"):
        load_params(tmp_path / "params.yaml")


def test_an_exponent_without_a_dot_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("a: 1e-4\n")
    assert read_yaml(path) == {"a": 1e-4}


def test_the_laptop_profile_keeps_the_families_it_was_trained_with() -> None:
    assert laptop()["simulation"]["rigid"]["families"] == {"drop": 0.5, "ramp": 0.25, "topple": 0.25}


@pytest.mark.parametrize("name", ["gpu", "cluster"])
def test_larger_profiles_use_every_kind_of_rigid_scene(name: str) -> None:
    families = profile_values(name)["simulation"]["rigid"]["families"]
    assert set(families) >= {"drop", "ramp", "topple", "collide", "dominoes", "stack", "behind"}
    assert sum(families.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["gpu", "cluster"])
def test_larger_profiles_simulate_every_category_in_every_split(name: str) -> None:
    for split in profile_values(name)["simulation"]["splits"].values():
        assert set(split["configurations"]) == set(CATEGORY_NAMES)


@pytest.mark.parametrize("name", ["gpu", "cluster"])
@pytest.mark.parametrize("split", ["dev", "test"])
def test_scores_of_larger_profiles_rest_on_several_scenes_of_each_category(name: str, split: str) -> None:
    assert min(profile_values(name)["simulation"]["splits"][split]["configurations"].values()) >= 10
