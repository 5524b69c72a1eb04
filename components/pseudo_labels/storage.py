"""Videos and their labels on disk: tar shards and an index, as simulated clips have them.

Legend: T frames, H height, W width. Labels lie in half precision, flow and confidence on a grid besides: all that is
far less than an estimator's error, and it compresses.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.canonical import canonical_json
from components.errors import ClipError
from components.index import INDEX_FILE
from components.pseudo_labels.protocols import DepthKind
from components.shards import Extent, ShardWriter, pack, read_arrays, remedy
from components.tables import R, read_table

FLOW_STEP = 1 / 64  # pixels
CONFIDENCE_STEP = 1 / 128
LABELS = ("depth", "flow", "confidence")


@dataclass(frozen=True, kw_only=True, eq=False)
class Video:
    """T frames: rgb (T,H,W,3) uint8, their caption, and the file or simulated clip they come from."""

    clip_id: str
    caption: str
    rgb: NDArray[np.uint8]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledVideo:
    """A video with what estimators say of it.

    rgb (T,H,W,3) uint8; depth (T,H,W) float32 of `depth_kind`: metres, or disparity or depth up to scale and shift;
    flow (T-1,H,W,2) float32 in pixels, from a frame to the next; confidence (T-1,H,W) float32 of flow, in [0,1].
    """

    clip_id: str
    caption: str
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    depth_kind: DepthKind
    flow: NDArray[np.float32]
    confidence: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class VideoRow:
    """Index of videos. simulated: whether a simulator made it; motion: mean change between frames, in grey levels."""

    clip_id: str
    shard: str
    offset: int
    size: int
    sha256: str
    caption: str
    source: str
    simulated: bool
    frames: int
    height: int
    width: int
    motion: float

    @property
    def extent(self) -> Extent:
        """Where the video lies."""
        return Extent(clip_id=self.clip_id, shard=self.shard, offset=self.offset, size=self.size, sha256=self.sha256)


@dataclass(frozen=True, kw_only=True)
class LabelRow(VideoRow):
    """Index of labelled videos. finite_share: of all values; depth_spread: standard deviation of depth within the
    clip; mean_confidence: of flow; max_flow in pixels along either axis. All but the first are over finite values."""

    depth_kind: str
    finite_share: float
    depth_spread: float
    mean_confidence: float
    max_flow: float


def write_video(shard: ShardWriter, video: Video, *, simulated: bool) -> VideoRow:
    """Append a video to an open shard; its row."""
    description = canonical_json({"caption": video.caption, "source": video.source})
    extent = shard.append(video.clip_id, pack(video.clip_id, {"rgb": video.rgb}, description))
    frames, height, width, _ = video.rgb.shape
    return VideoRow(
        **asdict(extent),
        caption=video.caption,
        source=video.source,
        simulated=simulated,
        frames=frames,
        height=height,
        width=width,
        motion=motion_of(video.rgb),
    )


def write_labelled(shard: ShardWriter, labelled: LabelledVideo, video: VideoRow) -> LabelRow:
    """Append a labelled video to an open shard, its labels rounded; its row."""
    _check_shapes(labelled)
    with np.errstate(over="ignore"):  # beyond half precision is infinite, which the gate refuses
        labels = {
            "depth": labelled.depth.astype(np.float16),
            "flow": _on_grid(labelled.flow, FLOW_STEP),
            "confidence": _on_grid(labelled.confidence, CONFIDENCE_STEP),
        }
    description = canonical_json({"caption": labelled.caption, "depth_kind": labelled.depth_kind})
    content = pack(labelled.clip_id, {"rgb": labelled.rgb, **labels}, description)
    place = asdict(shard.append(labelled.clip_id, content))
    figures = figures_of(**{name: array.astype(np.float32) for name, array in labels.items()})
    return LabelRow(**{**asdict(video), **place, **figures}, depth_kind=labelled.depth_kind)


def read_video(folder: Path, row: VideoRow) -> Video:
    """One video, verified; ClipError names it."""
    arrays, text = read_arrays(folder, row.extent, ("rgb",))
    description = json.loads(text)
    return Video(clip_id=row.clip_id, caption=description["caption"], rgb=arrays["rgb"], source=description["source"])


def read_label(folder: Path, row: LabelRow) -> LabelledVideo:
    """One labelled video, verified; ClipError names it."""
    arrays, text = read_arrays(folder, row.extent, ("rgb", *LABELS))
    description = json.loads(text)
    labelled = LabelledVideo(
        clip_id=row.clip_id,
        caption=description["caption"],
        rgb=arrays["rgb"],
        depth_kind=description["depth_kind"],
        **{name: arrays[name].astype(np.float32) for name in LABELS},
    )
    _check_shapes(labelled)
    return labelled


def read_videos(folder: Path) -> Iterator[Video]:
    """Every video of data/videos, in the order of its index."""
    for row in read_rows(folder, VideoRow):
        yield read_video(folder, row)


def read_labelled(folder: Path) -> Iterator[LabelledVideo]:
    """Every labelled video of data/pseudo_labels, in the order of its index."""
    for row in read_rows(folder, LabelRow):
        yield read_label(folder, row)


def rgb_of(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """RGB (T,H,W,3) of every labelled video, in the order of its index; nothing else of it is read."""
    for row in read_rows(folder, LabelRow):
        arrays, _ = read_arrays(folder, row.extent, ("rgb",))
        yield arrays["rgb"]


def read_rows(folder: Path, kind: type[R]) -> list[R]:
    """The index of a folder."""
    return read_table(folder / INDEX_FILE, kind, remedy=remedy(folder))


def motion_of(rgb: NDArray[np.uint8]) -> float:
    """Mean change from frame to frame over all values, in grey levels of 255."""
    flat = rgb.reshape(len(rgb), -1)
    return float(cv2.absdiff(flat[1:], flat[:-1]).mean())


def figures_of(
    depth: NDArray[np.float32], flow: NDArray[np.float32], confidence: NDArray[np.float32]
) -> dict[str, float]:
    """What a row of LabelRow says of labels as they are read: depth (T,H,W), flow (T-1,H,W,2), its confidence."""
    labels = (depth, flow, confidence)
    finite = [values[np.isfinite(values)] for values in labels]
    return {
        "finite_share": sum(values.size for values in finite) / sum(values.size for values in labels),
        "depth_spread": float(finite[0].std(dtype=np.float64)) if finite[0].size else 0.0,
        "mean_confidence": float(finite[2].mean(dtype=np.float64)) if finite[2].size else 0.0,
        "max_flow": float(np.abs(finite[1]).max(initial=0.0)),
    }


def _on_grid(values: NDArray[np.float32], step: float) -> NDArray[np.float16]:
    return (np.round(values * np.float32(1 / step)) * np.float32(step)).astype(np.float16)


def _check_shapes(labelled: LabelledVideo) -> None:
    T, H, W, _ = labelled.rgb.shape
    expected = {"depth": (T, H, W), "flow": (T - 1, H, W, 2), "confidence": (T - 1, H, W)}
    for name, shape in expected.items():
        array = getattr(labelled, name)
        if array.shape != shape or array.dtype != np.float32:
            raise ClipError(
                f"clip {labelled.clip_id}: {name} is {array.dtype} {array.shape}, expected float32 {shape}: "
                "run phys4d stage pseudo_label --force"
            )
