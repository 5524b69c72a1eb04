"""Stage stage3@BACKBONE: reinforcement learning with the 4D Chamfer reward, under a watch by the judge."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components import depth_network
from components.compute import use_cores
from components.model import load_model
from components.training.encoded import TRAIN_FILE, load_encoded
from components.training.engine import engine_of
from components.training.gang import together
from components.training.instrument import DevScenes, Sampling, dev_scenes
from components.training.policy import Practice
from components.training.simulated import read_intrinsics, read_truth
from components.training.stage3 import Reinforcement
from components.training.still_cameras import with_still_cameras
from components.training.variant import train_variant
from components.training.watched import Watched

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "iterations"
DEV, JUDGE = Path("data/simulation/dev"), Path("models/depth_nets/judge")


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write models/BACKBONE/stage3."""
    use_cores(params.resources, beside=params.resources.trainings)
    with together(params.resources.ranks, context.work):
        return _train(params, context, backbone)


def _train(params: "Params", context: "StageContext", backbone: str) -> Mapping[str, float]:
    models, clips = Path("models") / backbone, Path("data/simulation/train")
    section, noise_level = params.stage3, params.heads.noise_level
    model = load_model(models / "base", models / "stage2")
    practice = Practice(
        data=load_encoded(Path("data/encoded") / backbone / TRAIN_FILE),
        truth=read_truth(clips),
        intrinsics=read_intrinsics(clips),
    )
    practice = with_still_cameras(practice, clips)
    engine = engine_of(params.resources)
    learner = Reinforcement(model, practice, section, noise_level=noise_level, seed=params.seed, engine=engine)
    parent, folder = models / "stage2", models / "stage3"
    facts = {"seed": params.seed, "stage3": section.model_dump()}
    if not section.watch.every:
        facts["stopped_by"] = "end"
        return train_variant(learner, model, context, parent=parent, folder=folder, facts=facts)
    sampling = Sampling(steps=params.evaluation.sampler_steps, noise_level=noise_level, seed=params.seed)
    scenes, judge = dev_scenes(DEV, section.watch.scenes), depth_network.load(JUDGE)
    instrument = DevScenes(model, judge, DEV, scenes, sampling=sampling, reward=section.reward)
    watched = Watched(learner, instrument, section.watch, seed=params.seed)
    figures = train_variant(watched, model, context, parent=parent, folder=folder, facts=facts, found=watched.outcome)
    sys.stderr.write(f"{folder}: {watched.outcome().verdict()}\n")
    return {**figures, **watched.outcome().figures()}
