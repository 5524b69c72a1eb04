"""What the page needs of one backbone, read from the files that the stages left."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import Phys4dError
from components.evaluation.ledger import count_looks
from components.evaluation.verdict import decide
from components.report.figures import Figures, Value
from components.report.lineage import flattened, read_chain
from components.report.page import BackboneReport
from components.report.strips import read_scenes

if TYPE_CHECKING:
    from components.parameters.fields import Section
    from components.params import Evaluation, Promotion

EVALUATION = Path("data/evaluation")
MODELS = Path("models")
METRICS_FILE = "metrics.json"


def evaluated(root: Path, backbones: "Section") -> list[str]:
    """The backbones of the parameters that have figures below `root`; Phys4dError when there is none."""
    known = list(type(backbones).model_fields)
    found = [name for name in known if (root / EVALUATION / name / METRICS_FILE).is_file()]
    if not found:
        raise Phys4dError(
            f"{EVALUATION}: no {METRICS_FILE} of {', '.join(known)}, expected at least one: run phys4d stage "
            f"evaluate@{known[0]}"
        )
    return found


def read_backbone(
    root: Path,
    name: str,
    *,
    promotion: "Promotion",
    evaluation: "Evaluation",
    backbone: "Section",
    fps: int,
    budget: int,
) -> BackboneReport:
    """One backbone's part of the page. budget: bytes of pictures."""
    folder = root / EVALUATION / name
    values = read_metrics(folder / METRICS_FILE)
    scenes, size = read_scenes(folder / "samples.npz", fps=fps, budget=budget)
    sections = {"evaluation": evaluation, "promotion": promotion, f"backbones.{name}": backbone}
    return BackboneReport(
        name=name,
        figures=Figures(values),
        verdict=decide(values, promotion),
        scenes=scenes,
        frame_size=size,
        chain=read_chain(root / MODELS / name),
        times_evaluated=max(1, count_looks(root, str(values.get("evaluation.scenes")))),  # 0: figures from a cache
        params=dict(
            item for key, section in sections.items() for item in flattened(section.model_dump(), prefix=f"{key}.")
        ),
    )


def read_metrics(path: Path) -> Mapping[str, Value]:
    """metrics.json; Phys4dError when it is not a flat mapping."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Phys4dError(f"{path}: not JSON ({error}): run the stage evaluate again") from error
    if not isinstance(values, dict) or not all(isinstance(value, float | int | str) for value in values.values()):
        raise Phys4dError(f"{path}: not a flat mapping of numbers by their names: run the stage evaluate again")
    return values
