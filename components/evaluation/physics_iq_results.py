"""Results of finished cases, kept so that a run that was stopped goes on where it was.

A result is found by what it follows from alone: the bytes of the three videos, the frame rate, the code that measures,
the versions of OpenCV and numpy and the processor's instructions (vector widths round grey levels differently). So
none can be stale, and the same case is measured once, whatever the videos are called and wherever they lie.
"""

import hashlib
import json
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from components.errors import ParametersError
from components.evaluation import (
    physics_iq,
    physics_iq_agreement,
    physics_iq_masks,
    physics_iq_videos,
)
from components.evaluation.physics_iq_agreement import COLUMNS, Agreement
from components.evaluation.physics_iq_folders import CaseVideos
from components.evaluation.physics_iq_score import PhysicsIqCase
from components.files import write_atomically

MEASURING = (physics_iq, physics_iq_agreement, physics_iq_masks, physics_iq_videos)
PARTS = ("take1", "take2", "variance")


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """A folder of results, one small JSON file a case."""

    folder: Path

    def load(self, key: str, case: CaseVideos) -> PhysicsIqCase | None:
        """The result of a case; None when there is none that can be read: it is measured again then."""
        try:
            document = json.loads(self._path(key).read_bytes())
            values = np.array([document[part] for part in PARTS], np.float64)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if values.shape != (len(PARTS), len(COLUMNS)) or not np.isfinite(values).all():
            return None
        take1, take2, variance = (Agreement(**dict(zip(COLUMNS, row, strict=True))) for row in values.tolist())
        return PhysicsIqCase(scenario=case.scenario, view=case.view, take1=take1, take2=take2, variance=variance)

    def save(self, key: str, case: PhysicsIqCase) -> None:
        """Keep the result of a case."""
        content = {part: astuple(getattr(case, part)) for part in PARTS}
        write_atomically(self._path(key), json.dumps(content).encode())

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def result_key(case: CaseVideos, *, fps: float) -> str:
    """Under what the result of a case is kept: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for video in (case.generated, case.take1, case.take2):
        digest.update(_hash(video.path))
    digest.update(f"{fps!r} {measuring_version()}".encode())
    return digest.hexdigest()


@cache
def measuring_version() -> str:
    """What measures here: the code, the libraries, the processor."""
    code = hashlib.sha256(b"".join(_hash(Path(module.__file__)) for module in MEASURING if module.__file__))
    return f"{code.hexdigest()} opencv {cv2.__version__} numpy {np.__version__} {cv2.getCPUFeaturesLine()}"


def _hash(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise ParametersError(f"{path} cannot be read ({error.strerror}): make or copy this video again") from error
