"""Stage latents: the closed-form codec of the tiny twins, fitted on the appearance split."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.backbones import laptop_latents
from components.compute import use_cores
from components.files import move_folder, new_folder
from components.training.simulated import videos_of

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "clips"


def run(params: "Params", context: "StageContext") -> Mapping[str, float]:
    """Write models/latents."""
    use_cores(params.resources)
    with context.progress(params.latents.clips) as display:
        clips = []
        for video in islice(videos_of(Path("data/simulation/appearance")), params.latents.clips):
            clips.append(video)
            display.advance()
    frames = np.stack(clips)
    codec = laptop_latents.fit(frames, channels=params.latents.channels)
    folder = new_folder(context.work / "latents")
    laptop_latents.save(codec, folder / laptop_latents.FILE)
    move_folder(folder, Path("models/latents"))
    return {"psnr": laptop_latents.psnr(codec, frames)}
