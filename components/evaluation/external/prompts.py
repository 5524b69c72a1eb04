"""What another model is asked: the first frame of every evaluated clip, and a sentence that says how it begins.

A prompt's id is its clip's and the first digits of a hash of all that is asked. So a video that is named by the id
says by its name which prompt it answers, wherever it lies: when a split is simulated anew from other parameters, the
ids are others too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.canonical import canonical_json
from components.evaluation.takes import TakePlace, take_places
from components.index import read_index
from components.shards import read_part

DIGITS = 8  # of the hash
DECIMALS = 3  # of a camera, metres or pixels: two machines agree on as many


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One prompt. place: the takes its answers are measured against; a clip has `frames` frames, `fps` a second.

    camera: intrinsics and frame 0's extrinsics, row by row: no part of the configuration, but of what is seen.
    """

    place: TakePlace
    camera: tuple[float, ...]
    caption_initial: str
    view: int
    frames: int
    fps: int
    height: int
    width: int

    @property
    def seconds(self) -> float:
        """How long a clip is: every frame is shown for 1/fps."""
        return self.frames / self.fps

    @property
    def clip_id(self) -> str:
        """The clip that begins as the prompt says."""
        return self.place.take1.clip_id

    @property
    def id(self) -> str:
        """The clip's id and a hash of all that is asked."""
        asked = {
            "configuration": self.place.configuration,
            "view": self.view,
            "camera": list(self.camera),
            "caption_initial": self.caption_initial,
            "frames": self.frames,
            "fps": self.fps,
            "size": [self.height, self.width],
        }
        return f"{self.clip_id}-{hashlib.sha256(canonical_json(asked).encode()).hexdigest()[:DIGITS]}"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """T,H,W,3 of the clip."""
        return self.frames, self.height, self.width, 3


def read_prompts(split: Path) -> list[Prompt]:
    """A prompt for every configuration and view of a split; ClipError when it is not there, or has no second takes."""
    rows = read_index(split)
    by_clip = {row.clip_id: row for row in rows}
    prompts = []
    for place in take_places(split, rows):
        row = by_clip[place.take1.clip_id]
        prompts.append(
            Prompt(
                place=place,
                camera=_camera(place),
                caption_initial=row.caption_initial,
                view=row.view,
                frames=row.frames,
                fps=row.fps,
                height=row.height,
                width=row.width,
            )
        )
    return prompts


def places_of(prompts: Sequence[Prompt]) -> list[TakePlace]:
    """Where the takes of each lie."""
    return [prompt.place for prompt in prompts]


def _camera(place: TakePlace) -> tuple[float, ...]:
    arrays = read_part(place.folder, place.take1, ("intrinsics", "extrinsics")).arrays
    values = [*arrays["intrinsics"].ravel().tolist(), *arrays["extrinsics"][0].ravel().tolist()]
    return tuple(round(value, DECIMALS) + 0.0 for value in values)  # no negative zero
