"""What a finished run leaves for the report, made up: figures, samples and models of one backbone."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.judge import METRICS
from components.evaluation.table import Table, encode_table
from components.index import IndexRow, encode_rows
from components.params import Promotion

# metric: value of truth, take2, round_trip, first_frame, base, stage1, stage2, stage3; half an interval
VIDEO: dict[str, tuple[tuple[float, ...], float]] = {
    "score": ((100.0, 98.2, 85.1, 4.5, 32.3, 32.3, 50.2, 50.4), 3.0),
    "centroid_error": ((0.0, 1.52, 0.87, 11.02, 9.41, 9.41, 5.23, 5.11), 0.7),
    "centroid_final_error": ((0.0, 2.4, 0.9, 19.3, 16.8, 16.8, 9.2, 9.0), 1.2),
    "chamfer": ((0.0, 0.094, 0.108, 0.279, 0.503, 0.503, 0.306, 0.275), 0.03),
    "chamfer_ratio": ((0.0, 0.031, 0.036, 0.093, 0.168, 0.168, 0.102, 0.092), 0.01),
    "permanence": ((1.0, 0.996, 1.0, 1.0, 0.71, 0.71, 0.88, 0.912), 0.02),
    "depth_warp": ((0.0, 0.031, 0.052, 0.24, 0.161, 0.161, 0.118, 0.121), 0.012),
    "st_iou": ((1.0, 0.91, 0.72, 0.11, 0.33, 0.33, 0.46, 0.46), 0.03),
    "mse": ((0.0, 0.0008, 0.0012, 0.012, 0.011, 0.011, 0.006, 0.0061), 0.0004),
    "flow_epe": ((0.0, 0.21, 0.33, 1.1, 0.92, 0.92, 0.61, 0.6), 0.05),
}
ROWS = ("truth", "take2", "round_trip", "first_frame", "base", "stage1", "stage2", "stage3")
HEADS: dict[str, dict[str, float]] = {
    "stage1": {"depth_absrel": 0.081, "foreground_absrel": 0.304, "flow_epe": 0.31, "moving_flow_epe": 1.64},
    "stage2": {"depth_absrel": 0.034, "foreground_absrel": 0.101, "flow_epe": 0.22, "moving_flow_epe": 1.31},
    "stage3": {"depth_absrel": 0.034, "foreground_absrel": 0.101, "flow_epe": 0.22, "moving_flow_epe": 1.31},
    "first_frame_depth": {"depth_absrel": 0.051, "foreground_absrel": 0.42},
    "dataset_mean_depth": {"depth_absrel": 0.143, "foreground_absrel": 0.61},
    "zero_flow": {"flow_epe": 0.4, "moving_flow_epe": 2.54},
    "dis_flow": {"flow_epe": 0.27, "moving_flow_epe": 1.52},
}
PAIRS = (("base", "stage1"), ("base", "stage2"), ("stage1", "stage2"), ("stage2", "stage3"), ("base", "stage3"))
TIGHTER = 0.6  # a paired interval against that of a mean
SCENES = "c" * 64
PROMOTION = Promotion(
    min_score_gain=0.0,
    min_centroid_gain=0.0,
    min_chamfer_gain=0.0,
    floors={},
    over_champion=[],
    no_regression={},
    sample_steps=4,
    min_motion=0.0,
)


def make_metrics(changes: Mapping[str, float | str] | None = None) -> dict[str, float | str]:
    """A metrics.json in which stage 2 gains much, stage 3 some, and depth-warp is lost a little in stage 3."""
    metrics: dict[str, float | str] = {
        "evaluation.split": "test",
        "evaluation.scenes": SCENES,
        "evaluation.clips": 64,
        "evaluation.noises": 4,
    }
    for metric, (values, half) in VIDEO.items():
        for row, value in zip(ROWS, values, strict=True):
            spread = 0.0 if row == "truth" else half
            low, high = max(0.0, value - spread), min(100.0, value + 1.1 * spread)
            metrics |= _figure(
                f"{row}.{metric}", value, low, high, n=64 if row != "base" or metric != "chamfer" else 61
            )
        of = dict(zip(ROWS, values, strict=True))
        for one, other in PAIRS:
            gain = of[other] - of[one]
            spread = (
                0.0 if (one, other) == ("base", "stage1") else TIGHTER * half * (0.02 if metric == "depth_warp" else 1)
            )
            p = 1.0 if gain == 0 else math.exp(-3 * abs(gain) / (spread or 1))
            metrics |= _figure(f"{one}_to_{other}.{metric}", gain, gain - spread, gain + spread, n=64)
            metrics[f"{one}_to_{other}.{metric}.p"] = p
    for row, readings in HEADS.items():
        for name, value in readings.items():
            metrics |= _figure(f"{row}.head_{name}", value, 0.94 * value, 1.07 * value, n=64)
    for name, value in HEADS["stage2"].items():
        gain = value - HEADS["stage1"][name]
        metrics |= _figure(f"stage1_to_stage2.head_{name}", gain, 1.1 * gain, 0.9 * gain, n=64)
        metrics[f"stage1_to_stage2.head_{name}.p"] = 1.2e-9
    return {**metrics, **(changes or {})}


def _figure(key: str, value: float, low: float, high: float, *, n: int) -> dict[str, float]:
    return {key: value, f"{key}.low": low, f"{key}.high": high, f"{key}.n": n}


def make_samples(*, scenes: int = 2, frames: int = 5, height: int = 32, width: int = 32) -> dict[str, NDArray[Any]]:
    """Discs that fall: in truth as they should, in the base slower and astray, in the stages in between."""
    arrays: dict[str, NDArray[Any]] = {
        "captions": np.array([f"A {colour} ball hangs at rest above a grey floor." for colour in COLOURS][:scenes]),
        "clip_ids": np.array([f"test-rigid-{scene:06d}-v0-t0" for scene in range(scenes)]),
    }
    for row, (pull, drift) in {"truth": (1, 0), "base": (0.2, 0.3), "stage2": (0.8, 0.1), "stage3": (0.9, 0)}.items():
        drawn = [_falling(scene, frames, height, width, pull=pull, drift=drift) for scene in range(scenes)]
        for name, parts in zip(("rgb", "depth", "flow"), zip(*drawn, strict=True), strict=True):
            arrays[f"{row}/{name}"] = np.stack(parts)
    return arrays


COLOURS = {"red": (206, 64, 50), "blue": (52, 100, 200), "green": (80, 160, 70), "yellow": (220, 180, 50)}


def _falling(
    scene: int, frames: int, height: int, width: int, *, pull: float, drift: float
) -> tuple[NDArray[np.uint8], NDArray[np.float16], NDArray[np.float16]]:
    v, u = np.mgrid[:height, :width]
    seconds = np.linspace(0, 1, frames)
    floor = 0.75 * height
    x = width * (0.35 + 0.1 * (scene % 4) + drift * seconds)
    y = np.minimum(height * (0.2 + 0.9 * pull * seconds**2), floor - height / 10)
    inside = (u - x[:, None, None]) ** 2 + (v - y[:, None, None]) ** 2 < (height / 9) ** 2
    ground = np.where(v > floor, 118 + 10 * ((u // 8 + v // 4) % 2), 208).astype(np.uint8)
    rgb = np.repeat(np.repeat(ground[None, ..., None], frames, 0), 3, -1)
    rgb[inside] = list(COLOURS.values())[scene % 4]
    depth = np.where(inside, 5.0, np.where(v > floor, 20.0 / (1 + np.abs(v - 0.5 * height)), 100.0))
    flow = np.zeros((frames - 1, height, width, 2))
    flow[inside[:-1], 0] = np.repeat(np.diff(x), inside[:-1].sum(axis=(1, 2)))
    flow[inside[:-1], 1] = np.repeat(np.diff(y), inside[:-1].sum(axis=(1, 2)))
    return rgb, depth.astype(np.float16), flow.astype(np.float16)


FAMILIES = ("drop", "ramp")
CLIPS = 8


def make_table(folder: Path) -> Table:
    """per_clip.parquet of CLIPS clips in half as many configurations, and the index of their split, two families."""
    rng = np.random.default_rng(5)
    ids = [f"test-rigid-{number // 2:06d}-v{number % 2}-t0" for number in range(CLIPS)]
    videos = {}
    for row, quality in {
        "truth": 1.0,
        "first_frame": 0.2,
        "base": 0.3,
        "stage1": 0.3,
        "stage2": 0.6,
        "stage3": 0.7,
    }.items():
        values = quality + 0.1 * rng.uniform(size=(CLIPS, 2, len(METRICS)))
        values[..., METRICS.index("centroid_error")] = 10 * (1 - values[..., METRICS.index("centroid_error")])
        values[..., -8:] = 0.9  # of the second take
        videos[row] = values
    videos["stage3"][5, :, METRICS.index("s_iou")] = videos["stage3"][5, :, METRICS.index("st_iou")] = 0.0
    videos["stage3"][5, :, METRICS.index("permanence")] = 0.01
    configurations = [str(number // 2) for number in range(CLIPS)]
    table = Table(clip_ids=ids, configurations=configurations, videos=videos, heads={})
    (folder / "data/evaluation/wan22/per_clip.parquet").write_bytes(encode_table(table))
    split = folder / "data/simulation/test"
    split.mkdir(parents=True)
    (split / "index.parquet").write_bytes(
        encode_rows(
            [_index_row(clip, FAMILIES[int(place) % 2]) for clip, place in zip(ids, configurations, strict=True)]
        )
    )
    return table


def _index_row(clip_id: str, family: str) -> IndexRow:
    usual: dict[Any, Any] = {str: "x", int: 1, float: 0.5, bool: True}
    values: dict[str, Any] = {field.name: usual[field.type] for field in fields(IndexRow)}
    values |= {"shard": "shard-000000.tar", "sha256": "0" * 64, "clip_id": clip_id}
    return IndexRow(**{**values, "category": "rigid", "family": family})


def make_run(
    root: Path, *, metrics: Mapping[str, float | str], samples: Mapping[str, NDArray[Any]], size: str = "tiny"
) -> None:
    """data/evaluation/wan22 and models/wan22 below `root`."""
    folder = root / "data/evaluation/wan22"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    np.savez(folder / "samples.npz", allow_pickle=False, **samples)
    make_table(root)
    parent = None
    for key, curves in CURVES.items():
        model = root / "models/wan22" / key
        model.mkdir(parents=True)
        (model / "losses.csv").write_text(_losses(curves))
        document = {
            "backbone": "wan22",
            "size": size,
            "stage": key,
            "base": None,  # nothing here loads the model
            "parent": parent,
            "files": {"losses.csv": hashlib.sha256((model / "losses.csv").read_bytes()).hexdigest()},
            "facts": {"parameters": 3_300_000, "training": {"steps": 200, "betas": [0.9, 0.99]}},
        }
        (model / "model.json").write_text(json.dumps(document))
        parent = hashlib.sha256((model / "model.json").read_bytes()).hexdigest()


CURVES: dict[str, tuple[tuple[str, float, float], ...]] = {  # name, first, last
    "base": (("diffusion", 1.1, 0.19),),
    "stage1": (("depth", 0.9, 0.21), ("motion", 1.4, 0.5)),
    "stage2": (
        ("diffusion", 0.24, 0.11),
        ("depth", 0.4, 0.08),
        ("motion", 0.7, 0.35),
        ("foreground", 0.5, 0.06),
        ("warp", 0.2, 0.05),
    ),
    "stage3": (("reward", -0.31, -0.22), ("chamfer", 0.31, 0.22), ("overlap", 0.6, 0.72), ("loss", 0.01, 0.003)),
}


def _losses(curves: tuple[tuple[str, float, float], ...], steps: int = 300) -> str:
    rng = np.random.default_rng(len(curves))
    lines = ["step,name,value"]
    for name, first, last in curves:
        course = last + (first - last) * np.exp(-np.arange(steps) / 60)
        values = course * (1 + 0.12 * rng.normal(size=steps))
        lines += [f"{step},{name},{value:.6g}" for step, value in enumerate(values)]
    return "\n".join(lines) + "\n"
