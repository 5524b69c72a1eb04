"""params.yaml as frozen, typed values.

A view and nothing more: no defaults and no computation, so that the values DVC tracks say everything a stage can see.
Loading, messages and the rules that join fields stand in `components.parameters`.
"""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
)


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"expected [low, high] with low <= high, got {list(bounds)}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
PositiveRange = Annotated[tuple[PositiveFloat, PositiveFloat], AfterValidator(_ordered)]
CountRange = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_ordered)]
UnitRange = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]], AfterValidator(_ordered)
]
Share = Annotated[float, Field(ge=0, le=1)]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class Section(BaseModel):
    """Base of every section: frozen, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Resources(Section):
    """How fast, never what: tracked by no stage."""

    processes: PositiveInt
    threads: PositiveInt


class Video(Section):
    """Clip format: T frames of HxW at the model's own rate."""

    frames: Annotated[int, Field(ge=2)]
    height: Annotated[int, Field(ge=16, le=4320)]
    width: Annotated[int, Field(ge=16, le=7680)]
    fps: PositiveInt


class CameraParams(Section):
    """A camera that looks at the scene's centre; degrees and metres."""

    field_of_view: Annotated[float, Field(gt=1, lt=170)]
    distance: PositiveFloat
    elevation: Annotated[float, Field(ge=0, le=89)]
    target_height: float
    azimuth_between_views: Degrees


class EnvironmentParams(Section):
    """Ranges of light and floor."""

    ambient: UnitRange
    light_elevation: Annotated[tuple[float, float], AfterValidator(_ordered)]
    light_azimuth: Range
    floor_patterns: Annotated[tuple[Literal["checker", "stripes", "noise"], ...], Field(min_length=1)]
    floor_grey: UnitRange


class Physics(Section):
    """What a split believes: gravity in g and its tilt in degrees, initial speed in m/s, restitution of objects."""

    gravity: Annotated[tuple[NonNegativeFloat, NonNegativeFloat], AfterValidator(_ordered)]
    tilt: Annotated[tuple[NonNegativeFloat, NonNegativeFloat], AfterValidator(_ordered)]
    initial_speed: Annotated[tuple[NonNegativeFloat, NonNegativeFloat], AfterValidator(_ordered)]
    restitution: UnitRange


class PhysicsByName(Section):
    """`real` is the world; `unknown` is what video from the internet does to a motion prior."""

    real: Physics
    unknown: Physics


class Rigid(Section):
    """Ranges of the category rigid: metres, kg/m^3, degrees."""

    families: Annotated[dict[Literal["drop", "ramp", "topple"], PositiveFloat], Field(min_length=1)]
    radius: PositiveRange
    density: PositiveRange
    friction: UnitRange
    objects: CountRange
    drop_height: PositiveRange
    ramp_angle: PositiveRange
    lean: Range
    slenderness: PositiveRange


class Split(Section):
    """One split: how many configurations of each category, seen from how many views, in how many takes."""

    physics: Literal["real", "unknown"]
    configurations: Annotated[dict[Literal["rigid"], PositiveInt], Field(min_length=1)]
    views: Annotated[int, Field(ge=1, le=3)]
    takes: Annotated[int, Field(ge=1, le=2)]


class Splits(Section):
    """The splits of the design; disjoint by configuration hash."""

    appearance: Split
    labeler: Split
    judge: Split
    train: Split
    dev: Split
    test: Split


class Simulation(Section):
    """Everything that makes the simulated clips."""

    clips_per_shard: PositiveInt
    points_per_object: PositiveInt
    samples_per_pixel: Literal[1, 4, 9, 16]
    max_attempts: PositiveInt
    camera: CameraParams
    take_perturbation: Annotated[float, Field(gt=0, le=0.1)]
    environment: EnvironmentParams
    physics: PhysicsByName
    rigid: Rigid
    splits: Splits


class Quality(Section):
    """Bounds of the data gates."""

    max_rejected_share: Share
    min_valid_share: Share
    min_moving_share: Share
    max_speed: PositiveFloat


class Evaluation(Section):
    """How the models are measured."""

    split: Literal["dev", "test"]
    bootstrap_samples: Annotated[int, Field(ge=100)]
    physics_iq_size: Annotated[int, Field(ge=240)]


class Wan22(Section):
    """Wan2.2-TI2V: `tiny` is a twin of the same classes."""

    size: Literal["tiny", "5b"]
    revision: str | None


class Backbones(Section):
    """The backbones a profile trains."""

    wan22: Wan22


class Stage1(Section):
    """Heads on pseudo-labels, backbone frozen."""

    steps: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat


class Stage2Weights(Section):
    """Weights of stage 2's losses."""

    diffusion: NonNegativeFloat
    depth: NonNegativeFloat
    motion: NonNegativeFloat
    warp: NonNegativeFloat


class Stage2(Section):
    """Fine-tuning on simulation with the warp-consistency loss."""

    steps: PositiveInt
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    trainable: Literal["blocks", "lora"]
    lora_rank: PositiveInt
    weights: Stage2Weights


class Stage3(Section):
    """Reinforcement learning with the 4D Chamfer reward; advantages are relative to a group of one prompt."""

    algorithm: Literal["nft", "grpo"]
    iterations: PositiveInt
    prompts: PositiveInt
    group_size: Annotated[int, Field(ge=2)]
    learning_rate: PositiveFloat
    lora_rank: PositiveInt
    sampler_steps: PositiveInt


class Params(Section):
    """The whole of params.yaml."""

    profile: Literal["laptop", "smoke", "gpu", "cluster"]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    resources: Resources
    video: Video
    simulation: Simulation
    quality: Quality
    evaluation: Evaluation
    backbones: Backbones
    stage1: Stage1
    stage2: Stage2
    stage3: Stage3
