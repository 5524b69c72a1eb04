"""Which video answers which prompt: told by the names of the files, before any of them is opened.

`ID.mp4` is a sample with the seed 0, `ID-sSEED.mp4` one with another; mov, webm and gif are as good.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import ParametersError
from components.evaluation.external.prompts import DIGITS, Prompt
from components.pseudo_labels.sources import SUFFIXES

SAMPLE = re.compile(r"(.+)-s(\d+)")
ID = re.compile(rf"(.+)-[0-9a-f]{{{DIGITS}}}")
NAMED = 5  # names in a message
FEWEST = 2  # configurations: one has no interval


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A prompt and the videos that answer it, by seed."""

    prompt: Prompt
    files: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a folder of videos holds. samples: of every prompt; missing: ids without a video; unknown: other files."""

    answers: tuple[Answer, ...]
    samples: int
    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def find_answers(folder: Path, prompts: Sequence[Prompt], *, allow_missing: bool) -> Answers:
    """The videos in `folder` by the prompts they answer, in the prompts' order.

    ParametersError: there is none; some answer prompts that the split no longer has; two are the same sample; prompts
    have no answer, unless that is allowed; or they have unequal numbers of samples.
    """
    found, unknown = _sorted_out(folder, prompts)
    answers = tuple(Answer(prompt=prompt, files=found[prompt.id]) for prompt in prompts if prompt.id in found)
    missing = tuple(prompt.id for prompt in prompts if prompt.id not in found)
    if missing and not allow_missing:
        others = f"; {len(unknown)} other files answer none: {some(unknown)}" if unknown else ""
        raise ParametersError(
            f"--videos {folder}: {len(missing)} of {len(prompts)} prompts have no video: {some(missing)}{others}; "
            "generate or rename these, or measure those that are there with --allow-missing"
        )
    scenes = {answer.prompt.place.configuration for answer in answers}
    if len(scenes) < FEWEST:
        raise ParametersError(
            f"--videos {folder}: its videos answer prompts of {len(scenes)} scene, expected {FEWEST} or more: one has "
            "no interval; generate more"
        )
    return Answers(answers=answers, samples=_common_count(folder, answers), missing=missing, unknown=unknown)


def some(names: Iterable[str]) -> str:
    """The first names of many, for a message."""
    all_names = list(names)
    rest = len(all_names) - NAMED
    return ", ".join(all_names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _sorted_out(folder: Path, prompts: Sequence[Prompt]) -> tuple[Mapping[str, tuple[Path, ...]], tuple[str, ...]]:
    """Files of every answered id, by seed; names of what answers nothing."""
    expected = f"videos named as {prompts[0].id}.mp4"
    if not folder.is_dir():
        raise ParametersError(f"--videos {folder} is no folder; expected one with {expected}: check the path")
    ids, by_seed, unknown = {prompt.id for prompt in prompts}, dict[str, dict[int, Path]](), list[str]()
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        id_, seed = _id_and_seed(path.stem, ids)
        if id_ not in ids or path.suffix.lower() not in SUFFIXES or not path.is_file():
            unknown.append(path.name)
            continue
        samples = by_seed.setdefault(id_, {})
        if seed in samples:
            raise ParametersError(
                f"--videos {folder}: {samples[seed].name} and {path.name} are both sample {seed} of one prompt; "
                "expected one: move the other away, or number it ID-sSEED"
            )
        samples[seed] = path
    _refuse_changed(folder, prompts, unknown)
    if not by_seed:
        what = f"none of its {len(unknown)} files, such as {unknown[0]}, is named so" if unknown else "it is empty"
        raise ParametersError(
            f"--videos {folder}: answers no prompt, expected {expected}: {what}; rename them as the export's README "
            "says, or name the split they answer with --split"
        )
    return {id_: tuple(samples[seed] for seed in sorted(samples)) for id_, samples in by_seed.items()}, tuple(unknown)


def _id_and_seed(stem: str, ids: set[str]) -> tuple[str, int]:
    found = SAMPLE.fullmatch(stem)
    return (found[1], int(found[2])) if found and stem not in ids else (stem, 0)


def _refuse_changed(folder: Path, prompts: Sequence[Prompt], unknown: Sequence[str]) -> None:
    """Raise for videos of clips that the split has, but whose prompts were others."""
    now = {prompt.clip_id: prompt.id for prompt in prompts}
    changed = []
    for name in unknown:
        id_, _ = _id_and_seed(Path(name).stem, set(now.values()))
        clip = ID.fullmatch(id_)
        if clip and clip[1] in now and Path(name).suffix.lower() in SUFFIXES:
            changed.append((name, now[clip[1]]))
    if changed:
        name, expected = changed[0]
        raise ParametersError(
            f"--videos {folder}: {len(changed)} videos answer prompts that this split no longer has: {name}, where "
            f"{expected} is asked now; the split has changed since they were exported: export the prompts again and "
            "generate these anew, or measure them where the old split is"
        )


def _common_count(folder: Path, answers: Sequence[Answer]) -> int:
    """How many samples each prompt has; ParametersError when they differ: clips would count unequally."""
    counts = [len(answer.files) for answer in answers]
    common = max(set(counts), key=lambda count: (counts.count(count), count))
    odd = [answer for answer in answers if len(answer.files) != common]
    if odd:
        named = some(f"{answer.prompt.id} has {len(answer.files)}" for answer in odd)
        raise ParametersError(
            f"--videos {folder}: prompts differ in their number of samples: most have {common}, but {named}; expected "
            "the same number for all: generate what is missing, or move the rest away"
        )
    return common
