"""Which videos of two folders belong together: the cases of Physics-IQ, by the ids and names of the files.

Real videos carry the benchmark's names, `0001_testing-videos_8FPS_perspective-left_take-1_trimmed-NAME.mp4`, in one
folder or in the benchmark's folders `8FPS`, `30FPS`, ...; generated ones begin with the four digits of their take 1,
`0001_anything.mp4` or `0001.mp4`. Nothing is renamed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from components.errors import ParametersError
from components.evaluation.physics_iq import SECONDS
from components.evaluation.physics_iq_videos import Video, probe

GENERATED_NAME = re.compile(r"(\d{4})(?!\d).*\.(?i:mp4)")
REAL_NAME = re.compile(r"(\d{4})_testing-videos_(\d+)FPS_([^_]+)_take-([12])_(.+)\.(?i:mp4)")
REAL_EXAMPLE = "0001_testing-videos_8FPS_perspective-left_take-1_trimmed-NAME.mp4"
SOURCE_FPS = 30  # the benchmark's real videos of other rates are made from these
NAMED = 10  # this many ids or files are named in a message


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseVideos:
    """The three videos of one case."""

    scenario: str
    view: str
    generated: Video
    take1: Video
    take2: Video


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairing:
    """What two folders hold together."""

    cases: tuple[CaseVideos, ...]  # in order of id
    fps: float  # the common frame rate
    left_out: tuple[str, ...]  # ids of generated videos whose scenario is not whole, of a subset


@dataclass(frozen=True, kw_only=True, slots=True)
class _Real:
    id: str
    fps: int
    view: str
    take: int
    scenario: str
    path: Path


def find_cases(videos: Path, real: Path, *, fps: int | None, subset: bool = False) -> Pairing:
    """Pair the videos by id and check every header.

    A `subset` are the scenarios of which the generated videos hold every view; otherwise every scenario of the real
    videos must be there. `fps` is the common frame rate, None takes that of the generated videos. ParametersError for
    folders that do not match.
    """
    generated = {id_: probe(path) for id_, path in _generated_by_id(videos).items()}
    rate = float(fps) if fps is not None else _rate_of(videos, generated.values())
    takes1, takes2 = _takes(real, _choose_rate(real, rate))
    if subset:
        takes1 = _whole_scenarios(videos, set(generated), takes1)
    else:
        _check_ids(videos, set(generated), {take.id for take in takes1.values()})
    cases = tuple(
        CaseVideos(
            scenario=take.scenario,
            view=take.view,
            generated=generated[take.id],
            take1=_probe_real(take),
            take2=_probe_real(takes2[place]),
        )
        for place, take in sorted(takes1.items(), key=lambda item: item[1].id)
    )
    for case in cases:
        for video in (case.generated, case.take1, case.take2):
            _check_length(video)
    left_out = sorted(set(generated) - {take.id for take in takes1.values()})
    return Pairing(cases=cases, fps=rate, left_out=tuple(left_out))


def _generated_by_id(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in _mp4_files(folder):
        match = GENERATED_NAME.fullmatch(path.name)
        if match is None:
            raise ParametersError(
                f"{path} is not named by an id; expected four digits first, as in 0001_anything.mp4: rename or move it"
            )
        if match[1] in found:
            raise ParametersError(
                f"{folder} has two videos of id {match[1]}, {found[match[1]].name} and {path.name}; expected one: "
                "move the other away"
            )
        found[match[1]] = path
    if not found:
        raise ParametersError(f"{folder} has no .mp4 file; expected one generated video per id, as 0001_anything.mp4")
    return found


def _mp4_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ParametersError(f"{folder} is not a folder; expected a folder of .mp4 files: check the path")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".mp4" and path.name[0] != ".")


def _rate_of(folder: Path, videos: Iterable[Video]) -> float:
    rates: dict[float, list[str]] = defaultdict(list)
    for video in videos:
        rates[video.fps].append(video.path.name)
    if len(rates) > 1:
        found = ", ".join(f"{rate:g} ({names[0]}, {len(names)} in all)" for rate, names in sorted(rates.items()))
        raise ParametersError(
            f"{folder} mixes frame rates: {found}; expected one: make them alike or choose one with --fps"
        )
    (rate,) = rates
    if abs(rate * SECONDS - round(rate * SECONDS)) > SECONDS * 1e-3:
        raise ParametersError(
            f"{folder} has {rate:g} frames a second, which 5 seconds do not hold a whole number of; expected a whole "
            f"rate: choose one with --fps {round(rate)}"
        )
    return rate


def _choose_rate(folder: Path, rate: float) -> list[_Real]:
    """The real videos already at `rate`, else those at 30, else those at the highest rate there is."""
    by_rate: dict[int, list[_Real]] = defaultdict(list)
    subfolders = sorted(folder.glob("*FPS")) if folder.is_dir() else []
    for path in [*_mp4_files(folder), *(path for sub in subfolders for path in _mp4_files(sub))]:
        match = REAL_NAME.fullmatch(path.name)
        if match is None:
            raise ParametersError(f"{path} is not named as the benchmark names real videos; expected {REAL_EXAMPLE}")
        id_, fps, view, take, scenario = match.groups()
        video = _Real(id=id_, fps=int(fps), view=view, take=int(take), scenario=scenario, path=path)
        by_rate[video.fps].append(video)
    if not by_rate:
        raise ParametersError(f"{folder} has no .mp4 file; expected the benchmark's real videos, as {REAL_EXAMPLE}")
    return next(by_rate[int(choice)] for choice in (rate, SOURCE_FPS, max(by_rate)) if choice in by_rate)


def _takes(folder: Path, videos: list[_Real]) -> tuple[dict[tuple[str, str], _Real], dict[tuple[str, str], _Real]]:
    """Take 1 and take 2 by (scenario, view); both there for each view of each scenario, each once."""
    takes: dict[int, dict[tuple[str, str], _Real]] = {1: {}, 2: {}}
    for video in videos:
        place = (video.scenario, video.view)
        if place in takes[video.take]:
            raise ParametersError(
                f"{folder} has take {video.take} of {video.scenario}, {video.view} twice: "
                f"{takes[video.take][place].path.name} and {video.path.name}; expected one: move the other away"
            )
        takes[video.take][place] = video
    views = {video.view for video in videos}
    for scenario in sorted({video.scenario for video in videos}):
        for view in sorted(views):
            for take in (1, 2):
                if (scenario, view) not in takes[take]:
                    raise ParametersError(
                        f"{folder} lacks take {take} of {scenario}, {view}, at {videos[0].fps}FPS; expected takes 1 "
                        "and 2 of every view of every scenario: download the real videos again"
                    )
    ids = [take.id for take in takes[1].values()]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise ParametersError(f"{folder} has id {id_} on two videos of take 1; expected one id each: rename them")
    return takes[1], takes[2]


def _check_ids(folder: Path, found: set[str], expected: set[str]) -> None:
    _check_known(folder, found, expected)
    if missing := expected - found:
        raise ParametersError(
            f"{folder} has {len(found)} of {len(expected)} videos; missing ids: {some(missing)}; generate these too, "
            "or score whole scenarios alone with --subset"
        )


def _check_known(folder: Path, found: set[str], expected: set[str]) -> None:
    if not found & expected:
        raise ParametersError(
            f"{folder} matches no real video: its ids are {some(found)}, expected {some(expected)}; "
            "begin each name with the id of its take 1"
        )
    if unknown := found - expected:
        raise ParametersError(
            f"{folder} has {len(found)} videos, expected {len(expected)}; no real take 1 has the ids "
            f"{some(unknown)}: move these away"
        )


def _whole_scenarios(
    folder: Path, found: set[str], takes: dict[tuple[str, str], _Real]
) -> dict[tuple[str, str], _Real]:
    _check_known(folder, found, {take.id for take in takes.values()})
    partial = {take.scenario for take in takes.values() if take.id not in found}
    whole = {place: take for place, take in takes.items() if take.scenario not in partial}
    if not whole:
        place = min(place for place, take in takes.items() if take.id in found)
        ids = {take.id for take in takes.values() if take.scenario == place[0]}
        raise ParametersError(
            f"{folder} holds no scenario whole; expected every view of one at least, as ids {some(ids)} of {place[0]}: "
            "generate these too"
        )
    return whole


def some(ids: Iterable[str]) -> str:
    """The first ids or files of many, for a message."""
    names = sorted(ids)
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _probe_real(take: _Real) -> Video:
    video = probe(take.path)
    if round(video.fps) != take.fps:
        raise ParametersError(
            f"{video.path} has {video.fps:g} frames a second, its name says {take.fps}: download this video again"
        )
    return video


def _check_length(video: Video) -> None:
    if video.seconds < SECONDS - 1e-3:
        raise ParametersError(
            f"{video.path} is {video.seconds:.2f} seconds long ({video.frames} frames at {video.fps:g} a second), "
            f"expected {SECONDS:g} seconds: only whole clips are comparable, make this video longer"
        )
