"""Score a folder of generated videos against the real videos of Physics-IQ; which belong together is told by name.

Nothing is renamed or written beside the videos.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2

from components.errors import ParametersError, Phys4dError
from components.evaluation.physics_iq import SECONDS, score_streams
from components.evaluation.physics_iq_categories import read_categories
from components.evaluation.physics_iq_folders import CaseVideos, Pairing, find_cases, some
from components.evaluation.physics_iq_results import Results, result_key
from components.evaluation.physics_iq_score import PhysicsIqCase
from components.evaluation.physics_iq_table import SCENARIOS, VIEWS, PhysicsIqTable, tabulate
from components.evaluation.physics_iq_videos import Video, first_seconds

SMALLEST = 240  # pixels a side: below it the masks' 5x5 opening erases motion


def score_folder(
    videos: Path,
    real: Path,
    *,
    fps: int | None = None,
    subset: bool = False,
    small: bool = False,
    descriptions: Path | None = None,
    results: Path | None = None,
    workers: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> PhysicsIqTable:
    """Score the generated `videos` against the `real` ones over the first 5 seconds.

    Every video is brought to `fps` frames a second; None takes the rate of the generated videos, as the benchmark
    does. A `subset` scores the scenarios that the videos hold whole. `small` lets clips below 240 pixels pass, whose
    score is not the benchmark's. `descriptions` names the scenarios' categories; None looks for descriptions.csv in
    and above the real folder. `results` is a folder that keeps what each case measured, found by its content: a run
    that was stopped goes on from there. The cases are shared out to `workers` processes, a case is read in its process
    frame by frame and dropped; neither `workers` nor the order of files changes a number. `progress` is called with
    (cases done, cases in all). ParametersError for folders that do not match and for a video that cannot be used.
    """
    if workers < 1 or (fps is not None and fps < 1):
        raise ParametersError(f"--workers is {workers} and --fps {fps}; expected whole numbers from 1: correct them")
    pairing = find_cases(videos, real, fps=fps, subset=subset)
    smallest = min(_videos(pairing.cases), key=_side)
    if _side(smallest) < SMALLEST and not small:
        raise ParametersError(
            f"{smallest.path} is {smallest.width}x{smallest.height} pixels, expected {SMALLEST} or more a side: below "
            "that small motion is erased from the masks and a clip that stands still scores high; make larger videos, "
            "or see with --allow-small what is not the benchmark's score"
        )
    categories, notes = read_categories(real, {case.scenario for case in pairing.cases}, file=descriptions)
    scored = []
    kept = None if results is None else Results(folder=results)
    for case in score_cases(pairing.cases, fps=pairing.fps, workers=workers, results=kept):
        scored.append(case)
        if progress is not None:
            progress(len(scored), len(pairing.cases))
    reservations = tuple(_reservations(pairing, smallest))
    notes = (*reservations, *_left_out(pairing), *_resampled(pairing), *notes)
    return tabulate(scored, categories=categories, of_benchmark=not reservations, notes=notes, seed=seed)


def score_cases(
    cases: Sequence[CaseVideos], *, fps: float, workers: int, results: Results | None = None
) -> Iterator[PhysicsIqCase]:
    """Score each case at `fps` over its first 5 seconds, in order, in `workers` processes of one thread each.

    A case whose result is kept in `results` is not measured again, any other is kept there as soon as it is measured.
    """
    score = partial(_score_case, fps=fps, results=results)
    if workers == 1:
        yield from map(score, cases)
        return
    count = min(workers, len(cases))
    try:
        with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
            yield from pool.map(score, cases)
    except BrokenProcessPool as error:
        raise Phys4dError(
            f"one of {count} scoring processes was killed, probably for memory; score with fewer --workers"
        ) from error


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _score_case(case: CaseVideos, *, fps: float, results: Results | None) -> PhysicsIqCase:
    if results is None:
        return _measure(case, fps=fps)
    key = result_key(case, fps=fps)
    if kept := results.load(key, case):
        return kept
    measured = _measure(case, fps=fps)
    if result_key(case, fps=fps) != key:
        raise Phys4dError(
            f"a video of {case.scenario}, {case.view} changed while it was scored: {case.generated.path}, "
            f"{case.take1.path} or {case.take2.path}; score again when they are finished"
        )
    results.save(key, measured)
    return measured


def _measure(case: CaseVideos, *, fps: float) -> PhysicsIqCase:
    videos = (case.generated, case.take1, case.take2)
    clips = (first_seconds(video, fps=fps, seconds=SECONDS, order="bgr") for video in videos)
    return score_streams(*clips, fps=fps, scenario=case.scenario, view=case.view, order="bgr")


def _reservations(pairing: Pairing, smallest: Video) -> Iterator[str]:
    """Why the score is not the benchmark's."""
    scenarios = len({case.scenario for case in pairing.cases})
    if (len(pairing.cases), scenarios) != (SCENARIOS * VIEWS, SCENARIOS):
        yield (
            f"not the benchmark's score: {len(pairing.cases)} of its {SCENARIOS} x {VIEWS} cases, {scenarios} of "
            f"{SCENARIOS} scenarios"
        )
    if _side(smallest) < SMALLEST:
        yield (
            f"not the benchmark's score: {smallest.path.name} is {smallest.width}x{smallest.height} pixels, below "
            f"{SMALLEST} a side small motion is erased from the masks and a clip that stands still scores high"
        )


def _left_out(pairing: Pairing) -> Iterator[str]:
    if ids := pairing.left_out:
        yield f"left out: {len(ids)} videos whose scenario is not whole, with the ids {some(ids)}"


def _resampled(pairing: Pairing) -> Iterator[str]:
    rates = {video.fps for case in pairing.cases for video in (case.take1, case.take2)} - {pairing.fps}
    if rates:
        yield (
            f"real videos of {', '.join(f'{rate:g}' for rate in sorted(rates))} frames a second were resampled to "
            f"{pairing.fps:g}; the benchmark's own resampled files can differ by what their compression lost"
        )


def _videos(cases: Sequence[CaseVideos]) -> Iterator[Video]:
    for case in cases:
        yield from (case.generated, case.take1, case.take2)


def _side(video: Video) -> int:
    return min(video.width, video.height)
