"""Videos of a cell: one for each noise, or the best of several by stage 3's own reward.

The reward is measured against the simulator's truth of the very scene that is judged: what is chosen so is no model
that could be had, but the most that choosing by this reward could give without any training.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from components.evaluation.rows import new_row
from components.evaluation.sampling import Plan, make_videos
from components.generate import Generated, condition_on
from components.index import read_index
from components.model import Model
from components.training.policy import rewards_of
from components.training.rewards import advantages, overall
from components.training.simulated import read_intrinsics, read_truth

if TYPE_CHECKING:
    from components.evaluation.judge import DepthReader
    from components.params import Stage3Reward


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Of how many videos the best is taken, and by what. split: the folder of the clips."""

    of: int
    reward: "Stage3Reward"
    split: Path


def sample_videos(plan: Plan, model: Model, judge: "DepthReader", folder: Path, choice: Choice | None = None) -> None:
    """All of a model's videos of a plan, and their depth as the judge reads it; nothing of its heads."""
    of = choice.of if choice else 1
    prompts, headless = replace(plan, samples=plan.samples * of).prompts(), replace(model, heads=None)
    chooser = _Chooser(plan, model, choice) if choice and of > 1 else None
    with new_row(folder, judge, (len(plan.places), plan.samples, *plan.shape())) as writer:
        for sample in range(plan.samples):
            for clips in plan.batches():
                made = [
                    make_videos(plan, prompts, headless, clips=clips, sample=number)
                    for number in range(sample, plan.samples * of, plan.samples)
                ]
                writer.put(clips, sample, chooser.best(made, clips) if chooser else made[0].rgb)


class _Chooser:
    """Knows the truth of a plan's clips."""

    def __init__(self, plan: Plan, model: Model, choice: Choice) -> None:
        known = {row.clip_id: row for row in read_index(choice.split)}
        rows = [known[place.take1.clip_id] for place in plan.places]
        self._plan, self._model, self._choice = plan, model, choice
        self._truth, self._intrinsics = read_truth(choice.split, rows), read_intrinsics(choice.split, rows)
        self._prompts = plan.prompts()

    def best(self, made: list[Generated], clips: slice) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
        """Of every clip the video (clips,T,H,W,3) whose reward is highest among its candidates."""
        latents = torch.stack([one.latents for one in made], 1)
        order = torch.arange(len(latents)).repeat_interleave(len(made))
        condition = condition_on(self._model, self._prompts.images[clips], self._prompts.captions[clips])
        terms = rewards_of(
            self._model,
            latents.flatten(0, 1),
            condition[order],
            truth=self._truth,
            numbers=order + clips.start,
            intrinsics=self._intrinsics,
            generator=torch.Generator().manual_seed(self._plan.seed),
            noise_level=self._plan.noise_level,
        )
        spans = self._model.backbone.frames_of_latent(self._truth.frames)
        cpu = {name: values.cpu() for name, values in terms.items()}
        gains = overall(advantages(cpu, self._choice.reward, group=len(made), spans=spans))
        chosen: Tensor = gains.view(-1, len(made)).argmax(1)
        return np.stack([made[number].rgb[clip] for clip, number in enumerate(chosen.tolist())])
