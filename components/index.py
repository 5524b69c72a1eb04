"""The index of a split: one Parquet file with a row for every clip, its place, its checksum and its statistics."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.clip import Clip
from components.errors import ClipError
from components.files import write_atomically
from components.shards import Extent, read_clip

if TYPE_CHECKING:
    import pandas as pd

INDEX_FILE = "index.parquet"


@dataclass(frozen=True, kw_only=True)
class IndexRow:
    """What a reader and the gates know of a clip without opening its shard.

    valid_share: of pixels that hit something; moving_share: of the frame-to-frame steps in which an object moves more
    than a millimetre; max_speed in m/s; depths in metres over valid pixels; max_flow in pixels over visible ones.
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
    max_speed: float
    depth_min: float
    depth_max: float
    max_flow: float

    @property
    def extent(self) -> Extent:
        """Where the clip lies."""
        return Extent(clip_id=self.clip_id, shard=self.shard, offset=self.offset, size=self.size, sha256=self.sha256)


def index_row(clip: Clip, extent: Extent) -> IndexRow:
    """The row of a clip that was written at `extent`."""
    depths = clip.depth[clip.valid]
    steps = np.linalg.norm(np.diff(clip.poses[..., :3], axis=0), axis=-1)
    speeds = np.linalg.norm(clip.velocities[..., :3], axis=-1)
    flows = np.linalg.norm(clip.flow, axis=-1)[clip.visible]
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
        max_speed=float(speeds.max(initial=0.0)),
        depth_min=float(depths.min(initial=np.inf)) if depths.size else 0.0,
        depth_max=float(depths.max(initial=0.0)),
        max_flow=float(flows.max(initial=0.0)),
    )


def encode_rows(rows: Sequence[IndexRow]) -> bytes:
    """Rows as a Parquet file: the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(field.name, types[field.type]) for field in fields(IndexRow)])  # type: ignore[index]
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def write_index(folder: Path, rows: Sequence[IndexRow]) -> None:
    """Write the index of a split: the last act that makes the folder a split."""
    write_atomically(folder / INDEX_FILE, encode_rows(rows))


def read_rows(path: Path) -> list[IndexRow]:
    """Rows of one Parquet file; ClipError when it is missing, damaged or of another contract."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise ClipError(f"{path}: not found; run phys4d stage simulate@{path.parent.name}, or dvc pull")
    try:
        records: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return [IndexRow(**record) for record in records]
    except (pa.ArrowException, OSError, TypeError) as error:
        raise ClipError(
            f"{path}: not an index of clips ({' '.join(str(error).split())}); restore it with dvc checkout --force"
        ) from error


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
