"""The index of a split: one Parquet file with a row for every clip, its place, its checksum and its statistics."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.clip import BETWEEN, Clip
from components.errors import ClipError
from components.files import write_atomically
from components.shards import SHARD_NAME, Extent, read_clip, remedy
from components.tables import encode_table, read_table

if TYPE_CHECKING:
    import pandas as pd

INDEX_FILE = "index.parquet"
SUMMARY_FILE = "summary.json"
SEEN_PIXELS = 4  # of dynamic objects: fewer show no motion


@dataclass(frozen=True, kw_only=True)
class IndexRow:
    """What a reader and the gates know of a clip without opening its shard.

    valid_share: of pixels that hit something; moving_share: of the frame-to-frame steps in which an object moves more
    than a millimetre; seen_share: of the frames in which dynamic objects cover at least SEEN_PIXELS; max_speed in m/s;
    depths in metres over valid pixels; max_flow in pixels over visible ones.
    """

    clip_id: str
    shard: str
    offset: int
    size: int
    sha256: str
    split: str
    category: str
    family: str
    configuration: str
    view: int
    take: int
    seed: int
    attempts: int
    rejections: str
    frames: int
    height: int
    width: int
    fps: int
    objects: int
    caption: str
    caption_initial: str
    future_determined: bool
    approximate: bool
    valid_share: float
    moving_share: float
    seen_share: float
    max_speed: float
    depth_min: float
    depth_max: float
    max_flow: float

    @property
    def extent(self) -> Extent:
        """Where the clip lies."""
        return Extent(clip_id=self.clip_id, shard=self.shard, offset=self.offset, size=self.size, sha256=self.sha256)


def index_row(clip: Clip, extent: Extent) -> IndexRow:
    """The row of a clip that was written at `extent`: exact, so that a gate can compare it with the index."""
    depths = clip.depth[clip.valid]
    steps = np.linalg.norm(np.diff(clip.poses[..., :3], axis=0), axis=-1)
    speeds = np.linalg.norm(clip.velocities[..., :3], axis=-1)
    flows = (clip.flow[..., 0] ** 2 + clip.flow[..., 1] ** 2)[clip.visible]
    seen = np.isin(clip.segmentation, [thing.id for thing in clip.objects if thing.dynamic]).sum(axis=(1, 2))
    frames, height, width, _ = clip.rgb.shape
    shared = {field.name for field in fields(IndexRow)} & {field.name for field in fields(clip.meta)}
    return IndexRow(
        **{name: getattr(clip.meta, name) for name in shared},
        **{name: value for name, value in asdict(extent).items() if name not in shared},
        frames=frames,
        height=height,
        width=width,
        objects=len(clip.objects),
        valid_share=float(clip.valid.mean()),
        moving_share=float((steps > 1e-3).any(axis=1).mean()) if steps.size else 0.0,
        seen_share=float((seen >= SEEN_PIXELS).mean()),
        max_speed=float(speeds.max(initial=0.0)),
        depth_min=float(depths.min(initial=np.inf)) if depths.size else 0.0,
        depth_max=float(depths.max(initial=0.0)),
        max_flow=float(np.sqrt(flows.max(initial=0.0))),
    )


def encode_rows(rows: Sequence[IndexRow]) -> bytes:
    """Rows as a Parquet file: the same rows give the same bytes."""
    return encode_table(rows, IndexRow)


def write_index(folder: Path, rows: Sequence[IndexRow]) -> None:
    """Write summary and index of a split: the last act that makes the folder a split."""
    write_atomically(folder / SUMMARY_FILE, json.dumps(summary(rows), indent=1).encode())
    write_atomically(folder / INDEX_FILE, encode_rows(rows))


def summary(rows: Sequence[IndexRow]) -> dict[str, dict[str, Any]]:
    """By category/family: how many configurations were drawn, and how many draws the guard rejected, by cause."""
    families: dict[str, dict[str, Any]] = {}
    for row in {row.configuration: row for row in rows}.values():
        _of(families, row.category, row.family)["configurations"] += 1
        for rejection in row.rejections.split(BETWEEN) if row.rejections else ():
            family, cause = rejection.split(": ", 1)
            rejects = _of(families, row.category, family)["rejects"]
            rejects[cause] = rejects.get(cause, 0) + 1
    return dict(sorted(families.items()))


def _of(families: dict[str, dict[str, Any]], category: str, family: str) -> dict[str, Any]:
    return families.setdefault(f"{category}/{family}", {"configurations": 0, "rejects": {}})


def read_rows(path: Path) -> list[IndexRow]:
    """Rows of one Parquet file; ClipError when it is missing, damaged, of another contract or a row is incomplete."""
    remaking = f"run dvc pull, or phys4d stage simulate@{path.parent.name} --force"
    rows = read_table(path, IndexRow, remedy=remedy(path.parent) if path.is_file() else remaking)
    for number, row in enumerate(rows):
        if fault := _fault(row):
            raise ClipError(f"{path}: row {number}, clip {row.clip_id}, {fault}; {remedy(path.parent)}")
    return rows


def _fault(row: IndexRow) -> str:
    """What keeps a clip from being found: a place that cannot be."""
    if row.offset < 0 or row.size < 1:
        return f"has offset {row.offset} and size {row.size}, expected at least 0 and 1"
    if not SHARD_NAME.fullmatch(row.shard):
        return f"has shard {row.shard!r}, expected a file name as shard-00000.tar"
    return ""


def read_index(folder: Path) -> list[IndexRow]:
    """The index of a split."""
    return read_rows(folder / INDEX_FILE)


def index_frame(rows: Sequence[IndexRow]) -> "pd.DataFrame":
    """Rows as a data frame, for the gates."""
    import pandas as pd

    return pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(IndexRow)])


def read_split(folder: Path) -> Iterator[Clip]:
    """Every clip of a split in the order of its index, verified."""
    for row in read_index(folder):
        yield read_clip(folder, row.extent)
