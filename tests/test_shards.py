"""Shards keep clips exactly, and every damage is found and named."""

import tarfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from components import shards
from components.clip import Clip
from components.errors import ClipError
from components.index import IndexRow, index_row, read_index, read_split, write_index
from components.shards import Extent, new_shard, read_clip, read_part, verify_shard
from tests.clips import make_clip


def write_clips(folder: Path, count: int = 3) -> list[Extent]:
    with new_shard(folder / "shard-00000.tar") as shard:
        return [shard.add(make_clip(f"train-rigid-{number:06d}-v0-t0", seed=number)) for number in range(count)]


def assert_same(left: Clip, right: Clip) -> None:
    assert left.description() == right.description()
    for name, array in left.arrays().items():
        np.testing.assert_array_equal(array, right.arrays()[name], err_msg=name)


def test_every_array_comes_back_bit_for_bit(tmp_path: Path) -> None:
    for number, extent in enumerate(write_clips(tmp_path)):
        assert_same(read_clip(tmp_path, extent), make_clip(extent.clip_id, seed=number))


def test_a_shard_is_a_plain_tar_without_times_or_owners(tmp_path: Path) -> None:
    write_clips(tmp_path)
    with tarfile.open(tmp_path / "shard-00000.tar") as archive:
        members = archive.getmembers()
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}
    keys = [member.name.split(".", 1)[0] for member in members]
    assert keys == sorted(keys)


def test_the_same_clips_give_the_same_bytes(tmp_path: Path) -> None:
    write_clips(tmp_path / "a")
    write_clips(tmp_path / "b")
    assert (tmp_path / "a/shard-00000.tar").read_bytes() == (tmp_path / "b/shard-00000.tar").read_bytes()


def test_an_empty_shard_is_named_with_the_clip(tmp_path: Path) -> None:
    extent = write_clips(tmp_path)[1]
    (tmp_path / "shard-00000.tar").write_bytes(b"")
    with pytest.raises(ClipError, match=r"train-rigid-000001-v0-t0: shard .*shard-00000.tar has 0 bytes, expected"):
        read_clip(tmp_path, extent)


def test_an_index_without_its_shard_is_named(tmp_path: Path) -> None:
    extent = write_clips(tmp_path)[0]
    (tmp_path / "shard-00000.tar").unlink()
    with pytest.raises(
        ClipError,
        match=r"the index names shard .*shard-00000.tar, which is not there; run dvc checkout",
    ):
        read_clip(tmp_path, extent)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.999, 1.0])
def test_a_flipped_byte_anywhere_is_found(tmp_path: Path, share: float) -> None:
    extents = write_clips(tmp_path)
    path = tmp_path / "shard-00000.tar"
    content = bytearray(path.read_bytes())
    place = int(share * (len(content) - 1))
    content[place] ^= 1
    path.write_bytes(content)
    damages = verify_shard(path, extents)
    hit = [extent for extent in extents if extent.offset <= place < extent.offset + extent.size]
    assert len(damages) == 1
    assert "shard-00000.tar" in str(damages[0])
    assert all(extent.clip_id in str(damages[0]) for extent in hit)


@pytest.mark.parametrize("kept", [(0, 2), (1, 2), (0, 1)])
def test_bytes_of_no_clip_are_damage(tmp_path: Path, kept: tuple[int, ...]) -> None:
    extents = write_clips(tmp_path)
    (damage,) = verify_shard(tmp_path / "shard-00000.tar", [extents[number] for number in kept])
    assert "shard-00000.tar" in str(damage)


def test_the_order_of_extents_is_free(tmp_path: Path) -> None:
    assert verify_shard(tmp_path / "shard-00000.tar", write_clips(tmp_path)[::-1]) == []


def test_bytes_after_the_archive_are_damage(tmp_path: Path) -> None:
    extents = write_clips(tmp_path)
    with (tmp_path / "shard-00000.tar").open("ab") as file:
        file.write(b"\0")
    (damage,) = verify_shard(tmp_path / "shard-00000.tar", extents)
    assert "damaged after its last clip" in str(damage)


def test_a_clip_is_not_taken_for_another(tmp_path: Path) -> None:
    first, second, _ = write_clips(tmp_path)
    with pytest.raises(ClipError, match=f"clip {first.clip_id} in .*its place holds {second.clip_id}"):
        read_clip(tmp_path, replace(second, clip_id=first.clip_id))


def test_a_damaged_file_is_mended_even_when_its_cached_copy_is_bad(tmp_path: Path) -> None:
    extent = write_clips(tmp_path / "dev")[0]
    with pytest.raises(
        ClipError, match=r"run dvc checkout --force, or phys4d stage simulate@dev --force if its cached"
    ):
        read_clip(tmp_path / "dev", replace(extent, sha256="0" * 64))


def test_an_intact_shard_has_no_damage(tmp_path: Path) -> None:
    extents = write_clips(tmp_path)
    assert verify_shard(tmp_path / "shard-00000.tar", extents) == []


def test_a_clip_with_nan_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    depth = make_clip().depth.copy()
    depth[0, 0, 0] = np.nan
    with pytest.raises(ClipError, match="depth"), new_shard(tmp_path / "shard-00000.tar") as shard:
        shard.add(make_clip())
        shard.add(make_clip(depth=depth))
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_a_clip_holds_the_arrays_that_were_asked_for(tmp_path: Path) -> None:
    for extent in write_clips(tmp_path):
        clip = read_clip(tmp_path, extent)
        part = read_part(tmp_path, extent, ("depth", "rgb"))
        assert sorted(part.arrays) == ["depth", "rgb"]
        np.testing.assert_array_equal(part.arrays["depth"], clip.depth)
        np.testing.assert_array_equal(part.arrays["rgb"], clip.rgb)
        assert (part.meta, part.objects) == (clip.meta, clip.objects)


def test_a_part_knows_which_objects_may_move(tmp_path: Path) -> None:
    clip = make_clip()
    (ball,) = clip.objects
    still = replace(ball, id=3, dynamic=False)
    two = replace(
        clip,
        objects=(ball, still),
        poses=clip.poses.repeat(2, axis=1),
        velocities=clip.velocities.repeat(2, axis=1),
    )
    with new_shard(tmp_path / "shard-00000.tar") as shard:
        extent = shard.add(two)
    assert read_part(tmp_path, extent, ()).dynamic == [2]


def test_a_part_costs_no_more_than_its_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extent = write_clips(tmp_path)[1]
    unpacked, decompress = [], shards._decompress

    def count(content: bytes) -> NDArray[Any]:
        unpacked.append(len(content))
        return decompress(content)

    monkeypatch.setattr(shards, "_decompress", count)
    read_part(tmp_path, extent, ("intrinsics",))
    assert len(unpacked) == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_part_is_verified_with_the_whole_of_its_clip(tmp_path: Path, share: float) -> None:
    extent = write_clips(tmp_path)[1]
    path = tmp_path / extent.shard
    content = bytearray(path.read_bytes())
    content[extent.offset + int(share * (extent.size - 1))] ^= 1
    path.write_bytes(content)
    with pytest.raises(ClipError, match=f"clip {extent.clip_id}: its bytes in shard .* do not match"):
        read_part(tmp_path, extent, ("intrinsics",))


def test_a_part_that_no_clip_has_is_named(tmp_path: Path) -> None:
    extent = write_clips(tmp_path)[0]
    with pytest.raises(ClipError, match=rf"clip {extent.clip_id} in .*: not readable \(KeyError: .*albedo"):
        read_part(tmp_path, extent, ("albedo",))


def write_indexed(folder: Path) -> list[IndexRow]:
    rows = []
    with new_shard(folder / "shard-00000.tar") as shard:
        for number in range(3):
            clip = make_clip(f"train-rigid-{number:06d}-v0-t0", seed=number)
            rows.append(index_row(clip, shard.add(clip)))
    write_index(folder, rows)
    return rows


def test_the_index_survives_the_round_trip_and_has_stable_bytes(tmp_path: Path) -> None:
    rows = write_indexed(tmp_path / "a")
    write_indexed(tmp_path / "b")
    assert read_index(tmp_path / "a") == rows
    assert (tmp_path / "a/index.parquet").read_bytes() == (tmp_path / "b/index.parquet").read_bytes()


def test_a_split_is_read_in_the_order_of_its_index(tmp_path: Path) -> None:
    rows = write_indexed(tmp_path)
    assert [clip.meta.clip_id for clip in read_split(tmp_path)] == [row.clip_id for row in rows]


def test_statistics_in_the_index_are_those_of_the_clip(tmp_path: Path) -> None:
    row, clip = write_indexed(tmp_path)[0], make_clip("train-rigid-000000-v0-t0", seed=0)
    assert row.valid_share == 1.0
    assert row.depth_min == clip.depth.min()
    assert row.max_speed == pytest.approx(np.linalg.norm(clip.velocities[..., :3], axis=-1).max())


def test_seen_share_counts_frames_with_four_pixels_of_dynamic_objects(tmp_path: Path) -> None:
    segmentation = np.zeros((5, 6, 8), dtype=np.uint16)
    segmentation[0, 0, :4] = segmentation[1, 0, :3] = 2
    segmentation[2] = 1
    clip = make_clip(segmentation=segmentation)
    with new_shard(tmp_path / "shard-00000.tar") as shard:
        extent = shard.add(clip)
    assert index_row(clip, extent).seen_share == 1 / 5
    still = replace(clip, objects=tuple(replace(thing, dynamic=False) for thing in clip.objects))
    assert index_row(still, extent).seen_share == 0.0


@pytest.mark.parametrize("damage", [b"", b"not parquet at all", b"PAR1" * 99])
def test_a_damaged_index_is_named(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "index.parquet").write_bytes(damage)
    with pytest.raises(ClipError, match="not an index of clips"):
        read_index(tmp_path)


def rewrite(folder: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change the table of an index behind the back of its contract."""
    write_indexed(folder)
    pq.write_table(change(pq.read_table(folder / "index.parquet")), folder / "index.parquet")


@pytest.mark.parametrize("column", [field.name for field in fields(IndexRow)])
def test_an_index_without_a_column_is_refused(tmp_path: Path, column: str) -> None:
    rewrite(tmp_path, lambda table: table.drop_columns(column))
    with pytest.raises(ClipError, match=f"its columns are not those of the contract: {column}"):
        read_index(tmp_path)


def test_an_index_with_a_column_too_many_is_refused(tmp_path: Path) -> None:
    rewrite(tmp_path, lambda table: table.append_column("extra", table["view"]))
    with pytest.raises(ClipError, match="its columns are not those of the contract: extra"):
        read_index(tmp_path)


def test_an_index_with_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    rewrite(tmp_path, lambda table: table.set_column(2, "offset", pa.array([0.5, 1.5, 2.5])))
    with pytest.raises(ClipError, match="not an index of clips"):
        read_index(tmp_path)


def test_a_missing_index_names_the_stage_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"phys4d stage simulate@dev --force"):
        read_index(tmp_path / "dev")


def test_text_in_the_index_that_is_no_text_is_named(tmp_path: Path) -> None:
    write_indexed(tmp_path)
    table = pq.read_table(tmp_path / "index.parquet")
    place = table.column_names.index("caption")
    bytes_of_no_text = pa.array([b"\xb1\xff"] * len(table)).view(pa.string())
    pq.write_table(table.set_column(place, "caption", bytes_of_no_text), tmp_path / "index.parquet")
    with pytest.raises(ClipError, match="not an index of clips"):
        read_index(tmp_path)
