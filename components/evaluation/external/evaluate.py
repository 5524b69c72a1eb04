"""Videos of a model from outside, measured with the instruments of the project's own evaluation."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.evaluation.external.answers import Answers, find_answers
from components.evaluation.external.comparison import Comparison, compare
from components.evaluation.external.kept import Keeper, KeptClip
from components.evaluation.external.measuring import (
    ANSWER,
    FEATURES,
    FIRST_ERROR,
    REFERENCES,
    REPEATED,
    TRUTH,
    features_hash,
    load_measured,
    measure_answers,
)
from components.evaluation.external.notes import notes_on
from components.evaluation.external.prompts import places_of, read_prompts
from components.evaluation.external.results import NAME_KEY, check_out, write_results
from components.evaluation.generative import FIELD, chosen_features
from components.evaluation.ledger import note_look
from components.evaluation.measure import run_tasks
from components.evaluation.set_distance import SetFeatures
from components.evaluation.summary import summarise
from components.evaluation.table import Table
from components.evaluation.takes import scenes_of
from components.progress import Progress

Measured = Sequence[Mapping[str, NDArray[np.float64]]]  # of each clip: rows and facts by name


@dataclass(frozen=True, kw_only=True)
class External:
    """A model's videos, and what they are measured with.

    root: the project, whose ledger of looks is kept; split: the folder of simulated clips; judge: of the depth network;
    network: `evaluation.frechet_network`; own: of the figures of the project's own models; out: for the results; work:
    where what is measured is kept.
    """

    name: str
    videos: Path
    root: Path
    split: Path
    judge: Path
    network: str | None
    own: Path
    out: Path
    work: Path
    allow_missing: bool
    score_size: int
    resamples: int
    seed: int
    processes: int


@dataclass(frozen=True, kw_only=True)
class Done:
    """metrics.json's document, and what a reader must be told beside it."""

    document: Mapping[str, float | str]
    notes: tuple[str, ...]


def evaluate_videos(external: External, *, stopped: Callable[[], bool], progress: Callable[[int], Progress]) -> Done:
    """Read, measure, summarise, write `external.out`; the same videos again are measured once.

    ParametersError: names that match no prompt, videos that cannot be read or are too short, an `out` that holds
    something else. Nothing is measured before all videos are good. StoppedError: what was done is kept.
    """
    check_out(external.out, external.name, split=external.split.name)
    _check_judge(external.judge)
    prompts = read_prompts(external.split)
    answers = find_answers(external.videos, prompts, allow_missing=external.allow_missing)
    features = chosen_features(external.network, shape=prompts[0].shape[:-1])
    keeper = Keeper(folder=external.work, judge=external.judge, network=external.network, size=external.score_size)
    clips = keeper.clips(answers.answers)
    with progress(2 * len(clips)) as display:
        tasks = keeper.read(clips, stopped=stopped, advance=display.advance)
        run_tasks(measure_answers, tasks, processes=external.processes, stopped=stopped, advance=display.advance)
    measured = [load_measured(clip.measured) for clip in clips]
    table = _table(external.name, answers, measured, features.name)
    return _conclude(external, answers, clips, measured, table, scenes=scenes_of(places_of(prompts)))


def _conclude(
    external: External, answers: Answers, clips: Sequence[KeptClip], measured: Measured, table: Table, *, scenes: str
) -> Done:
    comparison = compare(
        table,
        external.name,
        external.own,
        split=external.split.name,
        scenes=scenes,
        seed=external.seed,
        resamples=external.resamples,
    )
    content = hashlib.sha256("\n".join(known for clip in clips for known in clip.hashes).encode()).hexdigest()
    repeated, first = _stack(measured, REPEATED), _stack(measured, FIRST_ERROR)
    document: dict[str, float | str] = {
        **summarise(table, seed=external.seed, resamples=external.resamples, gains=()),
        **_compared(external, comparison),
        "evaluation.clips": len(clips),
        "evaluation.missing": len(answers.missing),  # prompts
        "evaluation.noises": answers.samples,
        "evaluation.repeated_share": round(float(repeated.mean()) / answers.answers[0].prompt.frames, 6),
        "evaluation.first_frame_error": round(float(first.mean()), 6),  # grey levels
        **({FIELD: known} if (known := features_hash(external.network)) else {}),
        "evaluation.split": external.split.name,
        "evaluation.scenes": scenes,
        "evaluation.videos": content,
        NAME_KEY: external.name,
    }
    note_look(external.root, scenes=scenes, split=external.split.name, models={external.name: content})
    write_results(external.out, table, document)
    notes = (*notes_on(answers, repeated=repeated, first=first), *filter(None, [comparison.note]))
    return Done(document=document, notes=notes)


def _table(name: str, answers: Answers, measured: Measured, features: str) -> Table:
    rows = {row: row for row in (TRUTH, *REFERENCES)} | {name: ANSWER}
    return Table(
        clip_ids=[answer.prompt.clip_id for answer in answers.answers],
        configurations=[answer.prompt.place.configuration for answer in answers.answers],
        videos={row: _stack(measured, kept) for row, kept in rows.items()},
        heads={},
        features=SetFeatures(
            name=features, rows={row: _stack(measured, FEATURES + kept) for row, kept in rows.items()}
        ),
    )


def _compared(external: External, comparison: Comparison) -> dict[str, float | str]:
    return {**comparison.figures, "evaluation.compared_with": external.own.name} if comparison.figures else {}


def _stack(measured: Measured, name: str) -> NDArray[np.float64]:
    return np.stack([one[name] for one in measured])


def _check_judge(judge: Path) -> None:
    if not judge.is_dir():
        raise Phys4dError(
            f"{judge} is not there: the judge's depth network, by which all videos are measured; run "
            f"phys4d stage depth_net@{judge.name}, or dvc pull"
        )
