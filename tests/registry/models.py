"""A trained model as files, without training: what the registry sees of one, and of its evaluation."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.evaluation.results import encode_arrays
from components.evaluation.summary import summarise
from components.evaluation.table import Table, encode_table
from components.manifest import manifest_hash
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from tests.evaluation.tables import table, videos

PARAMS = parse_params(profile_values("laptop"), source="laptop")
NAME = "phys4d-wan22-tiny"
SCENES = 12
CAPTION = "A square moves before a wall."


def make_model(root: Path, *, weights: str = "first", size: str = "tiny") -> None:
    """models/wan22: base, stages 1 to 3, each trained from the one before; `weights` tells models apart."""
    base = parent = None
    for stage in ("base", "stage1", "stage2", "stage3"):
        folder = root / "models/wan22" / stage
        (folder / "transformer").mkdir(parents=True, exist_ok=True)
        files = {"losses.csv": "step,name,value\n"}
        if stage != "base":
            files["heads.safetensors"] = f"{weights} {stage}"
        elif size == "tiny":
            files["transformer/config.json"] = "{}"
        for name, content in files.items():
            (folder / name).write_text(content)
        named = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()}
        made_from = {"base": base, "parent": parent}
        model = {"backbone": "wan22", "size": size, "stage": stage, **made_from, "files": named, "facts": {}}
        (folder / "model.json").write_text(json.dumps(model))
        parent = hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()
        base = base or parent
    record(root, weights)


def record(root: Path, trained: str, evaluated: str | None = None, judge: str = "judge") -> None:
    """dvc.lock as after a run: which stage 3 was trained, and which was evaluated, by which judge."""
    lines = ["schema: '2.0'", "stages:"]
    for stage, kind, md5 in (("stage3", "outs", trained), ("evaluate", "deps", evaluated or trained)):
        lines += [f"  {stage}@wan22:", f"    {kind}:", "    - path: models/wan22/stage3", f"      md5: {md5}"]
    lines += ["    - path: models/depth_nets/judge", f"      md5: {judge}"]
    (root / "dvc.lock").write_text("\n".join(lines) + "\n")


def make_metrics(
    root: Path,
    *,
    chamfer_gain: float = 0.03,
    chamfer: float = 0.5,
    overlap: float = 0.4,
    permanence: float = 0.9,
    scenes: str = "s" * 64,
    split: str = "test",
) -> None:
    """data/evaluation/wan22 of the model there is, with good gains over base and stage 2, but perhaps for Chamfer.

    chamfer, permanence: of the last stage, the former within 0.01 from scene to scene; overlap: what its score is made
    of.
    """
    figures: dict[str, float | str] = {
        "evaluation.split": split,
        "evaluation.model": manifest_hash(root / "models/wan22/stage3"),
        "evaluation.scenes": scenes,
    }
    measured = _summary(chamfer, overlap, permanence)
    figures |= {key: value for key, value in measured.items() if key.startswith("stage3.")}
    for key, value in (
        ("base_to_stage3.score", 18.0),
        ("base_to_stage3.centroid_error", -4.0),
        ("stage2_to_stage3.chamfer", -chamfer_gain),
    ):
        figures |= {key: value, f"{key}.low": value - 0.01, f"{key}.high": value + 0.01}
    folder = root / "data/evaluation/wan22"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(figures))
    (folder / "per_clip.parquet").write_bytes(encode_table(_table(chamfer, overlap, permanence)))
    video = PARAMS.video
    write_samples(root, np.zeros((1, video.frames, video.height, video.width, 3), np.uint8), (CAPTION,))


def _table(chamfer: float, overlap: float, permanence: float) -> Table:
    spread = np.linspace(-0.01, 0.01, SCENES)[:, None]
    last = videos(SCENES, chamfer=chamfer + spread, permanence=permanence, st_iou=overlap, s_iou=overlap + 0.1)
    return table({"base": videos(SCENES), "stage3": last})


@cache
def _summary(chamfer: float, overlap: float, permanence: float) -> Mapping[str, float]:
    return summarise(_table(chamfer, overlap, permanence), seed=0, resamples=100)


def write_samples(root: Path, rgb: NDArray[np.uint8], captions: Sequence[str]) -> None:
    """samples.npz as far as the registry looks at it: true videos (S,T,H,W,3) and what is said of them."""
    arrays = {"truth/rgb": rgb, "captions": np.array(captions)}
    (root / "data/evaluation/wan22/samples.npz").write_bytes(encode_arrays(arrays))
