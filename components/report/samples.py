"""samples.npz: the clips that an evaluation kept to be shown. Legend: K clips, T frames, H, W."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.report.catalogue import MODELS

SHOWN = ("truth", *(model for model in MODELS if model != "stage1"))  # stage 1's video is the base's
FIELDS = ("rgb", "depth", "flow")

Fields = Mapping[str, Mapping[str, NDArray[Any]]]  # of one clip, by row and name


@dataclass(frozen=True, kw_only=True)
class Samples:
    """fields: by row and name rgb (K,T,H,W,3), depth (K,T,H,W) in metres, flow (K,T-1,H,W,2) in pixels."""

    fields: Fields
    captions: Sequence[str]
    clip_ids: Sequence[str]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame."""
        height, width = self.fields["truth"]["rgb"].shape[2:4]
        return int(height), int(width)

    @property
    def frames(self) -> int:
        """Frames of a clip."""
        return int(self.fields["truth"]["rgb"].shape[1])

    def clip(self, number: int) -> Fields:
        """The fields of one clip."""
        return {row: {name: array[number] for name, array in arrays.items()} for row, arrays in self.fields.items()}


def read_samples(path: Path) -> Samples:
    """The file; Phys4dError when it is not readable."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            shown = [row for row in SHOWN if f"{row}/rgb" in stored]
            samples = Samples(
                fields={row: {field: stored[f"{row}/{field}"] for field in FIELDS} for row in shown},
                captions=stored["captions"].tolist(),
                clip_ids=stored["clip_ids"].tolist(),
            )
            _ = samples.size
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise Phys4dError(f"{path}: not readable ({error}): run the stage evaluate again") from error
    return samples
