"""Stage 3 practises on clips of still cameras alone."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from components.errors import ClipError
from components.index import index_row, write_index
from components.shards import new_shard
from components.training.still_cameras import still_cameras, with_still_cameras
from tests.clips import make_clip
from tests.training.twins import make_practice


def write_split(folder: Path, moves: Sequence[bool]) -> Path:
    """A split of clips whose cameras move or not."""
    rows = []
    with new_shard(folder / "shard-00000.tar") as shard:
        for number, moving in enumerate(moves):
            extrinsics = np.tile(np.eye(4, dtype=np.float32), (5, 1, 1))
            extrinsics[-1, 0, 3] = 0.01 * moving
            clip = make_clip(f"train-rigid-{number:06d}-v0-t0", seed=number, extrinsics=extrinsics)
            rows.append(index_row(clip, shard.add(clip)))
    write_index(folder, rows)
    return folder


def test_clips_whose_camera_moves_are_left_out_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, practice = write_split(tmp_path, [False, True, False, False]), make_practice(4)
    practice.intrinsics[:, 0, 2] += torch.arange(4)
    assert still_cameras(folder).tolist() == [0, 2, 3]
    kept = with_still_cameras(practice, folder)
    assert (len(kept.data), len(kept.truth)) == (3, 3)
    three, theirs = torch.arange(3), torch.tensor([0, 2, 3])
    assert torch.equal(kept.data.batch(three).clean, practice.data.latents[theirs])
    assert torch.equal(kept.data.condition(three).text, practice.data.text[theirs])
    assert torch.equal(kept.truth[three].flow, practice.truth[theirs].flow)
    assert torch.equal(kept.intrinsics, practice.intrinsics[theirs])
    numbers, _ = kept.data.draw(50, torch.Generator().manual_seed(0))
    assert set(numbers.tolist()) == {0, 1, 2}
    assert "leaves out 1 of 4 clips" in capsys.readouterr().err


def test_where_no_camera_moves_nothing_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, practice = write_split(tmp_path, [False, False]), make_practice(2)
    assert with_still_cameras(practice, folder) is practice
    assert not capsys.readouterr().err


def test_where_every_camera_moves_there_is_nothing_to_practise_on(tmp_path: Path) -> None:
    folder, practice = write_split(tmp_path, [True, True]), make_practice(2)
    with pytest.raises(ClipError, match=r"the camera moves in all 2 clips.*lower simulation.camera.orbit.share"):
        with_still_cameras(practice, folder)
