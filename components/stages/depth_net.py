"""Stage depth_net@SPLIT: a small depth network, `labeler` the teacher of stage 1, `judge` that of the evaluation."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.backbones import laptop_latents
from components.compute import use_cores
from components.depth_network import DepthKind, save
from components.files import move_folder, new_folder, write_atomically
from components.training.depth import DepthLearner, error_figures, read_samples
from components.training.trainer import Surroundings, losses_csv, train

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "steps"
KINDS: Mapping[str, DepthKind] = {"labeler": "affine_disparity", "judge": "metric"}


def run(params: "Params", context: "StageContext", *, split: str) -> Mapping[str, float]:
    """Write models/depth_nets/SPLIT; the figures are errors on clips that were not trained on."""
    use_cores(params.resources)
    codec = laptop_latents.load(Path("models/latents") / laptop_latents.FILE)
    trained_on, held_out = read_samples(Path("data/simulation") / split, codec).split()
    seed = params.seed + sorted(KINDS).index(split)  # the judge shares neither clips nor draws with the teacher
    learner = DepthLearner(trained_on, params.depth_net, depth_kind=KINDS[split], seed=seed)
    with context.progress(learner.steps) as display:
        history = train(
            learner, Surroundings(folder=context.work, display=display, stopped=context.stopped, log=context.log)
        )
    network, folder = learner.network(), new_folder(context.work / "network")
    save(network, folder)
    write_atomically(folder / "losses.csv", losses_csv(history))
    move_folder(folder, Path("models/depth_nets") / split)
    return error_figures(network, held_out)
