"""params.yaml: values that no run could use are refused before it starts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.backbones import laptop_latents
from components.backbones.wan22 import backbone as wan
from components.parameters.backbones import FAMILIES, LAPTOP_STRIDE, TINY, Backbones
from components.parameters.loader import examine, parse_params
from components.parameters.profiles import profile_values
from components.parameters.rules import simulation as rules
from components.simulation.families.rigid import stack, topple
from components.simulation.props import balance, grains, incline, looks, objects, placement, row
from components.simulation.scene import Shape
from components.simulation.solvers import bullet
from tests.dotted import set_fields

LAPTOP = parse_params(profile_values("laptop"), source="laptop")


def fields(**changes: Any) -> set[str]:  # noqa: ANN401 -- any value a user can write
    """The fields that are wrong in the laptop profile with dotted fields changed."""
    values = set_fields(profile_values("laptop"), **changes)
    return {problem.field for problem in examine(values)[1]}


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("resources__processes", 10**6),
        ("video__frames", 2**60 + 1),
        ("simulation__clips_per_shard", 6 * 10**9),
        ("simulation__points_per_object", 10**9),
        ("simulation__max_attempts", 10**9),
        ("simulation__device", "gpu"),
        ("simulation__device", "cuda:"),
        ("simulation__device", "cuda:-1"),
        ("simulation__camera__field_of_view", [50.0, 121.0]),
        ("simulation__camera__distance", [5.2, 1e30]),
        ("simulation__camera__distance", [0.5, 5.2]),
        ("simulation__camera__distance", [6.0, 5.0]),
        ("simulation__camera__elevation", [-1.0, 10.0]),
        ("simulation__camera__target_height", [-5.0, -5.0]),
        ("simulation__camera__azimuth_between_views", 0.0),
        ("simulation__camera__azimuth_between_views", 360.0),
        ("simulation__camera__orbit__degrees", [-200.0, 0.0]),
        ("simulation__camera__orbit__degrees", [30.0, 10.0]),
        ("simulation__camera__orbit__share", 1.5),
        ("simulation__camera__orbit__share", 1.0),
        ("simulation__environment__light_elevation", [-90.0, -90.0]),
        ("simulation__environment__light_azimuth", [0.0, 1e9]),
        ("simulation__environment__floor_patterns", ["noise"] * 4),
        ("simulation__environment__floor_contrast", [0.5, 1.5]),
        ("simulation__environment__floor_scale", [0.0, 1.0]),
        ("simulation__environment__sky", [0.8, 0.6]),
        ("simulation__physics__unknown__gravity", [0.0, 1e6]),
        ("simulation__physics__unknown__tilt", [0.0, 4000.0]),
        ("simulation__physics__unknown__initial_speed", [0.0, 1e4]),
        ("simulation__granular__grains", [300, 4000]),  # with impact: no ball moves in sand
        ("simulation__rigid__radius", [1e-9, 1e-9]),
        ("simulation__rigid__radius", [5.0, 5.0]),
        ("simulation__rigid__density", [1.0, 1e300]),
        ("simulation__rigid__objects", [1, 10]),
        ("simulation__rigid__drop_height", [300.0, 1900.0]),
        ("simulation__rigid__drop_height", [1.0, 18.0]),  # metres: no large object fits under the guard's 20
        ("simulation__rigid__ramp_angle", [15.0, 500.0]),
        ("simulation__rigid__ramp_angle", [15.0, 89.0]),
        ("simulation__rigid__lean", [80.0, 89.0]),
        ("simulation__rigid__slenderness", [2.0, 1e6]),
        ("quality__max_speed", 101.0),
        ("promotion__sample_steps", 0),
        ("promotion__min_motion", 256.0),
        ("evaluation__bootstrap_samples", 10**12),
        ("evaluation__physics_iq_size", 10**6),
        ("stage1__steps", 10**12),
        ("stage2__weights__depth", 1e308),
        ("stage3__group_size", 10**9),
    ],
)
def test_a_value_beyond_all_use_is_refused_in_its_field(dotted: str, value: object) -> None:
    assert fields(**{dotted: value}) == {dotted.replace("__", ".")}


def test_a_value_of_the_gate_is_named_with_its_metric() -> None:
    assert fields(promotion__floors={"chamfer": 1e9}) == {"promotion.floors.chamfer"}
    assert fields(promotion__no_regression={"score": -1.0}) == {"promotion.no_regression.score"}


def test_counts_and_shares_in_mappings_are_bounded() -> None:
    assert fields(simulation__splits__train__configurations={"rigid": 10**12}) == {
        "simulation.splits.train.configurations.rigid"
    }
    assert fields(simulation__rigid__families={"drop": 1e308}) == {"simulation.rigid.families.drop"}


@pytest.mark.parametrize("lean", [[-1.0, 1.0], [-2.0, 2.0], [0.5, 0.5]])
def test_a_lean_within_the_zone_of_balance_is_refused(lean: list[float]) -> None:
    assert fields(simulation__rigid__lean=lean) == {"simulation.rigid.lean"}


def test_a_lean_beyond_upright_is_refused() -> None:
    assert fields(simulation__rigid__lean=[-25.0, 10.0]) == {"simulation.rigid.lean"}
    assert fields(simulation__rigid__lean=[-25.0, 10.0], simulation__rigid__slenderness=[1.5, 2.0]) == set()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"heads__taps": 6}, "heads.taps"),
        ({"stage2__blocks": 6}, "stage2.blocks"),
        ({"stage3__updates": 64, "stage3__prompts": 4}, "stage3.updates"),
        ({"stage3__algorithm": "grpo", "stage3__sampler_steps": 1}, "stage3.sampler_steps"),
        ({"stage3__algorithm": "grpo", "stage3__sampler_steps": 4, "stage3__times": 4}, "stage3.times"),
        ({"stage3__algorithm": "grpo", "stage3__sampler_steps": 4, "stage3__window": 4}, "stage3.window"),
        (
            {"stage3__algorithm": "grpo", "stage3__sampler_steps": 4, "stage3__window": 1, "stage3__times": 2},
            "stage3.times",
        ),
        ({"stage3__reward": {"chamfer": 0.0, "overlap": 0.0, "centroid": 0.0}}, "stage3.reward"),
        ({"stage3__watch__scenes": 97}, "stage3.watch.scenes"),
        ({"stage3__watch__scenes": 1}, "stage3.watch.scenes"),
        ({"stage3__watch__every": 11}, "stage3.watch.every"),
        ({"stage3__watch__patience": 33}, "stage3.watch.every"),
        ({"simulation__splits__dev__physics": "unknown"}, "simulation.splits.dev.physics"),
        ({"stage2__heads_batch_size": 25}, "stage2.heads_batch_size"),
        (
            {"stage2__weights": {"diffusion": 0.0, "depth": 0.0, "motion": 0.0, "foreground": 0.0, "warp": 0.0}},
            "stage2.weights",
        ),
        ({"backbones__wan22__tiny__head_width": 33}, "backbones.wan22.tiny.head_width"),
        ({"video__frames": 1025, "pipeline__backbones": ["wan22"]}, "video.frames"),
        ({"video__height": 4112}, "video.height"),
        ({"video__width": 4112}, "video.width"),
        ({"video__frames": 21}, "video.frames"),
        ({"pipeline__backbones": []}, "pipeline.backbones"),
        ({"pipeline__backbones": ["wan22", "wan22"]}, "pipeline.backbones"),
        ({"backbones__open_sora__tiny__layers": 2}, "heads.taps"),
        ({"backbones__cogvideox__tiny__layers": 2}, "stage2.blocks"),
        ({"simulation__splits__train__physics": "unknown"}, "simulation.splits.train.physics"),
        ({"video__width": 16, "video__height": 16}, "video.height"),
    ],
)
def test_training_that_cannot_run_is_refused(changes: dict[str, Any], field: str) -> None:
    assert field in fields(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"stage3__algorithm": "grpo", "stage3__sampler_steps": 4, "stage3__times": 3},
        {"stage3__algorithm": "nft", "stage3__sampler_steps": 4, "stage3__times": 4},
        {"stage3__reward": {"chamfer": 0.0, "overlap": 0.0, "centroid": 1.0}},
        {"stage3__watch__scenes": 96, "stage3__watch__every": 10},
        {"stage3__watch__every": 0, "stage3__watch__scenes": 97, "stage3__watch__patience": 33},
        {"stage2__heads_batch_size": 24},
        {"stage2__weights__diffusion": 0.0},
        {"video__frames": 1021, "pipeline__backbones": ["wan22"]},
        {"video__frames": 21, "pipeline__backbones": ["wan22", "cogvideox"]},
        {"backbones__open_sora__tiny__layers": 2, "pipeline__backbones": ["wan22"]},
    ],
)
def test_training_that_can_run_is_let_through(changes: dict[str, Any]) -> None:
    assert fields(**changes) == set()


def test_only_the_tiny_twin_has_few_positions() -> None:
    published = {"backbones__wan22__size": "5b", "backbones__wan22__source": "a/b"}
    assert "video.width" not in fields(video__width=4128, **published, pipeline__backbones=["wan22"])


def test_a_learned_table_of_positions_takes_one_shape_of_videos() -> None:
    cog = {
        "backbones__cogvideox__size": "5b",
        "backbones__cogvideox__source": "a/b",
        "pipeline__backbones": ["cogvideox"],
    }
    native = {"video__frames": 49, "video__height": 480, "video__width": 720, "video__fps": 8}
    assert fields(**cog, **native) == set()
    assert fields(**cog, **{**native, "video__width": 736}) == {"video.width"}
    assert {"video.frames", "video.height", "video.width"} <= fields(**cog)


def test_a_model_whose_tokens_are_latent_pixels_takes_every_size_of_them() -> None:
    twin = {"pipeline__backbones": ["ltx_video"]}
    assert fields(**twin) == set()
    assert fields(**twin, video__height=72, video__width=104) == set()
    published = {"backbones__ltx_video__size": "2b", "backbones__ltx_video__source": "a/b", **twin}
    assert fields(**published) == set()
    assert fields(**published, video__frames=21, video__height=80) == {"video.frames", "video.height"}
    assert fields(**{**published, "backbones__ltx_video__source": None}) == {"backbones.ltx_video.source"}


def test_objects_that_find_no_room_are_refused() -> None:
    assert fields(simulation__rigid__objects=[1, 3]) == {"simulation.rigid.objects"}
    assert fields(simulation__rigid__objects=[1, 3], simulation__rigid__radius=[0.2, 0.25]) == set()
    assert fields(simulation__rigid__objects=[1, 3], simulation__rigid__families={"ramp": 1.0}) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"simulation__camera__distance": [3.0, 3.0]},
        {"simulation__camera__distance": [3.0, 6.0]},
        {"simulation__camera__field_of_view": [20.0, 20.0]},
        {"simulation__camera__field_of_view": [20.0, 60.0]},
        {"simulation__camera__target_height": [3.0, 3.0]},
        {"simulation__camera__target_height": [1.05, 3.0]},
        {"simulation__rigid__drop_height": [0.3, 4.0]},
        {"simulation__rigid__slenderness": [2.2, 10.0], "simulation__rigid__lean": [0.0, 10.0]},
        {"video__width": 32, "simulation__camera__field_of_view": [30.0, 30.0], "video__height": 128},
        {"simulation__camera__distance": [50.0, 50.0]},
        {"simulation__camera__distance": [5.2, 50.0]},
    ],
)
def test_a_scene_that_does_not_fit_the_picture_is_refused(changes: dict[str, Any]) -> None:
    assert fields(**changes) == {"simulation.camera.distance"}


def ranges(low: float, high: float) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(lambda ends: (min(ends), max(ends)))


@given(
    camera=st.fixed_dictionaries(
        {
            "field_of_view": ranges(45, 70),
            "distance": ranges(4.5, 7),
            "elevation": ranges(0, 60),
            "target_height": ranges(0.9, 1.6),
        }
    ),
    share=st.floats(0, 1),
)
def test_where_ranges_are_let_through_each_of_their_cameras_is(
    camera: dict[str, tuple[float, float]], share: float
) -> None:
    within = {name: min(low + share * (high - low), high) for name, (low, high) in camera.items()}
    level = min(max(within["field_of_view"] / 2, camera["elevation"][0]), camera["elevation"][1])
    for one in (within, {**within, "elevation": level}):
        assert unseen(camera) or not unseen({name: (value, value) for name, value in one.items()})


def unseen(camera: dict[str, tuple[float, float]]) -> list[str]:
    """What the laptop's scenes lack in pictures of such cameras."""
    simulation = LAPTOP.simulation
    changed = simulation.model_copy(update={"camera": simulation.camera.model_copy(update=camera)})
    return [problem.message for problem in rules.check_view(LAPTOP.model_copy(update={"simulation": changed}))]


def test_a_clip_that_does_not_fit_memory_is_refused() -> None:
    large = {"video__frames": 1021, "video__height": 2160, "video__width": 3840}
    assert fields(**large, pipeline__backbones=["wan22"]) == {"video"}


def test_constants_written_twice_are_equal() -> None:
    assert rules.SOLVER_RATE == bullet.STEPS_PER_SECOND
    assert rules.BALANCED == balance.BALANCED
    assert rules.COLUMN_WIDTH == topple.WIDTH
    assert rules.RAMP_LENGTH == incline.LENGTH
    assert row.HEIGHT[1] == rules.DOMINO
    assert ((stack.COUNT[1] + 1) * 2 * stack.SIZE[2][1], stack.GAP[1]) == (rules.STACK, rules.STACK_GAP)
    assert (rules.REACH, rules.GAP) == (placement.REACH, placement.GAP)
    assert grains.MOST / 1.2 == rules.BULLET_GRAINS  # a hopper holds up to a ninth more than asked
    tiny = FAMILIES["wan22"][TINY]
    assert tiny.side == wan.POSITIONS * tiny.token
    assert tiny.frames[2] == wan.CHUNK * (wan.POSITIONS - 1) + 1
    assert laptop_latents.PATCH == LAPTOP_STRIDE
    assert tuple(FAMILIES) == tuple(Backbones.model_fields)


def test_there_are_colours_for_the_most_objects() -> None:
    assert fields(simulation__rigid__objects=[3, 3], simulation__rigid__radius=[0.2, 0.25]) == set()
    assert len(looks.COLOURS) >= 3


def test_no_object_is_larger_than_the_rules_think() -> None:
    side = objects.BOX_HALF_EXTENT[1]  # over the radius of a ball
    thing = objects.RigidObject(
        shape=Shape.BOX,
        size=(side, side, side),
        colour="red",
        material="foam",
        density=1.0,
        friction=0.5,
        restitution=0.5,
        velocity=(0.0, 0.0, 0.0),
    )
    assert thing.bounding_radius <= rules.BOUNDING
