"""params.yaml as frozen, typed values.

A view and nothing more: no defaults and no computation, so that the values DVC tracks say everything a stage can see.
Loading, messages and the rules that join fields stand in `components.parameters`.

Every number has bounds. They are wide: outside them a run fails late, or its clips mean nothing.
"""

from typing import Annotated, Literal

from pydantic import Field

from components.parameters.backbones import Backbones, Pipeline
from components.parameters.cluster import Cluster
from components.parameters.fields import (
    BatchSize,
    LearningRate,
    LoraRank,
    RewardWeight,
    Section,
    Share,
    Steps,
    Weight,
)
from components.parameters.simulation import Simulation


class Resources(Section):
    """How fast; only the rounding of sums in training depends on it. Tracked by no stage."""

    processes: Annotated[int, Field(ge=1, le=1024)]
    threads: Annotated[int, Field(ge=1, le=1024)]
    ranks: Annotated[int, Field(ge=1, le=64)]  # processes of this machine that train together, one on an accelerator
    trainings: Annotated[int, Field(ge=1, le=64)]  # of several backbones, side by side, each on its share of the cores
    checkpointing: bool  # blocks are computed again in the backward pass: less memory, a third more time
    shard: bool  # each rank keeps a part of the transformer
    compile: bool  # blocks by torch.compile

    @property
    def processes_each(self) -> int:
        """Of each of the trainings, or evaluations, that run side by side."""
        return max(1, self.processes // self.trainings)


class ObjectStorage(Section):
    """An S3 bucket for what goes to other machines; none without a bucket. Tracked by no stage, seen by none."""

    endpoint: str | None  # of a server of your own, such as http://10.0.0.5:7480; none: that of AWS
    bucket: str | None
    prefix: str | None  # that all names begin with


class Video(Section):
    """Clip format: T frames of HxW at the model's own rate."""

    frames: Annotated[int, Field(ge=2, le=1025)]
    height: Annotated[int, Field(ge=16, le=4320)]
    width: Annotated[int, Field(ge=16, le=7680)]
    fps: Annotated[int, Field(ge=1, le=960)]


class Quality(Section):
    """Bounds of the data gates."""

    max_rejected_share: Share
    min_valid_share: Share
    min_moving_share: Share
    min_seen_share: Share
    max_speed: Annotated[float, Field(gt=0, le=100)]  # m/s; above it the guard rejects a clip before the gate


class Videos(Section):
    """Which videos stage 1 learns from, and which are left out."""

    source: str | None  # a folder of videos; none: RGB and captions of the split `appearance`
    min_motion: Annotated[float, Field(ge=0, le=255)]  # grey levels, mean over pixels and frames: below it, static
    scene_cut: Annotated[float, Field(gt=0, le=1)]  # distance of neighbouring frames' histograms: above it, a cut


class PseudoLabels(Section):
    """Estimators of stage 1's labels, and the gate on them."""

    depth: Literal["labeler", "depth_anything", "video_depth_anything"]
    depth_source: str | None  # hub id or folder of the published estimator; `labeler` has none
    depth_revision: str | None
    flow: Literal["dis", "raft"]
    consistency: Annotated[float, Field(gt=0, le=100)]  # pixels of forward-backward error at which confidence is 1/e
    min_confidence: Share  # the gate: mean confidence of a clip
    max_rejected_share: Share  # the gate: of videos


class DepthNet(Section):
    """The laptop's two small depth networks: the labeler of stage 1 and the judge of the evaluation."""

    width: Annotated[int, Field(ge=4, le=256, multiple_of=4)]
    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate


class Latents(Section):
    """Closed-form latents of the tiny twins."""

    channels: Annotated[int, Field(ge=4, le=192)]
    clips: Annotated[int, Field(ge=1, le=100_000)]  # of `appearance` that they are fitted on


class Text(Section):
    """The frozen text encoder of the tiny twins."""

    vocabulary: Annotated[int, Field(ge=64, le=65_536)]
    length: Annotated[int, Field(ge=4, le=1024)]  # tokens
    width: Annotated[int, Field(ge=8, le=4096)]


class Heads(Section):
    """Depth and motion heads: the same module on every backbone."""

    kind: Literal["fused", "linear"]  # linear: a plain layer on the last tap, to measure the other against
    width: Annotated[int, Field(ge=8, le=4096)]
    taps: Annotated[int, Field(ge=1, le=8)]  # depths of the transformer that are read
    noise_level: Annotated[float, Field(ge=0, le=0.5)]  # at which clean latents are read


class Evaluation(Section):
    """How the models are measured."""

    split: Literal["dev", "test"]
    noises: Annotated[int, Field(ge=1, le=64)]  # samples of every first frame, the same noise for all variants
    sampler_steps: Annotated[int, Field(ge=1, le=1000)]
    bootstrap_samples: Annotated[int, Field(ge=100, le=1_000_000)]
    physics_iq_size: Annotated[int, Field(ge=240, le=4320)]
    frechet_network: str | None = (
        None  # a torchscript file whose features compare sets of videos; none: features of pixels
    )


class Promotion(Section):
    """What the last stage must reach, and gain over base, stage 2 and champion: ends of (paired) 95 % intervals."""

    min_score_gain: Annotated[float, Field(ge=-100, le=100)]  # points, over base
    min_centroid_gain: Annotated[float, Field(ge=-1000, le=1000)]  # pixels, over base
    min_chamfer_gain: Annotated[float, Field(ge=-1000, le=1000)]  # metres, over stage 2
    floors: dict[str, Annotated[float, Field(ge=-1e6, le=1e6)]]  # metric: value whose good side all the interval is on
    over_champion: Annotated[list[str], Field(max_length=64)]  # metrics that must gain over the present champion
    no_regression: dict[str, Annotated[float, Field(ge=0, le=1e6)]]  # metric: by how much it may be worse than that one
    sample_steps: Annotated[int, Field(ge=1, le=1000)]  # of the sampler, for the sample that is drawn from the registry
    min_motion: Annotated[float, Field(ge=0, le=255)]  # grey levels from frame to frame of it: at or below, a still


class Prepare(Section):
    """Training of the stand-in base on the appearance split."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    muon_learning_rate: LearningRate
    ema: Share
    caption_dropout: Share


class Stage1(Section):
    """Heads on pseudo-labels, backbone frozen."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate


class Stage2Weights(Section):
    """Weights of stage 2's losses."""

    diffusion: Weight
    depth: Weight
    motion: Weight
    foreground: Weight
    warp: Weight


class Stage2(Section):
    """Fine-tuning on simulation: the diffusion loss alone, then with depth, motion and warp-consistency losses."""

    steps: Steps
    diffusion_steps: Annotated[int, Field(ge=0, le=10_000_000)]  # first, with the diffusion loss alone
    batch_size: BatchSize
    heads_batch_size: BatchSize  # clips of a batch that the heads' losses are taken on
    learning_rate: LearningRate
    heads_learning_rate: LearningRate
    muon_learning_rate: LearningRate
    trainable: Literal["blocks", "lora"]
    blocks: Annotated[int, Field(ge=1, le=1000)]  # the last so many
    through_heads: bool  # whether the heads' losses train the transformer too, or the heads alone
    lora_rank: LoraRank
    weights: Stage2Weights


class Stage3Reward(Section):
    """Weights of the reward's terms, below 0 for the opposite; each is centred in its group and scaled by the batch."""

    chamfer: RewardWeight
    overlap: RewardWeight  # of the read foreground with the simulator's
    centroid: RewardWeight


class Stage3Watch(Section):
    """An independent look at the policy every so often: it ends training when the judge falls and the reward rises."""

    every: Annotated[int, Field(ge=0, le=10_000_000)]  # iterations; 0: off
    scenes: Annotated[int, Field(ge=2, le=100_000)]  # of dev, one video of each
    patience: Annotated[int, Field(ge=1, le=1000)]  # looks in a row


class Stage3(Section):
    """Reinforcement learning with the 4D Chamfer reward; advantages are relative to a group of one prompt."""

    algorithm: Literal["nft", "grpo", "rejection"]
    iterations: Steps
    prompts: BatchSize
    group_size: Annotated[int, Field(ge=2, le=1024)]
    learning_rate: LearningRate
    lora_rank: LoraRank
    sampler_steps: Annotated[int, Field(ge=1, le=1000)]
    updates: Annotated[int, Field(ge=1, le=64)]  # optimiser steps of an iteration
    times: Annotated[int, Field(ge=1, le=64)]  # noise levels, or denoising steps (grpo), trained on in each
    anchor: Weight  # of stage 2's diffusion loss
    kl: Weight
    clip: Annotated[float, Field(gt=0, le=1)]  # grpo
    noise: Annotated[float, Field(gt=0, le=1)]  # grpo: of the stochastic transition
    transition: Literal["cps", "ddim", "sde"]  # grpo
    window: Annotated[int, Field(ge=0, le=1000)]  # grpo: steps that are random; 0: all but the last
    reward: Stage3Reward
    watch: Stage3Watch


class Params(Section):
    """The whole of params.yaml."""

    profile: Literal["laptop", "smoke", "gpu", "cluster"]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    resources: Resources
    storage: ObjectStorage
    cluster: Cluster
    pipeline: Pipeline
    video: Video
    simulation: Simulation
    quality: Quality
    videos: Videos
    pseudo_labels: PseudoLabels
    depth_net: DepthNet
    latents: Latents
    text: Text
    backbones: Backbones
    heads: Heads
    prepare: Prepare
    stage1: Stage1
    stage2: Stage2
    stage3: Stage3
    evaluation: Evaluation
    promotion: Promotion
