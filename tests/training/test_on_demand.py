"""A set that is larger than memory is read clip by clip, ahead of its use, and trains to the same bytes."""

import threading
from pathlib import Path

import pytest
import torch
from torch import Tensor

from components.errors import ClipError
from components.index import write_index
from components.training.ahead import Ahead
from components.training.encoded import Encoded, load_encoded, save_encoded
from components.training.labels import LabelsOnDisk, read_labels
from components.training.losses import Truth
from components.training.ranks import all_of, share_of
from components.training.simulated import TruthOnDisk, read_truth
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.trainer import Learner, train
from tests.training.twins import (
    STAGE1,
    STAGE2,
    assert_same,
    encode,
    make_backbone,
    make_heads,
    make_model,
    make_world,
    surroundings,
)
from tests.training.world_on_disk import write_labels, write_simulation

WORLD = make_world(8)


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_simulation(tmp_path_factory.mktemp("simulation"), WORLD)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labels(tmp_path_factory.mktemp("labels"), WORLD)


def assert_equal(one: Truth | PseudoLabels, other: Truth | PseudoLabels) -> None:
    for name, value in vars(one).items():
        expected = getattr(other, name)
        assert torch.equal(value, expected) if isinstance(value, Tensor) else value == expected, name


def trained(learner: Learner, folder: Path) -> tuple[object, dict[str, Tensor]]:
    return train(learner, surroundings(folder)), learner.state()


class TestTruth:
    def test_it_is_in_memory_as_long_as_it_fits(self, simulation: Path) -> None:
        size = TruthOnDisk(simulation).bytes
        whole = read_truth(simulation, most_bytes=size)
        assert isinstance(whole, Truth)
        held = sum(value.numel() * value.element_size() for value in vars(whole).values())
        assert size == pytest.approx(held, rel=0.12)  # motion has a frame less
        assert isinstance(read_truth(simulation, most_bytes=size - 1), TruthOnDisk)

    def test_each_clip_has_its_own(self, simulation: Path) -> None:
        numbers = torch.tensor([7, 0, 0, 4])
        read = read_truth(simulation, most_bytes=0)
        assert len(read) == 8
        assert_equal(read[numbers], read_truth(simulation)[numbers])
        torch.testing.assert_close(read[numbers].log_depth, WORLD.truth[numbers].log_depth, atol=1e-3, rtol=0)
        for name in ("valid", "foreground", "flow", "visible"):
            assert torch.equal(getattr(read[numbers], name), getattr(WORLD.truth[numbers], name)), name

    def test_stage_2_trains_to_the_same_bytes(self, simulation: Path, tmp_path: Path) -> None:
        (history, state), (again, same) = (
            trained(
                SimulationTuning(make_model(), encode(WORLD), read_truth(simulation, most_bytes=most), STAGE2, seed=1),
                tmp_path / str(most),
            )
            for most in (0, 2**30)
        )
        assert history == again
        assert_same(state, same)

    def test_every_step_finds_its_truth_read_already(
        self, simulation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        readers: list[str] = []
        read = TruthOnDisk.read

        def watched(self: TruthOnDisk, numbers: Tensor) -> Truth:
            readers.append(threading.current_thread().name.split("_")[0])
            return read(self, numbers)

        monkeypatch.setattr(TruthOnDisk, "read", watched)
        section = STAGE2.model_copy(update={"steps": 4, "diffusion_steps": 2})
        learner = SimulationTuning(make_model(), encode(WORLD), TruthOnDisk(simulation), section, seed=1)
        train(learner, surroundings(tmp_path))
        assert readers == ["ahead"] * 4

    def test_a_split_without_clips_is_refused(self, tmp_path: Path) -> None:
        write_index(tmp_path, [])
        with pytest.raises(ClipError, match="no clips, expected one at least"):
            read_truth(tmp_path)


class TestLabels:
    def test_they_are_in_memory_as_long_as_they_fit(self, labelled: Path) -> None:
        size = LabelsOnDisk(labelled).bytes
        assert isinstance(read_labels(labelled, most_bytes=size), PseudoLabels)
        assert isinstance(read_labels(labelled, most_bytes=size - 1), LabelsOnDisk)

    def test_each_clip_has_its_own(self, labelled: Path) -> None:
        numbers = torch.tensor([7, 0, 0, 4])
        read = read_labels(labelled, most_bytes=0)
        assert_equal(read[numbers], read_labels(labelled)[numbers])
        assert torch.equal(read[numbers].flow, WORLD.truth[numbers].flow)
        torch.testing.assert_close(read[numbers].depth, (-WORLD.truth[numbers].log_depth).exp(), atol=1e-3, rtol=0)

    def test_stage_1_trains_to_the_same_bytes(self, labelled: Path, tmp_path: Path) -> None:
        (history, state), (again, same) = (
            trained(
                HeadsOnPseudoLabels(
                    make_backbone(), make_heads(), encode(WORLD), read_labels(labelled, most_bytes=most), STAGE1, seed=1
                ),
                tmp_path / str(most),
            )
            for most in (0, 2**30)
        )
        assert history == again
        assert_same(state, same)

    def test_depths_of_several_kinds_are_refused(self, tmp_path: Path) -> None:
        folder = write_labels(tmp_path, make_world(3), kinds=("metric", "affine_depth"))
        with pytest.raises(ClipError, match=r"depth_kind is metric \(clip0\), affine_depth \(clip1\), expected one"):
            read_labels(folder)


class TestAhead:
    def test_what_was_expected_is_read_once(self) -> None:
        read: list[list[int]] = []
        ahead = Ahead(lambda numbers: read.append(numbers.tolist()) or len(read))  # type: ignore[func-returns-value]
        ahead.expect(torch.tensor([1, 2]))
        assert ahead.take(torch.tensor([1, 2])) == 1
        assert ahead.take(torch.tensor([1, 2])) == 2
        assert read == [[1, 2], [1, 2]]

    def test_what_was_not_expected_is_read_when_it_is_wanted(self) -> None:
        ahead = Ahead(lambda numbers: numbers * 10)
        ahead.expect(torch.tensor([1, 2]))
        assert ahead.take(torch.tensor([2, 1])).tolist() == [20, 10]

    def test_an_error_on_the_way_is_raised_where_the_clip_is_wanted(self) -> None:
        def damaged(numbers: Tensor) -> Tensor:
            raise ClipError("clip 3 is damaged")

        ahead = Ahead(damaged)
        ahead.expect(torch.tensor([3]))
        with pytest.raises(ClipError, match="clip 3 is damaged"):
            ahead.take(torch.tensor([3]))


class TestLatents:
    def test_a_file_of_latents_takes_no_memory_until_a_clip_is_wanted(self, tmp_path: Path) -> None:
        """The file is mapped: a change of it is seen, which a copy in memory would not show."""
        save_encoded(encode(WORLD), tmp_path / "clips.safetensors")
        read = load_encoded(tmp_path / "clips.safetensors")
        content = bytearray((tmp_path / "clips.safetensors").read_bytes())
        with (tmp_path / "clips.safetensors").open("r+b") as file:
            file.write(content[: -8 * read.text[0].numel()] + b"\0" * 8 * read.text[0].numel())
        assert not torch.equal(read.text, encode(WORLD).text) or not torch.equal(read.latents, encode(WORLD).latents)

    def test_what_is_foreseen_is_what_is_drawn_next(self) -> None:
        data, generator = encode(WORLD), torch.Generator().manual_seed(5)
        for _ in range(3):
            foreseen = data.foresee(6, generator, all_of(6))
            numbers, _ = data.draw(6, generator, caption_dropout=0.3, share=share_of(6))
            assert torch.equal(foreseen, numbers)

    def test_chosen_clips_are_counted_anew(self) -> None:
        data = encode(WORLD)
        some = Encoded(latents=data.latents, text=data.text, empty=data.empty, only=torch.tensor([6, 2]))
        assert len(some) == 2
        assert torch.equal(some.batch(torch.tensor([1, 0])).clean, data.latents[[2, 6]])
