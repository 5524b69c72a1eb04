"""The tiny world as the files that stages read: simulated clips, and videos with pseudo-labels."""

from pathlib import Path

import numpy as np

from components.clip import Clip
from components.index import index_row, write_index
from components.pseudo_labels.storage import LabelledVideo, LabelRow, Video, write_labelled, write_video
from components.shards import new_shard
from components.tables import encode_table
from tests.clips import make_clip
from tests.training.twins import FRAMES, World

EACH = 3  # clips of a shard


def write_simulation(folder: Path, world: World) -> Path:
    """A split of the world's clips, in shards of a few."""
    rows = []
    for start in range(0, len(world.rgb), EACH):
        with new_shard(folder / f"shard-{start // EACH:05d}.tar") as shard:
            for number in range(start, min(start + EACH, len(world.rgb))):
                clip = _clip(world, number)
                rows.append(index_row(clip, shard.add(clip)))
    write_index(folder, rows)
    return folder


def write_labels(folder: Path, world: World, *, kinds: tuple[str, ...] = ("affine_disparity",)) -> Path:
    """Labels of the world's clips: disparity, flow and a confidence of a half; `kinds` of depth take turns."""
    rows: list[LabelRow] = []
    with new_shard(folder / "videos.tar") as videos, new_shard(folder / "shard-00000.tar") as shard:
        for number, rgb in enumerate(world.rgb):
            name = f"clip{number}"
            row = write_video(videos, Video(clip_id=name, caption="", rgb=rgb, source="world"), simulated=True)
            labelled = LabelledVideo(
                clip_id=name,
                caption="",
                rgb=rgb,
                depth=(-world.truth.log_depth[number]).exp().numpy(),
                depth_kind=kinds[number % len(kinds)],  # type: ignore[arg-type]
                flow=np.ascontiguousarray(world.truth.flow[number].movedim(1, -1).numpy()),
                confidence=np.full(world.truth.depth_change[number].shape, 0.5, np.float32),
            )
            rows.append(write_labelled(shard, labelled, row))
    (folder / "index.parquet").write_bytes(encode_table(rows, LabelRow))
    return folder


def _clip(world: World, number: int) -> Clip:
    truth, rng = world.truth, np.random.default_rng(number)
    return make_clip(
        f"train-rigid-{number:06d}-v0-t0",
        seed=number,
        rgb=world.rgb[number],
        depth=truth.log_depth[number].exp().numpy(),
        valid=truth.valid[number].numpy(),
        flow=np.ascontiguousarray(truth.flow[number].movedim(1, -1).numpy()),
        depth_change=truth.depth_change[number].numpy(),
        visible=truth.visible[number].numpy(),
        segmentation=(1 + truth.foreground[number].numpy()).astype(np.uint16),
        extrinsics=np.tile(np.eye(4, dtype=np.float32), (FRAMES, 1, 1)),
        tracks=rng.normal(size=(FRAMES, 4, 3)).astype(np.float32),
        tracks_visible=np.ones((FRAMES, 4), np.bool_),
        poses=rng.normal(size=(FRAMES, 1, 7)).astype(np.float32),
        velocities=rng.normal(size=(FRAMES, 1, 6)).astype(np.float32),
    )
