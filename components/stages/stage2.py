"""Stage stage2@BACKBONE: fine-tuning on simulation with the warp-consistency loss."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.compute import use_cores
from components.model import load_model
from components.training.encoded import TRAIN_FILE, load_encoded
from components.training.engine import engine_of
from components.training.gang import together
from components.training.simulated import read_truth
from components.training.stage2 import SimulationTuning
from components.training.variant import train_variant

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "steps"


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write models/BACKBONE/stage2."""
    use_cores(params.resources, beside=params.resources.trainings)
    with together(params.resources.ranks, context.work):
        return _train(params, context, backbone)


def _train(params: "Params", context: "StageContext", backbone: str) -> Mapping[str, float]:
    models = Path("models") / backbone
    model = load_model(models / "base", models / "stage1")
    data = load_encoded(Path("data/encoded") / backbone / TRAIN_FILE)
    truth = read_truth(Path("data/simulation/train"))
    learner = SimulationTuning(model, data, truth, params.stage2, seed=params.seed, engine=engine_of(params.resources))
    return train_variant(
        learner,
        model,
        context,
        parent=models / "stage1",
        folder=models / "stage2",
        facts={"seed": params.seed, "stage2": params.stage2.model_dump()},
    )
