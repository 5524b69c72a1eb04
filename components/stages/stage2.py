"""Stage stage2@BACKBONE: fine-tuning on simulation with the warp-consistency loss."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.compute import use_cores
from components.files import move_folder
from components.model import load_model, write_variant
from components.training.encoded import TRAIN_FILE, load_encoded
from components.training.simulated import read_truth
from components.training.stage2 import SimulationTuning
from components.training.trainer import Surroundings, losses_csv, train

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "steps"


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write models/BACKBONE/stage2."""
    use_cores(params.resources)
    models = Path("models") / backbone
    model = load_model(models / "base", models / "stage1")
    data = load_encoded(Path("data/encoded") / backbone / TRAIN_FILE)
    truth = read_truth(Path("data/simulation/train"))
    learner = SimulationTuning(model, data, truth, params.stage2, seed=params.seed)
    with context.progress(learner.steps) as display:
        history = train(
            learner, Surroundings(folder=context.work, display=display, stopped=context.stopped, log=context.log)
        )
    folder = context.work / "model"
    write_variant(
        folder,
        model.backbone,
        learner.heads,
        losses=losses_csv(history),
        stage="stage2",
        parent=models / "stage1",
        facts={"seed": params.seed, "stage2": params.stage2.model_dump()},
        changed=learner.trained,
        adapters=learner.adapters,
    )
    move_folder(folder, models / "stage2")
    return dict(history[-1])
