"""A trained model as files, without training: what the registry sees of one."""

import hashlib
import json
from pathlib import Path

from components.manifest import manifest_hash
from components.params import Promotion

PROMOTION = Promotion(min_score_gain=0.0, min_centroid_gain=0.0, min_chamfer_gain=0.0)
NAME = "phys4d-wan22-tiny"


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


def record(root: Path, trained: str, evaluated: str | None = None) -> None:
    """dvc.lock as after a run: which stage 3 was trained, and which was evaluated."""
    lines = ["schema: '2.0'", "stages:"]
    for stage, kind, md5 in (("stage3", "outs", trained), ("evaluate", "deps", evaluated or trained)):
        lines += [f"  {stage}@wan22:", f"    {kind}:", "    - path: models/wan22/stage3", f"      md5: {md5}"]
    (root / "dvc.lock").write_text("\n".join(lines) + "\n")


def make_metrics(root: Path, *, chamfer_gain: float = 0.03) -> None:
    """data/evaluation/wan22/metrics.json of the model there is: good gains, but for the Chamfer distance perhaps."""
    model = manifest_hash(root / "models/wan22/stage3")
    metrics: dict[str, float | str] = {"evaluation.split": "test", "evaluation.model": model, "stage3.score": 50.0}
    for key, value in (
        ("base_to_stage3.score", 18.0),
        ("base_to_stage3.centroid_error", -4.0),
        ("stage2_to_stage3.chamfer", -chamfer_gain),
    ):
        metrics |= {key: value, f"{key}.low": value - 0.01, f"{key}.high": value + 0.01}
    folder = root / "data/evaluation/wan22"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
