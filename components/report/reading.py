"""What the page needs of one backbone, read from the files that the stages left."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import Phys4dError
from components.evaluation.ledger import count_looks
from components.evaluation.verdict import decide
from components.index import INDEX_FILE, read_rows
from components.report import external
from components.report.catalogue import MODELS
from components.report.categories import charts
from components.report.clips import read_clips
from components.report.cloud import cloud_of, view_of
from components.report.figures import Figures, Value
from components.report.lineage import flattened, read_chain
from components.report.page import BackboneReport, last_model
from components.report.provenance import read_provenance
from components.report.samples import read_samples
from components.report.strips import draw_scenes
from components.report.worst import worst_clips

if TYPE_CHECKING:
    from components.parameters.fields import Section
    from components.parameters.simulation import CameraParams
    from components.params import Evaluation, Promotion

EVALUATION = Path("data/evaluation")
MODEL_FOLDERS = Path("models")
SIMULATION = Path("data/simulation")
METRICS_FILE = "metrics.json"


def evaluated(root: Path, known: Sequence[str]) -> list[str]:
    """Those of the `known` backbones that have figures below `root`; Phys4dError when there is none."""
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
    camera: "CameraParams",
    fps: int,
    budget: int,
) -> BackboneReport:
    """One backbone's part of the page. budget: bytes of pictures."""
    folder = root / EVALUATION / name
    values = read_metrics(folder / METRICS_FILE)
    others = {path.parent.name: read_metrics(path) for path in external.folders(root / EVALUATION)}
    rows, left_out = external.comparable(others, values)
    figures = Figures(values, rows)
    samples = read_samples(folder / "samples.npz")
    clips = read_clips(folder / "per_clip.parquet", _families(root / SIMULATION / evaluation.split))
    view = view_of(field_of_view=sum(camera.field_of_view) / 2, distance=sum(camera.distance) / 2)  # samples have none
    sections = {"evaluation": evaluation, "promotion": promotion, f"backbones.{name}": backbone}
    return BackboneReport(
        name=name,
        figures=figures,
        verdict=decide(values, promotion),
        scenes=draw_scenes(samples, fps=fps, budget=budget),
        cloud=cloud_of(samples, view, fps=fps),
        frame_size=samples.size,
        charts=charts(clips, resamples=evaluation.bootstrap_samples),
        worst=worst_clips(clips, first=MODELS[0], last=last_model(figures)),
        left_out=left_out,
        chain=read_chain(root / MODEL_FOLDERS / name),
        provenance=read_provenance(root, results=str(EVALUATION / name)),
        times_evaluated=max(1, count_looks(root, str(values.get("evaluation.scenes")))),  # 0: figures from a cache
        params=dict(
            item for key, section in sections.items() for item in flattened(section.model_dump(), prefix=f"{key}.")
        ),
    )


def _families(split: Path) -> dict[str, str]:
    """The family of every clip of a split, by its index."""
    return {row.clip_id: row.family for row in read_rows(split / INDEX_FILE)}


def read_metrics(path: Path) -> Mapping[str, Value]:
    """metrics.json; Phys4dError when it is not a flat mapping."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Phys4dError(f"{path}: not JSON ({error}): run the stage evaluate again") from error
    if not isinstance(values, dict) or not all(isinstance(value, float | int | str) for value in values.values()):
        raise Phys4dError(f"{path}: not a flat mapping of numbers by their names: run the stage evaluate again")
    return values
