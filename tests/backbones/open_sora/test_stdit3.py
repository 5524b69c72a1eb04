"""STDiT3 gives what the released network gives, on small random weights; the published size has the published names."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from components.backbones.open_sora.embeddings import position_embedding, rotary_frequencies, rotate, sinusoid
from components.backbones.open_sora.layers import EPSILON
from components.backbones.open_sora.stdit3 import STDiT3
from components.errors import ParametersError
from tests.backbones.open_sora.oracle import (
    FPS,
    GATE,
    NOISY_FRAMES,
    SIZE,
    TEXT_MASK,
    TIMES,
    array,
    drawn,
    inputs,
    latents,
    numbers,
    relative_error,
    statistics,
    text,
    tiny,
)

Case = Callable[[], tuple[STDiT3, dict[str, Any]]]
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "depth": 1,
    "num_heads": 2,
    "caption_channels": 8,
    "model_max_length": 4,
}


def of_two_samples(**changes: Any) -> tuple[STDiT3, dict[str, Any]]:  # noqa: ANN401
    model = changes.pop("model", None) or tiny()
    return model, {"latents": latents(), "text": text(), "text_mask": TEXT_MASK, **inputs(), **changes}


def of_one_sample(
    name: str, shape: tuple[int, ...], *, words: int, time: float, fps: float, height: float, width: float
) -> tuple[STDiT3, dict[str, Any]]:
    return tiny(), {
        "latents": drawn(f"x{name}", *shape),
        "times": torch.tensor([time]),
        "text": drawn(f"y{name}", 1, 1, 16, 64)[:, 0],
        "text_mask": (torch.arange(16) < words)[None],
        "fps": torch.tensor([fps]),
        "height": height,
        "width": width,
    }


def of_guidance() -> tuple[STDiT3, dict[str, Any]]:
    """Every sample with its text and with the text of no caption, which has as many tokens."""
    model = tiny()
    nothing = model.y_embedder.y_embedding.expand(2, -1, -1)
    return model, {
        "latents": latents().repeat(2, 1, 1, 1, 1),
        "times": TIMES.repeat(2),
        "text": torch.cat([text(), nothing]),
        "text_mask": TEXT_MASK.repeat(2, 1),
        "noisy_frames": NOISY_FRAMES.repeat(2, 1),
        "fps": FPS.repeat(2),
        **SIZE,
    }


CASES: dict[str, Case] = {
    "C1_t2v": of_two_samples,
    "C2_x_mask": lambda: of_two_samples(noisy_frames=NOISY_FRAMES),
    "C3_odd_hw": lambda: of_one_sample("3", (1, 4, 3, 5, 7), words=7, time=987, fps=30, height=144, width=256),
    "C4_image": lambda: of_one_sample("4", (1, 4, 1, 8, 8), words=16, time=500, fps=120, height=512, width=512),
    "C5_no_text_mask": lambda: of_two_samples(text_mask=None),
    "C6_cfg_repeat": of_guidance,
    "C8_no_qk_norm": lambda: of_two_samples(model=tiny(qk_norm=False)),
}


@torch.no_grad()
@pytest.mark.parametrize("case", CASES)
def test_the_output_is_the_released_networks(case: str) -> None:
    model, arguments = CASES[case]()
    assert relative_error(model(**arguments).sample, array(case)) < GATE


@torch.no_grad()
def test_frames_that_are_all_noisy_are_as_if_none_were_named() -> None:
    model, arguments = of_two_samples()
    named = model(**arguments, noisy_frames=torch.ones_like(NOISY_FRAMES)).sample
    assert relative_error(named, model(**arguments).sample) < 1e-6


@torch.no_grad()
def test_text_may_be_embedded_once_for_many_steps() -> None:
    """The released network takes such text packed; here it is padded, and the mask says so."""
    packed, lengths = drawn("y7", 1, 15, 96)[0], (11, 4)
    padded = torch.full((2, 16, 96), 1e3)
    for sample, part in enumerate(packed.split(lengths)):
        padded[sample, : len(part)] = part
    model, arguments = of_two_samples(text=padded)
    assert relative_error(model(**arguments, text_is_embedded=True).sample, array("C7_skip_y")) < GATE
    embedded = {**arguments, "text": model.embed_text(text())}
    found = model(**embedded, text_is_embedded=True).sample
    assert torch.equal(found, model(**{**arguments, "text": text()}).sample)


@torch.no_grad()
def test_in_bfloat16_it_differs_by_rounding_alone() -> None:
    """The released network also rounds the time, 713.25 to 712; here it is told so."""
    model, arguments = of_two_samples(noisy_frames=NOISY_FRAMES)
    arguments["times"] = torch.tensor([712.0, 120.5])
    found = model.to(torch.bfloat16)(**arguments).sample
    assert found.dtype == torch.float32
    assert relative_error(found, array("C9_bf16_x_mask")) < 0.015


@torch.no_grad()
def test_every_layer_gives_what_the_released_one_gives() -> None:
    model, arguments = of_two_samples(noisy_frames=NOISY_FRAMES)
    layers: dict[str, Any] = {
        "t_embedder": model.t_embedder,
        "fps_embedder": model.fps_embedder,
        "t_block": model.t_block,
        "y_proj": model.y_embedder.y_proj,
        "x_embedder": model.x_embedder,
        "final_layer": model.final_layer,
        "temporal0.attn": model.temporal_blocks[0].attn,
    }
    for number in range(2):
        layers |= {f"spatial{number}": model.spatial_blocks[number], f"temporal{number}": model.temporal_blocks[number]}
    for name in ("attn", "cross_attn", "mlp"):
        layers[f"spatial0.{name}"] = getattr(model.spatial_blocks[0], name)
    seen: dict[str, list[Tensor]] = {name: [] for name in layers}
    for name, layer in layers.items():
        layer.register_forward_hook(lambda _module, _inputs, output, kept=seen[name]: kept.append(output))
    model(**arguments)
    compared = 0
    for case, expected in numbers().items():
        if not case.startswith("C2.") or case == "C2.pos_embed":
            continue
        name, _, call = case.removeprefix("C2.").partition(".call")
        for statistic, found in statistics(seen[name][int(call or 0)]):
            assert found == pytest.approx(expected[statistic], rel=2e-5, abs=4e-6), f"{case}: {statistic}"
        compared += 1
    assert compared == 16


def test_positions_rotations_and_sinusoids_are_the_released_ones() -> None:
    positions = position_embedding(3, 5, 96, scale=(240 * 426) ** 0.5 / 512)
    assert relative_error(positions[None], array("P1_pos_embed_h3_w5_scale")) < GATE
    for statistic, found in statistics(positions):
        assert found == pytest.approx(numbers()["C2.pos_embed"][statistic], rel=1e-5, abs=1e-6)
    angles = torch.arange(5)[:, None] * rotary_frequencies(24)
    rotated = rotate(drawn("q", 2, 4, 5, 24), (angles.cos(), angles.sin()))
    assert relative_error(rotated, array("P2_rope_q")) < GATE
    assert relative_error(sinusoid(TIMES), array("P3_timestep_emb_256")) < GATE


def test_a_rotation_keeps_lengths_and_its_products_depend_on_distances_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(24, generator=generator).expand(7, -1) for _ in range(2))
    angles = torch.arange(7)[:, None] * rotary_frequencies(24)
    rotation = angles.cos(), angles.sin()
    products = rotate(q, rotation) @ rotate(k, rotation).T
    torch.testing.assert_close(rotate(q, rotation).norm(dim=-1), q.norm(dim=-1))
    torch.testing.assert_close(products[1:, 1:], products[:-1, :-1], atol=1e-4, rtol=1e-4)


def test_no_normalisation_has_another_epsilon() -> None:
    """An error there is too small to be seen in the numbers."""
    assert EPSILON == 1e-6


@torch.no_grad()
def test_a_rounded_frequency_in_the_checkpoint_changes_nothing() -> None:
    model, arguments = of_two_samples()
    before = model(**arguments).sample
    model.rope.freqs.copy_(model.rope.freqs.bfloat16())
    assert torch.equal(model(**arguments).sample, before)


@pytest.mark.parametrize(("case", "frames"), [("L1_loss_nomask", None), ("L2_loss_mask", NOISY_FRAMES)])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_losses_and_gradients_are_the_released_ones(case: str, frames: Tensor | None, checkpointing: bool) -> None:
    model = tiny()
    if checkpointing:
        model.enable_gradient_checkpointing()
    clean, noise = drawn("x0", 2, 4, 5, 6, 10), drawn("noise", 2, 4, 5, 6, 10)
    level = (TIMES / 1000).view(-1, 1, 1, 1, 1)
    kept = torch.ones(2, 5, dtype=torch.bool) if frames is None else frames
    noisy = torch.where(kept[:, None, :, None, None], (1 - level) * clean + level * noise, clean)
    output = model(noisy, text=text(), text_mask=TEXT_MASK, noisy_frames=frames, **inputs()).sample[:, :4]
    error = (output - (clean - noise)).square().mean((1, 3, 4))
    loss = (error * kept).sum(1) / kept.sum(1)
    expected = numbers()[case]
    assert loss.tolist() == pytest.approx(expected["loss"], rel=GATE)
    loss.mean().backward()
    gradients = {name: value.grad for name, value in model.named_parameters()}
    for name, norm in expected["grad_norm"].items():
        assert float(gradients[name].norm()) == pytest.approx(norm, rel=1e-4), name
    total = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
    assert float(total) == pytest.approx(expected["total_grad_norm"], rel=1e-4)


@torch.no_grad()
def test_taps_are_the_blocks_outputs_on_the_grid_of_tokens() -> None:
    model, arguments = of_two_samples()
    assert [block.along_time for block in model.blocks] == [False, True, False, True]
    output = model(**arguments, taps=(1, 3))
    assert [tap.shape for tap in output.taps] == [(2, 5, 3, 5, 96)] * 2
    seen: list[Tensor] = []
    model.temporal_blocks[1].register_forward_hook(lambda _module, _inputs, result: seen.append(result))
    again = model(**arguments, taps=(3, 0))
    assert torch.equal(again.taps[0], seen[0].view(2, 5, 3, 5, 96))
    assert torch.equal(again.taps[0], output.taps[1])
    assert not torch.equal(again.taps[1], output.taps[0])
    assert torch.equal(again.sample, output.sample)


@torch.no_grad()
def test_samples_do_not_see_each_other_nor_each_others_text() -> None:
    model, arguments = of_two_samples(noisy_frames=NOISY_FRAMES)
    second = {name: value[1:] if isinstance(value, Tensor) else value for name, value in arguments.items()}
    assert relative_error(model(**second).sample, model(**arguments).sample[1:]) < GATE


def test_new_weights_are_those_of_the_generator_and_leave_the_global_source_alone() -> None:
    with torch.random.fork_rng(devices=[]):
        model, other = STDiT3(**SMALL), STDiT3(**SMALL)
    state = torch.get_rng_state()
    for one in (model, other):
        one.draw_weights(torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True))


@torch.no_grad()
def test_new_blocks_over_time_change_nothing_of_the_states() -> None:
    with torch.random.fork_rng(devices=[]):
        model = STDiT3(**SMALL)
    model.draw_weights(torch.Generator().manual_seed(0))
    over_space, over_time = model(drawn("x", 2, 4, 3, 4, 4), text=drawn("y", 2, 3, 8), taps=(0, 1), **inputs()).taps
    assert torch.equal(over_space, over_time)
    assert over_space.std() > 0.1


def test_the_published_size_has_the_published_names_and_shapes() -> None:
    with torch.device("meta"):
        tensors = STDiT3().state_dict()
    assert {name: tuple(value.shape) for name, value in tensors.items()} == published_shapes()
    assert len(tensors) == 973
    assert sum(value.numel() for value in tensors.values()) == 1_208_872_772


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of STDiT3-XL/2's checkpoint."""
    C, D, text_width = 1152, 72, 4096

    def linear(name: str, output: int, width: int) -> dict[str, tuple[int, ...]]:
        return {f"{name}.weight": (output, width), f"{name}.bias": (output,)}

    shapes: dict[str, tuple[int, ...]] = {"rope.freqs": (D // 2,), "y_embedder.y_embedding": (300, text_width)}
    shapes |= {"x_embedder.proj.weight": (C, 4, 1, 2, 2), "x_embedder.proj.bias": (C,)}
    for name in ("t_embedder", "fps_embedder"):
        shapes |= linear(f"{name}.mlp.0", C, 256) | linear(f"{name}.mlp.2", C, C)
    shapes |= linear("t_block.1", 6 * C, C)
    shapes |= linear("y_embedder.y_proj.fc1", C, text_width) | linear("y_embedder.y_proj.fc2", C, C)
    for kind in ("spatial_blocks", "temporal_blocks"):
        for number in range(28):
            block = f"{kind}.{number}"
            shapes |= {f"{block}.scale_shift_table": (6, C)}
            shapes |= {f"{block}.attn.{norm}.weight": (D,) for norm in ("q_norm", "k_norm")}
            shapes |= linear(f"{block}.attn.qkv", 3 * C, C) | linear(f"{block}.attn.proj", C, C)
            shapes |= linear(f"{block}.cross_attn.q_linear", C, C) | linear(f"{block}.cross_attn.kv_linear", 2 * C, C)
            shapes |= linear(f"{block}.cross_attn.proj", C, C)
            shapes |= linear(f"{block}.mlp.fc1", 4 * C, C) | linear(f"{block}.mlp.fc2", C, 4 * C)
    return shapes | {"final_layer.scale_shift_table": (2, C)} | linear("final_layer.linear", 32, C)


def test_the_small_networks_names_are_the_released_ones() -> None:
    found = {name: list(value.shape) for name, value in tiny().state_dict().items()}
    assert found == numbers()["_meta"]["stdit_keys"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch_size": (2, 2, 2)}, r"patch_size: \[2, 2, 2\] is wrong, expected \[1, p, p\]"),
        ({"hidden_size": 96, "num_heads": 5}, "hidden_size: 96 does not fit 5 heads"),
        ({"hidden_size": 12, "num_heads": 4}, "hidden_size: 12 does not fit 4 heads"),
    ],
)
def test_shapes_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParametersError, match=message):
        STDiT3(**changes)
