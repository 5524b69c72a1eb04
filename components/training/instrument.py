"""What the watch over stage 3 looks through: the policy's videos of dev scenes, measured twice.

By the judge of the evaluation, which no training reads: its depth network, objects by their colour, 4D Chamfer. And by
the reader that gives the reward. Both see the same videos, sampled as the evaluation samples them, from the noise that
it gives the first sample of every clip: each figure of the judge is the one that `phys4d evaluate` would find.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from components.backbones.base import Frames
from components.clip import Clip
from components.errors import Phys4dError
from components.evaluation.chamfer import chamfer_4d, moving_points, points_of
from components.evaluation.colours import find_objects, palette_of
from components.evaluation.noise import noise_seed
from components.generate import Generated, condition_on, generate_on
from components.index import IndexRow, read_index
from components.model import Model
from components.shards import read_clip, read_part
from components.training.diffusion import CHUNK
from components.training.policy import rewards_of
from components.training.simulated import read_intrinsics, read_truth

if TYPE_CHECKING:
    from components.evaluation.judge import DepthReader
    from components.params import Stage3Reward


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How videos are sampled and read: steps of the sampler, noise level of the heads' reading, seed of the noise."""

    steps: int
    noise_level: float
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """What was read off one video of each scene.

    chamfer (scenes,): the judge's 4D Chamfer in metres, NaN where nothing moves; reward: the reader's, weighted as in
    training, mean over scenes and frames.
    """

    chamfer: NDArray[np.float64]
    reward: float


class DevScenes:
    """Videos of scenes of the split in `folder`, the same scenes and the same noise every time."""

    def __init__(
        self,
        model: Model,
        judge: "DepthReader",
        folder: Path,
        rows: Sequence[IndexRow],
        *,
        sampling: Sampling,
        reward: "Stage3Reward",
    ) -> None:
        self._model, self._judge, self._sampling, self._reward = model, judge, sampling, reward
        self._folder, self._rows = folder, rows
        images = np.stack([read_part(folder, row.extent, ("rgb",)).arrays["rgb"][0] for row in rows])
        self._truth, self._intrinsics = read_truth(folder, rows), read_intrinsics(folder, rows)
        self._condition = condition_on(model, images, [row.caption_initial for row in rows])

    def measure(self) -> Reading:
        """Sample the model as it is now, and read the videos."""
        chamfer, rewards = [], []
        for start in range(0, len(self._rows), CHUNK):
            batch = slice(start, start + CHUNK)
            made = self._generate(batch)
            rewards.append(self._rewards(made, batch))
            clips = (read_clip(self._folder, row.extent) for row in self._rows[batch])  # one in memory
            chamfer += [judged_chamfer(video, clip, self._judge) for video, clip in zip(made.rgb, clips, strict=True)]
        return Reading(chamfer=np.array(chamfer), reward=float(np.concatenate(rewards).mean()))

    def _generate(self, batch: slice) -> Generated:
        rows = self._rows[batch]
        return generate_on(
            replace(self._model, heads=None),
            self._condition[batch],
            frames=rows[0].frames,
            seeds=[noise_seed(self._sampling.seed, row.clip_id, 0) for row in rows],
            steps=self._sampling.steps,
            noise_level=self._sampling.noise_level,
        )

    def _rewards(self, made: Generated, batch: slice) -> NDArray[np.float64]:
        """Weighted rewards (scenes,): what the policy is trained for, of videos that it is not trained on."""
        terms = rewards_of(
            self._model,
            made.latents,
            self._condition[batch],
            truth=self._truth,
            numbers=torch.arange(len(self._rows))[batch],
            intrinsics=self._intrinsics,
            generator=torch.Generator().manual_seed(self._sampling.seed),
            noise_level=self._sampling.noise_level,
        )
        weighted = [getattr(self._reward, name) * values.cpu().double().mean(1) for name, values in terms.items()]
        return np.asarray(torch.stack(weighted).sum(0).numpy(), np.float64)


def judged_chamfer(video: Frames, clip: Clip, judge: "DepthReader") -> float:
    """4D Chamfer in metres of a generated video (T,H,W,3) against its clip, as the evaluation's judge measures it."""
    moving = find_objects(video, palette_of(clip)).foreground
    return chamfer_4d(points_of(judge.predict(video), moving, clip), moving_points(clip))


def dev_scenes(folder: Path, count: int) -> list[IndexRow]:
    """`count` clips of a split, evenly spaced: one view and one take of as many configurations, which are independent.

    Phys4dError when there are fewer.
    """
    rows = [row for row in read_index(folder) if row.view == 0 and row.take == 0]
    if len(rows) < count:
        raise Phys4dError(
            f"{folder}: has {len(rows)} configurations, expected at least the {count} of stage3.watch.scenes: lower "
            "it, or simulate the split again"
        )
    return [rows[place] for place in np.linspace(0, len(rows) - 1, count).round().astype(int)]
