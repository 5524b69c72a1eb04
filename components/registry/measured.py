"""How the last stage was measured: its figures and those of each clip, as a version keeps them for its successors.

Two models are compared on the clips that both were measured on, by the machinery of `components.evaluation.summary`.
They are comparable when scenes and instruments are the same; the key of a measurement says whether they are.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.canonical import canonical_json
from components.errors import Phys4dError
from components.evaluation.heads import HEAD_METRICS
from components.evaluation.judge import METRICS as VIDEO_METRICS
from components.evaluation.own import OWN_METRICS, own_row
from components.evaluation.summary import summarise
from components.evaluation.table import Table
from components.manifest import MANIFEST, manifest_hash, read_manifest
from components.recorded import recorded_hashes, recorded_stages
from components.registry.contents import MODELS, VARIANT

EVALUATIONS = Path("data/evaluation")
METRICS_FILE, TABLE_FILE, SAMPLES_FILE = "metrics.json", "per_clip.parquet", "samples.npz"
JUDGE = "models/depth_nets/judge"
BEFORE, AFTER = "champion", "challenger"  # rows of a comparison
FEWEST = 2  # scenes: one has no interval
UNCOUNTED = {"bootstrap_samples", "frechet_network"}  # parameters of the evaluation that change no clip's figures


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A model's figures and its table, as bytes; scenes, instruments: sha256 of what it was measured on and by."""

    metrics: Mapping[str, float | str]
    table: bytes
    scenes: str
    instruments: str

    @property
    def key(self) -> str:
        """The same for measurements that can be compared."""
        return hashlib.sha256(f"{self.scenes} {self.instruments}".encode()).hexdigest()[:16]

    @property
    def sha256(self) -> str:
        """The hash of the table."""
        return hashlib.sha256(self.table).hexdigest()


def read_measurement(root: Path, backbone: str) -> Measurement:
    """What the stage evaluate left; Phys4dError when there is nothing, or it is of another model."""
    metrics = read_metrics(root, backbone)
    scenes = metrics.get("evaluation.scenes")
    if not isinstance(scenes, str):
        raise Phys4dError(
            f"{root / EVALUATIONS / backbone / METRICS_FILE}: evaluation.scenes is {scenes!r}, expected a sha256: run "
            f"phys4d stage evaluate@{backbone}"
        )
    return Measurement(
        metrics=metrics,
        table=_last_stage(root / EVALUATIONS / backbone / TABLE_FILE, backbone),
        scenes=scenes,
        instruments=_instruments(root, f"evaluate@{backbone}"),
    )


def read_metrics(root: Path, backbone: str) -> dict[str, float | str]:
    """The figures of the pipeline's model; Phys4dError when they are of another model than the one that is there."""
    path = root / EVALUATIONS / backbone / METRICS_FILE
    try:
        metrics = json.loads(path.read_text())
    except FileNotFoundError:
        raise Phys4dError(f"{path}: not there: run phys4d stage evaluate@{backbone}, or dvc pull") from None
    model = f"{MODELS}/{backbone}/{VARIANT}"
    measured = recorded_hashes(root, f"evaluate@{backbone}", "deps").get(model)
    if measured is None or measured != recorded_hashes(root, f"{VARIANT}@{backbone}", "outs").get(model):
        raise Phys4dError(f"{path} measured another model than {model}: run phys4d stage evaluate@{backbone}")
    read_manifest(root / model)
    named, there = metrics.get("evaluation.model"), manifest_hash(root / model)
    if named != there:  # a stage that ran without DVC left dvc.lock as it was
        raise Phys4dError(
            f"{path}: evaluation.model is {named!r}, expected {there!r}, the sha256 of {model}/{MANIFEST}: it measured "
            f"another model: run phys4d stage evaluate@{backbone}"
        )
    return {str(key): value for key, value in metrics.items()}


def compare(champion: bytes, challenger: bytes, *, seed: int, resamples: int) -> dict[str, float]:
    """Paired differences by metric, challenger minus champion, each with .n, .low and .high, from two tables.

    Phys4dError when they have fewer than two scenes in common.
    """
    tables = {BEFORE: _read(champion), AFTER: _read(challenger)}
    ids = [clip for clip in tables[AFTER].configurations if clip in tables[BEFORE].configurations]
    configurations = [tables[AFTER].configurations[clip] for clip in ids]
    if len(set(configurations)) < FEWEST:
        raise Phys4dError(f"both were measured on {len(set(configurations))} scenes, needed {FEWEST} or more")
    paired = Table(
        clip_ids=ids,
        configurations=configurations,
        videos={row: table.stacked(table.videos, ids) for row, table in tables.items()},
        heads={row: table.means(table.heads, ids) for row, table in tables.items() if table.heads},
        own={own_row(row): table.means(table.own, ids) for row, table in tables.items() if table.own},
    )
    pairs = [(BEFORE, AFTER), (own_row(BEFORE), own_row(AFTER))]
    figures = summarise(paired, seed=seed, resamples=resamples, gains=pairs)
    start = f"{BEFORE}_to_{AFTER}."
    return {key.removeprefix(start): value for key, value in figures.items() if key.startswith(start)}


Values = Mapping[str, Sequence[NDArray[np.float64]]]  # by clip id, one array of metrics a line


@dataclass(frozen=True, kw_only=True)
class _Lines:
    """A table of one model: configurations by clip id, and what was measured on each clip."""

    configurations: Mapping[str, str]
    videos: Values
    heads: Values
    own: Values

    def stacked(self, values: Values, ids: Sequence[str]) -> NDArray[np.float64]:
        """Values (C,N,metrics) of clips."""
        return np.stack([np.stack(values[clip]) for clip in ids])

    def means(self, values: Values, ids: Sequence[str]) -> NDArray[np.float64]:
        """Values (C,metrics) of clips, each of which has one line."""
        return np.stack([values[clip][0] for clip in ids])


def _read(table: bytes) -> _Lines:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        lines = pq.read_table(pa.BufferReader(table)).to_pylist()
    except pa.ArrowInvalid as error:
        raise Phys4dError(f"{TABLE_FILE}: not readable ({' '.join(str(error).split())}): evaluate again") from error
    kinds: tuple[dict[str, list[NDArray[np.float64]]], ...] = ({}, {}, {})
    videos, heads, own = kinds
    for line in lines:
        if line["row"] == own_row(VARIANT):
            own.setdefault(line["clip_id"], []).append(_values(line, OWN_METRICS))
        elif line["sample"] is None:
            heads.setdefault(line["clip_id"], []).append(_values(line, HEAD_METRICS))
        else:
            videos.setdefault(line["clip_id"], []).append(_values(line, VIDEO_METRICS))
    configurations = {line["clip_id"]: line["configuration"] for line in lines if line["clip_id"] in videos}
    return _Lines(configurations=configurations, videos=videos, heads=heads, own=own)


def _values(line: Mapping[str, Any], metrics: Sequence[str]) -> NDArray[np.float64]:
    """A metric that the table has not, or not on that clip, is NaN."""
    return np.array([np.nan if line.get(metric) is None else line[metric] for metric in metrics])


def _last_stage(path: Path, backbone: str) -> bytes:
    """The lines of the last stage alone; the same table gives the same bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        kept = table.filter(pc.is_in(table["row"], pa.array([VARIANT, own_row(VARIANT)])))
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        reason = " ".join(str(error).split())
        raise Phys4dError(f"{path}: not readable ({reason}): run phys4d stage evaluate@{backbone}") from error
    buffer = pa.BufferOutputStream()
    pq.write_table(kept, buffer, compression="zstd")
    return bytes(buffer.getvalue())


def _instruments(root: Path, stage: str) -> str:
    """sha256 of what reads the videos and how they are sampled, as dvc.lock has recorded it."""
    recorded: dict[str, Any] = {"judge": recorded_hashes(root, stage, "deps").get(JUDGE)}
    for values in ((recorded_stages(root).get(stage) or {}).get("params") or {}).values():
        evaluation = values.get("evaluation") or {}
        recorded |= {name: value for name, value in values.items() if name in ("seed", "heads.noise_level")}
        recorded |= {name: value for name, value in evaluation.items() if name not in UNCOUNTED}
    return hashlib.sha256(canonical_json(recorded).encode()).hexdigest()
