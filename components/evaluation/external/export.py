"""The prompts of a split as files for another model: first frames, captions, and how its answers must be named.

    README.md                what to do
    prompts.csv, .jsonl      a line for each prompt, the same in both
    first_frames/ID.png      the first frame
    export.json              what this folder is: the split, its scenes, and the configuration of every prompt

Nothing in it says what happens: of a clip only frame 0, and what is said of that frame.
"""

import csv
import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from components.errors import ParametersError
from components.evaluation.external.prompts import Prompt, places_of, read_prompts
from components.evaluation.takes import scenes_of
from components.files import write_atomically
from components.shards import read_part

MANIFEST, README, TABLE, LINES, PICTURES = "export.json", "README.md", "prompts.csv", "prompts.jsonl", "first_frames"
MADE_BY = "phys4d evaluate export"
TEXT = """\
# Prompts for a video model

{count} prompts of the split `{split}`: each a first frame and a sentence that says how the scene begins. Made by
`{made_by}`; `prompts.csv` and `prompts.jsonl` hold the same.

For every line, generate a video that goes on from `first_frame` as `caption_initial` says:

- Name it `video`, which is `ID.mp4`. Several samples of every prompt, the same number for all, are `ID-sSEED.mp4` with
  a whole number for SEED: `{first}-s0.mp4` and so on. `.mov`, `.webm` and `.gif` are as good.
- At time 0 it shows the first frame, and it lasts `seconds` or longer; what comes later is cut off.
- Any frame rate: of a clip, frame t is the video's frame that is nearest in time to t / `fps`. A video of a lower rate
  is taken as it is, its frames shown for longer.
- Any size: the middle, as much as has the aspect of `width` to `height`, is cut out and brought to that size (by area;
  what is smaller grows linearly). So enlarge the first frame as your model likes it, but do not squeeze it.

Put the videos into one folder and measure them, in the project's folder that this export was made in:

    phys4d evaluate --videos FOLDER --name NAME --split {split}

The eight digits at the end of an id stand for what is asked. When the split is simulated anew from other parameters,
the ids change, and videos that answer other prompts are refused.
"""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written. replaced: whether an earlier export lay there."""

    prompts: int
    replaced: bool


def export_prompts(split: Path, out: Path, *, progress: Callable[[int, int], None]) -> Exported:
    """Write the prompts of a split to `out`, whole or not at all.

    `out` is new, empty, or holds an earlier export and nothing else, which is replaced; ParametersError otherwise, and
    ClipError when the split is not there.
    """
    target = out.resolve()
    replaced = _check_free(out, target)
    prompts = read_prompts(split)
    work, old = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.old")
    for folder in (work, old):  # what a killed export left
        shutil.rmtree(folder, ignore_errors=True)
    try:
        for done, prompt in enumerate(prompts, start=1):
            write_atomically(work / _picture(prompt), _first_frame(prompt))
            progress(done, len(prompts))
        _describe(work, prompts, split.name)
        if target.exists():
            target.rename(old)
        work.rename(target)
    finally:
        for folder in (work, old):
            shutil.rmtree(folder, ignore_errors=True)
    return Exported(prompts=len(prompts), replaced=replaced)


def _check_free(out: Path, target: Path) -> bool:
    """Whether an earlier export lies there; ParametersError for anything else."""
    nearest = next(parent for parent in (target, *target.parents) if parent.exists())
    if not nearest.is_dir():
        raise ParametersError(f"--out {out}: {nearest} is a file, expected a folder: name another")
    if not target.exists():
        return False
    found = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir())
    if not found and not any(target.iterdir()):
        return False
    others = [name for name in found if name not in _files_of_export(target)]
    if others or not found:
        raise ParametersError(
            f"--out {out} holds {others[0] if others else 'folders'}, which is of no export of prompts; expected a new "
            "folder, or one that holds an earlier export alone: name another, or move that away"
        )
    return True


def _files_of_export(folder: Path) -> set[str]:
    """What the export in a folder wrote there: nothing, when it is none."""
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return set()
    if not isinstance(document, dict) or document.get("made_by") != MADE_BY:
        return set()
    pictures = {f"{PICTURES}/{id_}.png" for id_ in document["configurations"]}
    return {MANIFEST, README, TABLE, LINES, *pictures}


def _picture(prompt: Prompt) -> str:
    return f"{PICTURES}/{prompt.id}.png"


def _first_frame(prompt: Prompt) -> bytes:
    rgb = read_part(prompt.place.folder, prompt.place.take1, ("rgb",)).arrays["rgb"][0]
    _, content = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return content.tobytes()


def _describe(work: Path, prompts: Sequence[Prompt], split: str) -> None:
    lines = [_line(prompt) for prompt in prompts]
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_atomically(work / TABLE, table.getvalue().encode())
    write_atomically(work / LINES, "".join(json.dumps(line) + "\n" for line in lines).encode())
    text = TEXT.format(count=len(prompts), split=split, made_by=MADE_BY, first=prompts[0].id)
    write_atomically(work / README, text.encode())
    manifest = {
        "made_by": MADE_BY,
        "split": split,
        "scenes": scenes_of(places_of(prompts)),
        "configurations": {prompt.id: prompt.place.configuration for prompt in prompts},
    }
    write_atomically(work / MANIFEST, json.dumps(manifest, indent=1).encode())


def _line(prompt: Prompt) -> Mapping[str, str | int | float]:
    return {
        "id": prompt.id,
        "video": f"{prompt.id}.mp4",
        "first_frame": _picture(prompt),
        "caption_initial": prompt.caption_initial,
        "seconds": round(prompt.seconds, 6),
        "fps": prompt.fps,
        "frames": prompt.frames,
        "width": prompt.width,
        "height": prompt.height,
        "view": prompt.view,
    }
