"""Clips of one category, or of all, outside the graph, for the eye or for use elsewhere: `simulate --category` does it.

They are drawn as those of the split train, whose name they carry: the same seed gives the same clips.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.canonical import canonical_json
from components.clip import Clip
from components.errors import ParametersError
from components.files import move_folder
from components.generation_files import write_video
from components.index import INDEX_FILE, read_index
from components.parameters.rules.simulation import SOLVER_RATE
from components.progress import Progress
from components.shards import read_clip
from components.simulation.catalogue import CATEGORY_NAMES, family_names
from components.simulation.generate import count_clips, generate_split
from components.simulation.parts import Part, gather_parts
from components.simulation.preview import TILE, depth_colours, flow_colours, id_colours, spread

if TYPE_CHECKING:
    from components.params import Params

SPLIT = "train"
ALL = "all"  # in place of a category: so many configurations of each
REQUEST = "request.json"  # in the folder of the clips: what they were made from
PREVIEW = "preview.mp4"
SHOWN = 6  # clips in the preview, and of more categories one each


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is wanted; None: as params.yaml says. clips: configurations of a category, each in all views and takes."""

    category: str  # or ALL
    family: str | None
    clips: int
    size: str | None  # HEIGHTxWIDTH
    frames: int | None
    fps: int | None
    seed: int | None
    orbit: float | None  # degrees of every camera over the clip, to the right
    views: int
    takes: int


def simulate_to_folder(
    request: Request,
    params: "Params",
    *,
    out: Path,
    preview: bool,
    stopped: Callable[[], bool],
    part: Part | None = None,
) -> Mapping[str, float]:
    """Shards, index, summary and REQUEST in `out`, whole or not at all; what is finished of a stopped run is kept.

    Of a part only its shards, in a hidden folder beside `out`, from which the same call without it takes them over.
    The same request again makes nothing new. ParametersError when `out` holds anything else, or the request is wrong.
    """
    wanted = requested(request, params)
    identity = canonical_json({"request": asdict(request), "params": _identity(wanted)})
    figures: Mapping[str, float]
    if _is_there(out, identity):
        figures = {"clips": len(read_index(out)), "clips_made_now": 0}
    else:
        work = out.with_name(f".{out.name}.{part.name if part else 'unfinished'}")
        parts = [] if part else _parts_of(out, identity)
        _is_there(work, identity)  # or another request's, which is not to be mixed with this
        work.mkdir(parents=True, exist_ok=True)
        (work / REQUEST).write_text(identity, encoding="utf-8")
        gather_parts(parts, work)
        with Progress("simulate", count_clips(wanted, SPLIT, part), unit="clips") as display:
            figures = generate_split(wanted, split=SPLIT, folder=work, stopped=stopped, display=display, part=part)
        if part:
            return figures
        shutil.copy(work / REQUEST, work / "split" / REQUEST)
        move_folder(work / "split", out)
        for folder in (work, *parts):
            shutil.rmtree(folder)
    if preview:
        shown = spread(read_index(out), max(SHOWN, len(wanted.simulation.splits.train.configurations)))
        write_moving_preview((read_clip(out, row.extent) for row in shown), out / PREVIEW)
    return figures


def _parts_of(out: Path, identity: str) -> list[Path]:
    """Folders of parts of this very request beside `out`; ParametersError for those of another."""
    return [part for part in out.parent.glob(f".{escape(out.name)}.part-*") if _is_there(part, identity)]


def write_moving_preview(clips: Iterable[Clip], out: Path) -> None:
    """A video of the clips one after another: RGB, depth, flow and ids beside each other; the last motion twice."""
    parts, fps = [], 0
    for clip in clips:
        fps = clip.meta.fps  # of one request: the same for all
        flow = flow_colours(clip.flow)
        fields = [
            clip.rgb,
            depth_colours(clip.depth, clip.valid),
            np.concatenate([flow, flow[-1:]]),
            id_colours(clip.segmentation),
        ]
        scale = max(1, -(-TILE // clip.rgb.shape[1]))
        parts.append(np.concatenate(fields, axis=2).repeat(scale, axis=1).repeat(scale, axis=2))
    unfinished = out.with_name(f".{out.name}.part")
    write_video(unfinished, np.concatenate(parts), fps=fps)
    unfinished.replace(out)


def requested(request: Request, params: "Params") -> "Params":
    """The parameters with what the request asks for; ParametersError names the option that is wrong."""
    _check_kind(request)
    height, width = _size(request.size) if request.size else (params.video.height, params.video.width)
    video = {
        "frames": request.frames or params.video.frames,
        "height": height,
        "width": width,
        "fps": request.fps or params.video.fps,
    }
    if SOLVER_RATE % video["fps"]:
        raise ParametersError(f"--fps {video['fps']}: does not divide the solvers' {SOLVER_RATE} steps a second")
    if request.orbit is not None and not -180 <= request.orbit <= 180:
        raise ParametersError(f"--orbit {request.orbit:g}: expected -180 to 180 degrees, above 0 to the right")
    if request.orbit and request.takes > 1:
        raise ParametersError("--orbit goes with --takes 1: second takes are for scores, of cameras that stand still")
    simulation, splits = params.simulation, params.simulation.splits
    categories = CATEGORY_NAMES if request.category == ALL else (request.category,)
    changes: dict[str, Any] = {"configurations": dict.fromkeys(categories, request.clips)}
    train = splits.train.model_copy(update={**changes, "views": request.views, "takes": request.takes})
    updated: dict[str, Any] = {"splits": splits.model_copy(update={SPLIT: train})}
    if request.family is not None:
        section = getattr(simulation, request.category)
        updated[request.category] = section.model_copy(update={"families": {request.family: 1.0}})
    if request.orbit is not None:
        orbit = {"share": 1.0, "degrees": (request.orbit, request.orbit)}
        updated["camera"] = simulation.camera.model_copy(
            update={"orbit": simulation.camera.orbit.model_copy(update=orbit)}
        )
    return params.model_copy(
        update={
            "seed": params.seed if request.seed is None else request.seed,
            "video": _checked(type(params.video), video),
            "simulation": simulation.model_copy(update=updated),
        }
    )


def _check_kind(request: Request) -> None:
    """Category and family are known, and go together."""
    if request.category == ALL:
        if request.family is not None:
            raise ParametersError(f"--family {request.family}: goes with one category, not with --category {ALL}")
        return
    if request.category not in CATEGORY_NAMES:
        known = ", ".join((*CATEGORY_NAMES, ALL))
        raise ParametersError(f"--category {request.category}: unknown, expected one of {known}")
    families = family_names(request.category)
    if request.family is not None and request.family not in families:
        raise ParametersError(
            f"--family {request.family}: unknown in {request.category}, expected one of {', '.join(families)}"
        )


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not found:
        raise ParametersError(f"--size {text}: expected HEIGHTxWIDTH in pixels, such as 256x256")
    return int(found[1]), int(found[2])


def _checked(kind: type[Any], values: Mapping[str, int]) -> object:
    """A section with these values, held against its bounds."""
    from pydantic import ValidationError

    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name, said = first["loc"][0], first["msg"][0].lower() + first["msg"][1:]
        option = "size" if name in ("height", "width") else name
        raise ParametersError(f"--{option}: {name} {values[str(name)]} is wrong, {said}") from error


def _identity(params: "Params") -> Mapping[str, object]:
    """What clips depend on."""
    document: dict[str, object] = json.loads(params.model_dump_json(include={"seed", "video", "simulation"}))
    return document


def _is_there(folder: Path, identity: str) -> bool:
    """Whether the clips of this very request are in a folder; ParametersError when something else is."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if folder.is_dir() and (folder / REQUEST).is_file():
        if (folder / REQUEST).read_text(encoding="utf-8") == identity:
            return True
        raise ParametersError(f"--out {folder}: holds the clips of another request: give another folder, or delete it")
    what = "clips of the graph" if (folder / INDEX_FILE).exists() else "something already"
    raise ParametersError(f"--out {folder}: holds {what}, expected a new or an empty folder")
