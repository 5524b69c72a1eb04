"""Clip: the one data contract. Arrays of a clip, their dtypes and shapes, and what makes one valid.

Legend: T frames, H height, W width, P tracked material points, N objects. Camera: OpenCV, pinhole, pixel centres at
integer coordinates. Lengths in metres, flow in pixels.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.canonical import canonical_json
from components.errors import ClipError

FLOW_STEP = 1 / 256  # pixels: what flow is rounded to before compression
BETWEEN = "; "  # rejections
DEPTH_STEP = 2.0**-17  # metres, 7.6e-6: a power of two leaves trailing zero bits, which compress

SPECIFICATION: Mapping[str, tuple[str, tuple[str | int, ...]]] = {
    "rgb": ("uint8", ("T", "H", "W", 3)),
    "depth": ("float32", ("T", "H", "W")),
    "valid": ("bool", ("T", "H", "W")),
    "flow": ("float32", ("T-1", "H", "W", 2)),
    "depth_change": ("float32", ("T-1", "H", "W")),
    "visible": ("bool", ("T-1", "H", "W")),
    "segmentation": ("uint16", ("T", "H", "W")),
    "intrinsics": ("float32", (3, 3)),
    "extrinsics": ("float32", ("T", 4, 4)),
    "tracks": ("float32", ("T", "P", 3)),
    "tracks_visible": ("bool", ("T", "P")),
    "track_ids": ("uint16", ("P",)),
    "poses": ("float32", ("T", "N", 7)),
    "velocities": ("float32", ("T", "N", 6)),
}


@dataclass(frozen=True, kw_only=True)
class ClipObject:
    """One instance. `id`: its value in `segmentation`; its pose and velocity: column of `poses`, `velocities`."""

    id: int
    name: str
    kind: Literal["rigid", "deformable", "particles"]
    category: str
    dynamic: bool
    mass: float
    material: str


@dataclass(frozen=True, kw_only=True)
class ClipMeta:
    """Where a clip comes from and what it says. `configuration`: sha256 of `parameters` without `initial_state`.

    attempts: how many draws it took; rejections: "family: cause" of each that the guard rejected, with
    BETWEEN between them.
    """

    clip_id: str
    split: str
    category: str
    family: str
    configuration: str
    view: int
    take: int
    seed: int
    attempts: int
    rejections: str
    fps: int
    caption: str
    caption_initial: str
    parameters: Mapping[str, Any]
    solver: str
    versions: Mapping[str, str]
    future_determined: bool
    approximate: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """An annotated clip; `SPECIFICATION` gives the dtype and shape of every array.

    rgb sRGB. depth z-depth, far plane where not valid. flow: the surface point at p in frame t is at p + flow in t+1
    (sky: a point at infinity). depth_change: z of that point at t+1 in camera t+1, minus z at t. visible: that point
    is in frame and unoccluded at t+1. segmentation: 0 no hit, 1 static world, >= 2 objects. extrinsics: world to
    camera. tracks: material points in the world, track_ids the object of each. poses: xyz, quaternion xyzw.
    velocities: linear, angular.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    flow: NDArray[np.float32]
    depth_change: NDArray[np.float32]
    visible: NDArray[np.bool_]
    segmentation: NDArray[np.uint16]
    intrinsics: NDArray[np.float32]
    extrinsics: NDArray[np.float32]
    tracks: NDArray[np.float32]
    tracks_visible: NDArray[np.bool_]
    track_ids: NDArray[np.uint16]
    poses: NDArray[np.float32]
    velocities: NDArray[np.float32]
    objects: tuple[ClipObject, ...]
    meta: ClipMeta

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array by its name in `SPECIFICATION`, in that order."""
        return {name: getattr(self, name) for name in SPECIFICATION}

    def validate(self) -> None:
        """Raise ClipError that names the field, what was found and what was expected."""
        sizes: dict[str, int] = {"T": len(self.rgb), "T-1": len(self.rgb) - 1, "N": len(self.objects)}
        for name, array in self.arrays().items():
            dtype, shape = SPECIFICATION[name]
            if array.dtype != np.dtype(dtype):
                raise ClipError(f"clip {self.meta.clip_id}: {name} has dtype {array.dtype}, expected {dtype}")
            if array.ndim != len(shape):
                raise ClipError(f"clip {self.meta.clip_id}: {name} has shape {array.shape}, expected {_show(shape)}")
            for axis, (size, found) in enumerate(zip(shape, array.shape, strict=True)):
                expected = size if isinstance(size, int) else sizes.setdefault(size, found)
                if found != expected:
                    raise ClipError(
                        f"clip {self.meta.clip_id}: axis {axis} of {name} is {found}, expected {expected}: "
                        f"shapes are {_show(shape)} with the same T, H, W, P, N in every field"
                    )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                raise ClipError(
                    f"clip {self.meta.clip_id}: {name}{list(place)} is {array[place]}, expected a finite number; "
                    f"{int((~np.isfinite(array)).sum())} of {array.size} values are not: simulate the clip again"
                )
        found = np.flatnonzero(np.bincount(self.segmentation.ravel())).tolist()
        unknown = set(found) - {0, 1} - {thing.id for thing in self.objects}
        if unknown:
            raise ClipError(
                f"clip {self.meta.clip_id}: segmentation holds ids {sorted(unknown)}, expected 0, 1 and the ids of "
                f"its objects {[thing.id for thing in self.objects]}"
            )

    def description(self) -> str:
        """Objects and meta as canonical JSON: the same clip gives the same text."""
        return canonical_json({"objects": [asdict(thing) for thing in self.objects], "meta": asdict(self.meta)})


def _show(shape: tuple[str | int, ...]) -> str:
    return "(" + ", ".join(str(size) for size in shape) + ")"


def parse_description(text: str) -> tuple[tuple[ClipObject, ...], ClipMeta]:
    """The inverse of `Clip.description`; ClipError when a key is missing or unknown."""
    try:
        document = json.loads(text)
        return tuple(ClipObject(**thing) for thing in document["objects"]), ClipMeta(**document["meta"])
    except (ValueError, TypeError, KeyError) as error:
        expected = ", ".join(field.name for field in fields(ClipMeta))
        raise ClipError(
            f"the description of a clip is not readable ({error}); expected meta with {expected}"
        ) from error


def quantise(values: NDArray[np.floating[Any]], step: float) -> NDArray[np.float32]:
    """Round to multiples of `step`, as float32."""
    return (np.round(np.asarray(values, np.float64) / step) * step).astype(np.float32)
