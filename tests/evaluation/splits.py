"""Small splits of discs on disk."""

from collections.abc import Callable
from pathlib import Path

from components.clip import Clip
from components.index import index_row, write_index
from components.shards import new_shard
from tests.evaluation.scenes import BLUE, Disc, disc_clip


def write_split(folder: Path, *, configurations: int, takes: int = 2, clip_of: Callable[..., Clip] = disc_clip) -> Path:
    """Discs of growing speed, a little faster in take 2."""
    rows = []
    with new_shard(folder / "shard-00000.tar") as shard:
        for configuration in range(configurations):
            for take in range(takes):
                step = (2 + 0.4 * configuration + 0.1 * take, 1.0)
                still = Disc(centre=(48, 48), step=(0, -2), colour=BLUE, radius=5)
                clip = clip_of(Disc(step=step), still, configuration=configuration, take=take)
                rows.append(index_row(clip, shard.add(clip)))
    write_index(folder, rows)
    return folder
