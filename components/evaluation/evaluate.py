"""The evaluation of one backbone: base and stages beside reality, the codec and a still, measured alike.

Work is kept row by row and clip by clip in a folder of its own, so that an interrupted evaluation goes on from there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.evaluation.consistency.frechet import PixelFeatures, VideoFeatures
from components.evaluation.generative import features_of_rows
from components.evaluation.heads import head_metrics, rivals
from components.evaluation.judge import DepthReader
from components.evaluation.measure import measure_rows
from components.evaluation.own import own_row
from components.evaluation.rows import read_field
from components.evaluation.sampling import (
    OWN,
    REFERENCES,
    Plan,
    keeps_video,
    read_true_clips,
    sample_model,
    sample_reference,
)
from components.evaluation.set_distance import TRUTH, SetFeatures
from components.evaluation.table import Table
from components.evaluation.takes import TakePlace
from components.files import atomic_file
from components.model import load_model

if TYPE_CHECKING:
    from components.params import Params

BASE, HEADS_ONLY, JUDGED_TRUTH = "base", "stage1", "judged_truth"
SHOWN = 6  # clips whose videos, depth and motion are kept


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One backbone's models (base and stages by name: their folders), what they are sampled on, and where work lies."""

    models: Mapping[str, Path]
    plan: Plan
    judge: DepthReader
    mean_depth: NDArray[np.float64]  # H,W: a rival of the heads
    score_size: int  # pixels: height of the frames in the Physics-IQ-style score
    processes: int
    work: Path
    features: VideoFeatures = field(default_factory=PixelFeatures)  # by which sets of videos are compared

    @cached_property
    def made_by(self) -> dict[str, str]:
        """Row of videos: the model that makes it."""
        return makers(self.models)

    def row(self, name: str) -> Path:
        """The folder of a row's videos."""
        return self.work / "rows" / (name if name in (*REFERENCES, *self.made_by) else BASE)

    def heads(self, stage: str) -> Path:
        """HEAD_METRICS (C,metrics) of a stage's heads on the true clips."""
        return self.work / "heads" / f"{stage}.npy"


def makers(models: Mapping[str, Path]) -> dict[str, str]:
    """Row of videos: the model that makes it. A base whose video stage 1 keeps is sampled with stage 1's heads."""
    rows = {name: name for name in models}
    if keeps_video(models[HEADS_ONLY]):
        del rows[HEADS_ONLY]
        rows[BASE] = HEADS_ONLY
    return rows


def count_steps(models: Mapping[str, Path], *, clips: int, samples: int) -> int:
    """How far `advance` will count: to every video that is made, every true one that is read, every clip measured."""
    return clips * (len(REFERENCES) + len(makers(models)) * samples + len(models) - 1 + 1)


def evaluate(evaluation: Evaluation) -> Table:
    """Sample, read and measure everything."""
    _sample_references(evaluation)
    for row, maker in evaluation.made_by.items():
        _sample_and_read(evaluation, row, maker)
    heads = {name: np.load(evaluation.heads(name)) for name in evaluation.models if name != BASE}
    heads |= _read_rivals(evaluation)
    made = measure_rows(
        evaluation.plan.places,
        {name: evaluation.row(name) for name in (*REFERENCES, *evaluation.made_by)},
        size=evaluation.score_size,
        work=evaluation.work / "measured",
        processes=evaluation.processes,
        stopped=evaluation.plan.stopped,
        advance=evaluation.plan.advance,
    )
    features = _read_features(evaluation)
    videos = {TRUTH: made[TRUTH]} | {name: made[evaluation.row(name).name] for name in REFERENCES}
    return Table(
        clip_ids=[place.take1.clip_id for place in evaluation.plan.places],
        configurations=[place.configuration for place in evaluation.plan.places],
        videos=videos | {name: made[evaluation.row(name).name] for name in evaluation.models},
        heads=heads,
        own={
            own_row(maker): np.array(read_field(evaluation.row(row), OWN))
            for row, maker in evaluation.made_by.items()
            if maker != BASE
        },
        features=features,
    )


def sampling_plan(
    params: "Params", places: Sequence[TakePlace], *, stopped: Callable[[], bool], advance: Callable[[int], None]
) -> Plan:
    """What the parameters say of sampling; the clips that are shown are evenly spaced among all."""
    return Plan(
        places=places,
        shown=np.unique(np.linspace(0, len(places) - 1, SHOWN).round().astype(int)).tolist(),
        samples=params.evaluation.noises,
        steps=params.evaluation.sampler_steps,
        noise_level=params.heads.noise_level,
        seed=params.seed,
        stopped=stopped,
        advance=advance,
    )


def _sample_references(evaluation: Evaluation) -> None:
    plan = evaluation.plan
    codec = load_model(evaluation.models[BASE]).codec
    for name in REFERENCES:
        folder = evaluation.row(name)
        if folder.exists():
            plan.advance(len(plan.places))
        else:
            sample_reference(plan, name, codec, evaluation.judge, folder)


def _sample_and_read(evaluation: Evaluation, row: str, maker: str) -> None:
    """The videos of a row, and what its maker's heads say of the true clips."""
    plan, base, folder = evaluation.plan, evaluation.models[BASE], evaluation.row(row)
    heads = evaluation.heads(maker)
    model = load_model(base, evaluation.models[maker] if maker != BASE else None)
    if folder.exists():
        plan.advance(len(plan.places) * plan.samples)
    else:
        reader = model if model.heads else load_model(base, evaluation.models[HEADS_ONLY])
        sample_model(plan, model, evaluation.judge, folder, reader=reader)
    if maker == BASE:
        return
    if heads.exists():
        plan.advance(len(plan.places))
        return
    measured = np.stack([head_metrics(read, clip) for clip, read in read_true_clips(plan, model)])
    with atomic_file(heads) as file:
        np.save(file, measured)


def _read_rivals(evaluation: Evaluation) -> dict[str, NDArray[np.float64]]:
    """HEAD_METRICS (C,metrics) of every rival of the heads."""
    decoded = read_field(evaluation.row("round_trip"), "frames")
    measured: dict[str, list[NDArray[np.float64]]] = {}
    for number, place in enumerate(evaluation.plan.places):
        clip = place.read().take1
        for name, read in rivals(clip, np.array(decoded[number, 0]), evaluation.mean_depth).items():
            measured.setdefault(name, []).append(head_metrics(read, clip))
    return {name: np.stack(values) for name, values in measured.items()}


def _read_features(evaluation: Evaluation) -> SetFeatures:
    """Features of all rows' videos; those of the true video are what the judge read as `judged_truth`."""
    plan, kind = evaluation.plan, evaluation.features
    rows = (*REFERENCES, *evaluation.made_by)
    made = features_of_rows(
        {name: read_field(evaluation.row(name), "frames") for name in rows},
        kind,
        evaluation.work / "features",
        plan.check_stopped,
    )
    found = {TRUTH: made[JUDGED_TRUTH]} | {name: made[name] for name in REFERENCES}
    found |= {name: made[evaluation.row(name).name] for name in evaluation.models}
    return SetFeatures(name=kind.name, rows=found)
