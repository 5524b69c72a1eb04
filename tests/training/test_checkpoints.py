"""A checkpoint is whole or is not taken; then the one before it is."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from components.training import trainer
from components.training.checkpoints import (
    CHECKPOINT_FILE,
    PREVIOUS_FILE,
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from components.training.trainer import train
from tests.training.learners import stage1
from tests.training.twins import assert_same, surroundings


def checkpoint(number: int) -> Checkpoint:
    """As many steps as `number`, and tensors of several types and shapes."""
    return Checkpoint(
        history=[{"loss": 1 / (step + 3)} for step in range(number)],
        state={
            "weights": torch.full((3, 2), float(number)),
            "half": torch.full((5,), number, dtype=torch.bfloat16),
            "step": torch.tensor(float(number)),
            "generator": torch.Generator().manual_seed(number).get_state(),
            "nothing": torch.empty(0),
            "mask": torch.tensor([True, False]),
        },
    )


def found(folder: Path) -> int:
    """Of how many steps the checkpoint is that is read; its tensors are those of that step."""
    read = read_checkpoint(folder)
    assert read
    assert read.history == checkpoint(len(read.history)).history
    assert_same(read.state, checkpoint(len(read.history)).state)
    return len(read.history)


def flip(path: Path, place: float) -> None:
    """One bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 4
    path.write_bytes(content)


def test_what_was_written_comes_back_bit_for_bit(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) is None
    write_checkpoint(checkpoint(3), tmp_path)
    assert found(tmp_path) == 3


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for number in range(1, 5):
        write_checkpoint(checkpoint(number), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {CHECKPOINT_FILE, PREVIOUS_FILE}
    assert found(tmp_path) == 4
    (tmp_path / CHECKPOINT_FILE).unlink()  # as a kill between the two renames leaves it
    assert found(tmp_path) == 3


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9, 1.0])
def test_a_flipped_bit_is_found_and_the_one_before_is_taken(
    place: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(checkpoint(1), tmp_path)
    write_checkpoint(checkpoint(2), tmp_path)
    flip(tmp_path / CHECKPOINT_FILE, place)
    assert found(tmp_path) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path / CHECKPOINT_FILE}: not a whole checkpoint" in said
    assert f"{PREVIOUS_FILE} is taken" in said


def test_bytes_that_are_readable_and_wrong_are_told_by_their_checksum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(checkpoint(2), tmp_path)
    flip(tmp_path / CHECKPOINT_FILE, 1.0)
    assert len(load_file(tmp_path / CHECKPOINT_FILE)) == 6
    assert read_checkpoint(tmp_path) is None
    assert "its bytes do not match its checksum): it is made again from the beginning" in capsys.readouterr().err


@pytest.mark.parametrize("metadata", [None, {"history": "[{", "sha256": ""}, {"history": "[]"}, {"other": "[]"}])
def test_a_file_that_is_no_checkpoint_is_damaged_too(
    metadata: dict[str, str] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file({"value": torch.ones(3)}, tmp_path / CHECKPOINT_FILE, metadata)
    assert read_checkpoint(tmp_path) is None
    assert "it is made again from the beginning" in capsys.readouterr().err


def test_training_from_the_previous_checkpoint_ends_at_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", float("inf"))
    first, second = stage1(), stage1()
    history = train(first, surroundings(tmp_path))
    flip(tmp_path / CHECKPOINT_FILE, 0.8)
    assert train(second, surroundings(tmp_path)) == history
    assert_same(second.state(), first.state())
