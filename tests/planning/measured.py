"""How much a process grows in two real updates of a stage, in bytes: `python -m tests.planning.measured wan22 stage2`.

Data are random, of a profile's sizes: memory does not depend on them. A process of its own, because what it grows by
is told by the kernel: the most it held, over what it held before there was a model.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from components.backbones import laptop_latents
from components.benchmarks.train import make_model, make_practice
from components.compute import use_cores
from components.generate import read_4d
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.planning.estimate import Estimate, estimate
from components.processes import keep_freed_memory
from components.training import encoded
from components.training.diffusion import CHUNK, sample
from components.training.losses import Truth
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from components.training.stand_in import StandIn

if TYPE_CHECKING:
    from components.params import Params

CLIPS = 64


def small_splits(profile: str, clips: int = CLIPS) -> "Params":
    """A profile whose splits have `clips` clips."""
    values = profile_values(profile)
    for split in values["simulation"]["splits"].values():
        split["configurations"] = {"rigid": clips}
    values["videos"]["source"] = None
    return parse_params(values, source=profile)


def work_of(params: "Params", backbone: str, stage: str) -> Callable[[int], object]:
    """Two updates of a stage, or two batches, on data that it makes."""
    practice = make_practice(params, backbone, CLIPS)
    data, truth, seed = practice.data, practice.truth, params.seed
    assert isinstance(truth, Truth)  # in memory
    model = make_model(params, backbone)
    if stage == "prepare":
        return StandIn(model.backbone, data, params.prepare, seed=seed).update
    if stage == "stage1":
        labels = PseudoLabels(
            depth=truth.log_depth, depth_kind="affine_disparity", flow=truth.flow, confidence=truth.visible.half()
        )
        return HeadsOnPseudoLabels(model.backbone, model.with_heads, data, labels, params.stage1, seed=seed).update
    model.backbone.transformer.requires_grad_(False)
    if stage == "stage2":
        tuning = SimulationTuning(model, data, truth, params.stage2, seed=seed)
        return lambda step: tuning.update(params.stage2.diffusion_steps + step)
    if stage == "stage3":
        return Reinforcement(model, practice, params.stage3, noise_level=params.heads.noise_level, seed=seed).update
    pictures = np.random.default_rng(0).integers(0, 256, (8, params.video.frames, 64, 64, 3), np.uint8)
    model = replace(model, codec=laptop_latents.fit(pictures, channels=params.latents.channels))
    if stage == "encode":
        shape = (encoded.CHUNK, params.video.frames, params.video.height, params.video.width, 3)
        return lambda _: model.codec.encode(np.stack(list(np.ones(shape, np.uint8))))
    condition = data.batch(torch.arange(CHUNK)).condition

    def evaluate(_: int) -> object:
        latents = sample(model.backbone, torch.randn(CHUNK, *data.latents.shape[1:]), condition, steps=1)
        frames = model.codec.decode(latents)
        return frames, read_4d(
            model, latents, condition, frames=params.video.frames, noise_level=params.heads.noise_level
        )

    return evaluate


def growth(params: "Params", backbone: str, stage: str) -> int:
    """Bytes that this process grows by."""
    make_model(params, backbone)  # imports what is imported late
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forgets the most so far
    update = work_of(params, backbone, stage)
    for step in range(2):
        update(step)
    return _status("VmHWM") - before


def _status(field: str) -> int:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[field].split()[0]) * 1024


def main(backbone: str, stage: str, profile: str = "laptop") -> None:
    """Print what was estimated and what was measured."""
    params = small_splits(profile)
    use_cores(params.resources)
    keep_freed_memory()
    estimated: Estimate | None = estimate(params, backbone, stage, accelerated=False)
    if estimated is None:
        raise SystemExit(f"{stage} of {backbone} holds no model")
    total = estimated.total
    line = json.dumps({**vars(estimated), "total": total, "measured": growth(params, backbone, stage)})
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
