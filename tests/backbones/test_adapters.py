"""Adapters: nothing before the first step, nothing when off, the same bits after a round trip through a file."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from components.backbones.adapters import (
    adapter_off,
    adapter_ranks,
    adapter_tensors,
    add_adapter,
    copy_into,
    load_adapters,
    own_tensors,
    save_adapter,
)
from components.backbones.base import Condition
from components.backbones.wan22.backbone import Wan
from components.errors import Phys4dError
from tests.training.twins import assert_same, copies, make_backbone


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def output(backbone: Wan) -> Tensor:
    noisy = random(2, 8, 3, 4, 4)
    condition = Condition(first=noisy[:, :, :1], text=random(2, 4, 16, seed=1))
    return backbone.predict(noisy, torch.tensor([0.3, 0.8]), condition).output


def stir(backbone: Wan, name: str) -> None:
    """Give an adapter an effect."""
    with torch.no_grad():
        for number, value in enumerate(adapter_tensors(backbone, name).values()):
            value.add_(0.3 * random(*value.shape, seed=number))


def training(backbone: Wan) -> set[str]:
    return {name for name, value in backbone.transformer.named_parameters() if value.requires_grad}


def test_a_new_adapter_changes_no_output() -> None:
    plain, adapted = make_backbone(), make_backbone()
    add_adapter(adapted, "stage3", rank=4, seed=0)
    assert torch.equal(output(adapted), output(plain))


def test_it_adapts_every_linear_layer_of_every_block_and_nothing_else_trains() -> None:
    backbone = make_backbone(layers=2)
    parameters = add_adapter(backbone, "stage3", rank=4, seed=0)
    adapted = {name.split(".lora_")[0] for name in training(backbone)}
    linear = {"attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ffn.net.0.proj", "ffn.net.2"}
    cross = {name.replace("attn1", "attn2") for name in linear if "attn1" in name}
    assert adapted == {f"blocks.{block}.{name}" for block in range(2) for name in linear | cross}
    assert len(parameters) == 2 * len(adapted)
    assert {min(value.shape) for value in parameters} == {4}


def test_its_weights_are_the_seeds_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = make_backbone(), make_backbone(), make_backbone()
    for backbone, seed in ((one, 1), (same, 1), (other, 2)):
        add_adapter(backbone, "stage3", rank=4, seed=seed)
    assert torch.equal(torch.get_rng_state(), before)
    assert_same(adapter_tensors(one, "stage3"), adapter_tensors(same, "stage3"))
    name = "blocks.0.attn1.to_q.lora_A.stage3.weight"
    assert not torch.equal(adapter_tensors(one, "stage3")[name], adapter_tensors(other, "stage3")[name])


@pytest.mark.filterwarnings("error")
def test_an_adapter_above_another_is_no_surprise() -> None:
    backbone = make_backbone()
    add_adapter(backbone, "stage2", rank=4, seed=0)
    add_adapter(backbone, "stage3", rank=2, seed=0)
    assert adapter_ranks(backbone) == {"stage2": 4, "stage3": 2}
    assert training(backbone) == {name for name in training(backbone) if ".stage3." in name}


def test_switched_off_it_is_as_if_it_had_never_been_added() -> None:
    backbone = make_backbone()
    plain = output(backbone)
    add_adapter(backbone, "stage3", rank=4, seed=0)
    stir(backbone, "stage3")
    changed = output(backbone)
    assert not torch.allclose(changed, plain, atol=1e-2)
    with adapter_off(backbone, "stage3"):
        assert torch.equal(output(backbone), plain)
    assert torch.equal(output(backbone), changed)


def test_the_adapter_beneath_stays_on_when_the_one_above_is_off() -> None:
    backbone = make_backbone()
    plain = output(backbone)
    add_adapter(backbone, "stage2", rank=4, seed=0)
    stir(backbone, "stage2")
    below = output(backbone)
    add_adapter(backbone, "stage3", rank=4, seed=1)
    stir(backbone, "stage3")
    both = output(backbone)
    with adapter_off(backbone, "stage3"):
        assert torch.equal(output(backbone), below)
    with adapter_off(backbone, "stage2"):
        assert torch.equal(output(backbone), plain)
    assert torch.equal(output(backbone), both)


@pytest.mark.parametrize("below", [False, True])
def test_what_trains_is_the_same_after_it_was_off(below: bool) -> None:
    """Otherwise the adapter of an earlier stage would gather gradients that nobody asked for."""
    backbone = make_backbone()
    if below:
        add_adapter(backbone, "stage2", rank=4, seed=0)
    add_adapter(backbone, "stage3", rank=4, seed=1)
    before = training(backbone)
    with adapter_off(backbone, "stage3"):
        pass
    assert training(backbone) == before
    with pytest.raises(KeyError), adapter_off(backbone, "stage3"):
        raise KeyError
    assert training(backbone) == before


def test_a_frozen_adapter_is_still_frozen_after_it_was_off() -> None:
    backbone = make_backbone()
    add_adapter(backbone, "stage3", rank=4, seed=1)
    backbone.transformer.requires_grad_(False)
    with adapter_off(backbone, "stage3"):
        pass
    assert training(backbone) == set()


@pytest.mark.parametrize("below", [False, True])
def test_a_gradient_survives_a_reference_that_is_taken_on_the_way(below: bool) -> None:
    backbone = make_backbone()
    if below:
        add_adapter(backbone, "stage2", rank=4, seed=0)
    parameters = add_adapter(backbone, "stage3", rank=4, seed=1)
    stir(backbone, "stage3")
    new = output(backbone)
    with torch.no_grad(), adapter_off(backbone, "stage3"):
        reference = output(backbone)
    (new - reference).square().mean().backward()
    assert all(value.grad is not None and value.grad.abs().sum() > 0 for value in parameters)


def test_adapters_come_back_from_their_files(tmp_path: Path) -> None:
    backbone, other = make_backbone(), make_backbone()
    for name, rank in (("stage2", 4), ("stage3", 2)):
        add_adapter(backbone, name, rank=rank, seed=0)
        stir(backbone, name)
        save_adapter(backbone, name, tmp_path, rank=rank)
    load_adapters(other, tmp_path)
    assert adapter_ranks(other) == {"stage2": 4, "stage3": 2}
    assert torch.equal(output(other), output(backbone))
    assert training(other) == set()
    for name in ("stage2", "stage3"):
        assert_same(adapter_tensors(other, name), copies(adapter_tensors(backbone, name)))


def test_an_adapter_has_the_same_bytes_whenever_it_is_written(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        backbone = make_backbone()
        add_adapter(backbone, "stage3", rank=4, seed=3)
        (tmp_path / folder).mkdir()
        save_adapter(backbone, "stage3", tmp_path / folder, rank=4)
    name = "adapter-stage3.safetensors"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_adapter_of_another_transformer_is_refused_and_its_tensor_named(tmp_path: Path) -> None:
    backbone = make_backbone(layers=3)
    add_adapter(backbone, "stage3", rank=4, seed=0)
    save_adapter(backbone, "stage3", tmp_path, rank=4)
    with pytest.raises(Phys4dError, match=r"adapter-stage3.safetensors: blocks.2.\S+ is not in the model"):
        load_adapters(make_backbone(layers=2), tmp_path)
    with pytest.raises(Phys4dError, match=r"adapter-stage3.safetensors: blocks.3.\S+ is not in the file"):
        load_adapters(make_backbone(layers=4), tmp_path)
    with pytest.raises(Phys4dError, match=r"blocks.0.\S+ has shape \[.*64.*\], expected \[.*96.*\]"):
        load_adapters(make_backbone(layers=3, heads=3), tmp_path)


def test_an_adapter_whose_rank_is_not_that_of_its_tensors_is_refused(tmp_path: Path) -> None:
    backbone = make_backbone()
    add_adapter(backbone, "stage3", rank=4, seed=0)
    save_adapter(backbone, "stage3", tmp_path, rank=4)
    path = tmp_path / "adapter-stage3.safetensors"
    save_file(load_file(path), path, {"rank": "8"})
    with pytest.raises(Phys4dError, match=r"has shape \[.*4.*\], expected \[.*8.*\]"):
        load_adapters(make_backbone(), tmp_path)


def test_the_transformers_own_tensors_have_the_same_names_with_adapters() -> None:
    backbone = make_backbone()
    before = copies(own_tensors(backbone))
    assert sorted(before) == sorted(backbone.transformer.state_dict())
    add_adapter(backbone, "stage2", rank=4, seed=0)
    add_adapter(backbone, "stage3", rank=4, seed=0)
    assert_same(own_tensors(backbone), before)


class TestCopying:
    def test_values_arrive(self) -> None:
        target = torch.zeros(3)
        copy_into({"a": target}, {"a": torch.ones(3)}, source=Path("file"))
        assert target.tolist() == [1, 1, 1]

    def test_a_missing_tensor_is_named(self) -> None:
        with pytest.raises(Phys4dError, match="there/file: b is not in the file: it was saved from a model of another"):
            copy_into({"a": torch.zeros(1), "b": torch.zeros(1)}, {"a": torch.ones(1)}, source=Path("there/file"))

    def test_an_unknown_tensor_is_named(self) -> None:
        with pytest.raises(Phys4dError, match="file: c is not in the model"):
            copy_into({"a": torch.zeros(1)}, {"a": torch.ones(1), "c": torch.ones(1)}, source=Path("file"))

    def test_a_tensor_of_another_shape_is_named_and_nothing_is_copied(self) -> None:
        targets = {"a": torch.zeros(3), "b": torch.zeros(2, 3)}
        with pytest.raises(Phys4dError, match=r"file: b has shape \[3, 2\], expected \[2, 3\]"):
            copy_into(targets, {"a": torch.ones(3), "b": torch.ones(3, 2)}, source=Path("file"))
        assert targets["a"].tolist() == [0, 0, 0]

    def test_a_parameter_that_trains_may_be_a_target(self) -> None:
        target = torch.zeros(3, requires_grad=True)
        copy_into({"a": target}, {"a": torch.ones(3)}, source=Path("file"))
        assert target.tolist() == [1, 1, 1]
