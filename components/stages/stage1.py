"""Stage stage1@BACKBONE: heads on pseudo-labels, backbone frozen."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.compute import use_cores
from components.model import load_model
from components.training.encoded import PSEUDO_FILE, load_encoded
from components.training.engine import engine_of
from components.training.gang import together
from components.training.labels import read_labels
from components.training.new_heads import new_heads
from components.training.stage1 import HeadsOnPseudoLabels
from components.training.variant import train_variant

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "steps"


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write models/BACKBONE/stage1."""
    use_cores(params.resources, beside=params.resources.trainings)
    with together(params.resources.ranks, context.work):
        return _train(params, context, backbone)


def _train(params: "Params", context: "StageContext", backbone: str) -> Mapping[str, float]:
    models = Path("models") / backbone
    model = load_model(models / "base")
    data = load_encoded(Path("data/encoded") / backbone / PSEUDO_FILE)
    labels = read_labels(Path("data/pseudo_labels"))
    heads = new_heads(model, params.heads, seed=params.seed)
    learner = HeadsOnPseudoLabels(
        model.backbone, heads, data, labels, params.stage1, seed=params.seed, engine=engine_of(params.resources)
    )
    return train_variant(
        learner,
        model,
        context,
        parent=models / "base",
        folder=models / "stage1",
        facts={"seed": params.seed, "heads": params.heads.model_dump(), "stage1": params.stage1.model_dump()},
    )
