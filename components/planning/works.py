"""What each stage holds and does when it needs most memory: its data, its learner, one update or one batch.

The learners are the stages' own; only their data have no values. Legend: N clips, T frames, H, W.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from components.backbones.adapters import add_adapter
from components.generate import condition_on, read_4d
from components.index import INDEX_FILE
from components.parameters.backbones import TINY
from components.planning.ledger import bytes_of
from components.planning.models import Planned, planned_model
from components.training import encoded as encoding
from components.training.ahead import MOST_BYTES
from components.training.diffusion import CHUNK, at_once, sample
from components.training.encoded import Encoded
from components.training.engine import Engine
from components.training.labels import LabelsOnDisk
from components.training.losses import Truth
from components.training.policy import ANCHOR_BATCH, Practice
from components.training.simulated import TruthOnDisk
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import ADAPTER, SimulationTuning
from components.training.stage3 import Reinforcement
from components.training.stand_in import StandIn

if TYPE_CHECKING:
    from components.parameters.simulation import Split
    from components.params import Params, Stage3

LABELLED = Path("data/pseudo_labels")


@dataclass(frozen=True, kw_only=True)
class Work:
    """model: which is held, with its text encoder where `embeds`. data: held too. do: one update, or one batch.

    reading: bytes that are there beside the data while they are read, and gone when `do` begins. later: bytes that
    `do` leaves out, because it does fewer steps than the stage.
    """

    model: Planned
    data: Iterable[Tensor]
    do: Callable[[], object]
    embeds: bool = False
    reading: int = 0
    later: int = 0


def prepare(params: "Params", name: str) -> Work | None:
    """The stand-in's training; None for published weights, of which a manifest is written."""
    if getattr(params.backbones, name).size != TINY:
        return None
    planned = planned_model(params, name, heads=False)
    data = make_encoded(planned, clips_of(params.simulation.splits.appearance))
    learner = StandIn(planned.model.backbone, data, params.prepare, seed=params.seed, engine=_engine(params))
    return Work(
        model=planned, embeds=True, data=_tensors(data), do=lambda: learner.update(0), reading=bytes_of([data.latents])
    )


def encode(params: "Params", name: str) -> Work:
    """Latents and text of both sets of clips, and a batch of videos that are encoded."""
    planned = planned_model(params, name, heads=False)
    sets = [make_encoded(planned, count) for count in (pseudo_clips(params), clips_of(params.simulation.splits.train))]
    video, codec = planned.video, planned.model.codec
    tiny = planned.loads_text
    frames = np.broadcast_to(np.uint8(0), (1, video.frames, video.height, video.width, 3))
    chunk = encoding.chunk_of(frames.size)
    waiting = 2 * chunk * frames.size  # one by one, and in one array
    count = chunk if tiny else 1  # published codecs take videos one by one
    batch = np.broadcast_to(np.uint8(0), (count, *frames.shape[1:]))
    last = sets[-1]
    return Work(
        model=planned,
        embeds=True,
        data=chain.from_iterable(_tensors(one) for one in sets),
        do=lambda: codec.encode(batch),
        reading=bytes_of([last.latents]) + bytes_of([last.text]) + waiting,  # parts beside the whole
    )


def stage1(params: "Params", name: str) -> Work:
    """Heads on pseudo-labels."""
    planned = planned_model(params, name)
    count = pseudo_clips(params)
    data, labels = make_encoded(planned, count), make_labels(planned, count)
    learner = HeadsOnPseudoLabels(
        planned.model.backbone,
        planned.model.with_heads,
        data,
        labels,
        params.stage1,
        seed=params.seed,
        engine=_engine(params),
    )
    return Work(
        model=planned,
        data=[*_tensors(data), *_tensors(labels)],
        do=lambda: learner.update(0),
        reading=bytes_of(_tensors(labels)),  # clip by clip, beside the whole
    )


def stage2(params: "Params", name: str) -> Work:
    """Fine-tuning, once the heads train too."""
    planned, section = planned_model(params, name), params.stage2
    count = clips_of(params.simulation.splits.train)
    data, truth = make_encoded(planned, count), make_truth(planned, count)
    learner = SimulationTuning(planned.model, data, truth, section, seed=params.seed, engine=_engine(params))
    last = section.diffusion_steps + section.steps - 1
    return Work(
        model=planned,
        data=[*_tensors(data), *_tensors(truth)],
        do=lambda: learner.update(last),
    )


def stage3(params: "Params", name: str) -> Work:
    """Reinforcement learning: groups are sampled and read, and the first of their optimiser steps is done."""
    planned, section = planned_model(params, name), params.stage3
    count = clips_of(params.simulation.splits.train)
    data, truth = make_encoded(planned, count), make_truth(planned, count)
    enough = 2 * at_once(planned.latent_shape)  # samples: of the parts that go through together two are as large as all
    practice = Practice(
        data=data,
        truth=truth,
        intrinsics=torch.empty(count, 3, 3),
        anchor_batch=min(ANCHOR_BATCH, enough),
    )
    if params.stage2.trainable == "lora":  # beneath the policy's own
        add_adapter(planned.model.backbone, ADAPTER, rank=params.stage2.lora_rank, seed=params.seed)
    fewer, left = _first_step(section, enough)
    learner = Reinforcement(
        planned.model,
        practice,
        fewer,
        noise_level=params.heads.noise_level,
        seed=params.seed,
        engine=_engine(params),
    )
    held = [*_tensors(data), *_tensors(truth)]
    return Work(
        model=planned,
        embeds=section.watch.every > 0,  # the captions of its scenes
        data=held,
        do=lambda: learner.update(0),
        reading=bytes_of(held) if params.simulation.camera.orbit.share else 0,  # a copy without moving cameras
        later=left * bytes_of([data.latents]) // count,
    )


def _first_step(section: "Stage3", enough: int) -> tuple["Stage3", int]:
    """As little of an iteration as has all that its first optimiser step has, and how many latents are left out.

    A step needs no more samples than `enough`. A deterministic sampler keeps nothing of its steps, a random one its
    latents after each.
    """
    steps, kept = 1, 1
    if section.algorithm == "grpo":
        steps = min(section.sampler_steps, max(2, section.times + 1, section.window + 1))
        kept = section.window or section.sampler_steps - 1
    samples = section.prompts * section.group_size
    done = min(-(-section.prompts // section.updates) * section.group_size, enough)
    changes = {"sampler_steps": steps, "prompts": 1, "group_size": done, "updates": 1}
    left = samples * kept - done * max(1, steps - 1)
    return section.model_copy(update=changes), max(0, left)


def evaluate(params: "Params", name: str) -> Work:
    """A batch of videos, sampled, decoded and read."""
    planned = planned_model(params, name)
    model, video = planned.model, planned.video
    images = np.broadcast_to(np.uint8(0), (1, video.height, video.width, 3))
    frames = CHUNK * video.frames * video.height * video.width * 3  # bytes of the batch's pictures

    def do() -> object:
        one = condition_on(model, images, [""])
        latents = sample(model.backbone, torch.empty(CHUNK, *planned.latent_shape), one.repeat(CHUNK), steps=1)
        model.codec.decode(latents if planned.loads_text else latents[:1])  # published codecs decode one by one
        return read_4d(model, latents, one.repeat(CHUNK), frames=video.frames, noise_level=params.heads.noise_level)

    return Work(model=planned, embeds=True, data=(), do=do, later=frames)


WORKS: Mapping[str, Callable[["Params", str], Work | None]] = {
    "prepare": prepare,
    "encode": encode,
    "stage1": stage1,
    "stage2": stage2,
    "stage3": stage3,
    "evaluate": evaluate,
}


def clips_of(split: "Split") -> int:
    """How many clips a split has."""
    return sum(split.configurations.values()) * split.views * split.takes


def pseudo_clips(params: "Params") -> int:
    """How many clips have pseudo-labels: as many as were labelled, or else as the appearance split has."""
    if (LABELLED / INDEX_FILE).is_file():
        from components.pseudo_labels.storage import LabelRow, read_rows

        return len(read_rows(LABELLED, LabelRow))
    return clips_of(params.simulation.splits.appearance)


def make_encoded(planned: Planned, count: int) -> Encoded:
    """Encoded clips."""
    text = (planned.text.tokens, planned.text.width)
    return Encoded(
        latents=torch.empty(count, *planned.latent_shape), text=torch.empty(count, *text), empty=torch.empty(*text)
    )


def make_truth(planned: Planned, count: int) -> Truth:
    """Truth of clips, as `read_truth` gives it: of one clip where all of them do not stay in memory."""
    T, H, W = planned.video.frames, planned.video.height, planned.video.width
    count = count if count * T * H * W * TruthOnDisk.bytes_of_pixel <= MOST_BYTES else 1
    half = torch.float16
    return Truth(
        log_depth=torch.empty(count, T, H, W, dtype=half),
        valid=torch.empty(count, T, H, W, dtype=torch.bool),
        foreground=torch.empty(count, T, H, W, dtype=torch.bool),
        flow=torch.empty(count, T - 1, 2, H, W, dtype=half),
        depth_change=torch.empty(count, T - 1, H, W, dtype=half),
        visible=torch.empty(count, T - 1, H, W, dtype=torch.bool),
    )


def make_labels(planned: Planned, count: int) -> PseudoLabels:
    """Labels of clips, as `collect_labels` gives them; of disparity, which costs an operation more than depth."""
    T, H, W = planned.video.frames, planned.video.height, planned.video.width
    count = count if count * T * H * W * LabelsOnDisk.bytes_of_pixel <= MOST_BYTES else 1
    half = torch.float16
    return PseudoLabels(
        depth=torch.empty(count, T, H, W, dtype=half),
        depth_kind="affine_disparity",
        flow=torch.empty(count, T - 1, 2, H, W, dtype=half),
        confidence=torch.empty(count, T - 1, H, W, dtype=half),
    )


def _engine(params: "Params") -> Engine:
    """What changes the memory of one rank's work; shards are reckoned with afterwards."""
    return Engine(checkpointing=params.resources.checkpointing)


def _tensors(record: object) -> list[Tensor]:
    """The tensors among a record's fields."""
    values = (getattr(record, one.name) for one in fields(record))  # type: ignore[arg-type]
    return [value for value in values if isinstance(value, Tensor)]
