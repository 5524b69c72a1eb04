"""Stage stage3@BACKBONE: reinforcement learning with the 4D Chamfer reward."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.compute import use_cores
from components.model import load_model
from components.training.encoded import TRAIN_FILE, load_encoded
from components.training.engine import engine_of
from components.training.gang import together
from components.training.policy import Practice
from components.training.simulated import read_rays, read_truth
from components.training.stage3 import Reinforcement
from components.training.still_cameras import with_still_cameras
from components.training.variant import train_variant

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "iterations"


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write models/BACKBONE/stage3."""
    use_cores(params.resources)
    with together(params.resources.ranks, context.work):
        return _train(params, context, backbone)


def _train(params: "Params", context: "StageContext", backbone: str) -> Mapping[str, float]:
    models, clips = Path("models") / backbone, Path("data/simulation/train")
    model = load_model(models / "base", models / "stage2")
    practice = Practice(
        data=load_encoded(Path("data/encoded") / backbone / TRAIN_FILE),
        truth=read_truth(clips),
        rays=read_rays(clips),
    )
    practice = with_still_cameras(practice, clips)
    learner = Reinforcement(
        model,
        practice,
        params.stage3,
        noise_level=params.heads.noise_level,
        seed=params.seed,
        engine=engine_of(params.resources),
    )
    return train_variant(
        learner,
        model,
        context,
        parent=models / "stage2",
        folder=models / "stage3",
        facts={"seed": params.seed, "stage3": params.stage3.model_dump()},
    )
