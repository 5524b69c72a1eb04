"""Open-Sora behind the protocol: its sign, its given frame, its padded text, and the transitions of stage 3."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from components.backbones.adapters import POLICY, adapter_off, add_adapter, load_adapters, save_adapter
from components.backbones.base import Backbone, Condition, Prediction, per_sample
from components.backbones.family import VideoShape
from components.backbones.open_sora.backbone import OpenSora, make_twin, unpadded
from components.backbones.open_sora.schedule import Video
from components.errors import ParametersError
from components.training.diffusion import Batch, add_noise, diffusion_loss, sample
from components.training.transitions import TRANSITIONS, transition_of
from tests.backbones.open_sora.oracle import (
    GATE,
    LATENTS,
    TEXT_MASK,
    TIMES,
    drawn,
    latents,
    relative_error,
    text,
    tiny,
)
from tests.backbones.shapes import twin_shape

VIDEO = Video(height=48, width=80, frames=17, fps=24.0)
NOISES = {"cps": 0.7, "ddim": 1.0, "sde": 0.7}


@pytest.fixture
def backbone() -> OpenSora:
    return OpenSora(tiny().requires_grad_(False), size="tiny", video=VIDEO)


def condition() -> Condition:
    return Condition(first=drawn("first", 2, 4, 1, 6, 10), text=text() * TEXT_MASK[..., None])


def test_it_is_a_backbone(backbone: OpenSora) -> None:
    of_protocol: Backbone = backbone  # which the type checker holds against the protocol
    assert (of_protocol.name, of_protocol.given) == ("open_sora", 1)
    assert (backbone.channels, backbone.width, backbone.patch) == (4, 96, 2)
    assert len(backbone.blocks()) == 4


@torch.no_grad()
@pytest.mark.usefixtures("exact")
def test_a_prediction_is_the_networks_own_with_the_first_frame_clean_at_time_zero(backbone: OpenSora) -> None:
    given, noisy = condition(), latents()
    frames = torch.tensor([False, True, True, True, True]).expand(2, -1)
    expected = backbone.transformer(
        torch.cat([given.first, noisy[:, :, 1:]], 2),
        TIMES,
        text(),
        text_mask=TEXT_MASK,
        noisy_frames=frames,
        fps=torch.full((2,), 24.0),
        height=48.0,
        width=80.0,
    ).sample[:, :4]
    found = backbone.predict(noisy, TIMES / 1000, given).output
    assert found.dtype == torch.float32
    assert relative_error(found, expected) < GATE


@torch.no_grad()
@pytest.mark.usefixtures("exact")
def test_padding_is_not_attended_to(backbone: OpenSora) -> None:
    """More zeros change nothing; the mask's own tokens do."""
    given = condition()
    longer = replace(given, text=torch.cat([given.text, torch.zeros(2, 5, 64)], 1))
    shorter = replace(given, text=given.text[:, :11])
    before = backbone.predict(latents(), TIMES / 1000, given).output
    for padded in (longer, shorter):
        assert torch.equal(backbone.predict(latents(), TIMES / 1000, padded).output, before)
    cut = replace(given, text=given.text[:, :10])
    assert (backbone.predict(latents(), TIMES / 1000, cut).output - before)[0].abs().mean() > 1e-3


def test_text_is_cut_behind_its_last_token_and_keeps_zeros_before_it() -> None:
    words = drawn("words", 2, 6, 3)
    words[0, 4:] = 0
    words[1, 1:] = 0
    words[0, 2] = 0
    found, mask = unpadded(words)
    assert torch.equal(found, words[:, :4])
    assert mask.tolist() == [[True, True, False, True], [True, False, False, False]]


def test_text_without_a_token_is_refused(backbone: OpenSora) -> None:
    given = condition()
    given.text[1] = 0
    with pytest.raises(ParametersError, match="text of sample 1 is zeros alone, expected a token at least"):
        backbone.predict(latents(), TIMES / 1000, given)


@pytest.mark.parametrize("time", [0.0, 0.05, 0.5, 0.95, 1.0])
def test_an_output_equal_to_the_target_stands_for_the_clean_latents_and_the_noise(
    backbone: OpenSora, time: float
) -> None:
    clean, noise, times = drawn("clean", *LATENTS), drawn("noise", *LATENTS), torch.full((2,), time)
    target = backbone.target(clean, noise, times)
    assert torch.equal(target, clean - noise)
    noised = add_noise(backbone, clean, times, noise)
    found_clean, found_noise = backbone.split(noised.noisy, target, times)
    torch.testing.assert_close(found_clean, clean, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(found_noise, noise, atol=1e-6, rtol=1e-6)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("changed", ["text", "first", "times", "noisy", "fps"])
def test_a_prediction_follows_each_of_its_inputs(backbone: OpenSora, changed: str) -> None:
    given, noisy, times = condition(), latents(), TIMES / 1000
    before = backbone.predict(noisy, times, given).output
    if changed in ("text", "first"):
        given = replace(given, **{changed: drawn("other", *getattr(given, changed).shape)})
    elif changed == "times":
        times = times / 2
    elif changed == "fps":
        backbone = OpenSora(backbone.transformer, size="tiny", video=replace(VIDEO, fps=8.0))
    else:
        noisy = noisy + drawn("other", *LATENTS)
    assert (backbone.predict(noisy, times, given).output - before)[:, :, 1:].abs().mean() > 1e-3


@pytest.mark.usefixtures("exact")
def test_the_given_frame_comes_from_the_condition_alone(backbone: OpenSora) -> None:
    other = latents()
    other[:, :, 0] = 100
    outputs = [backbone.predict(noisy, TIMES / 1000, condition()).output for noisy in (latents(), other)]
    assert torch.equal(*outputs)


@pytest.mark.parametrize("numbers", [(), (3,), (0, 2), (3, 1)])
def test_taps_are_token_grids_in_the_order_asked_for(backbone: OpenSora, numbers: Sequence[int]) -> None:
    prediction = backbone.predict(latents(), TIMES / 1000, condition(), taps=numbers)
    assert [tap.shape for tap in prediction.taps] == [(2, 5, 3, 5, backbone.width)] * len(numbers)


def test_latents_of_another_size_are_refused(backbone: OpenSora) -> None:
    with pytest.raises(ParametersError, match="latents of 10x6, expected 6x10 of a video of 48x80"):
        backbone.predict(latents().transpose(-1, -2), TIMES / 1000, condition())


def test_taps_of_a_grid_that_patches_do_not_fill_are_refused() -> None:
    """At 240x426, a published size, the last column of patches is half empty; without taps it is fine."""
    video = Video(height=40, width=53 * 8 + 2, frames=17, fps=24.0)
    backbone = OpenSora(tiny(), size="tiny", video=video)
    noisy = drawn("odd", 1, 4, 5, 5, 53)
    given = Condition(first=noisy[:, :, :1], text=text()[:1])
    with torch.no_grad():
        assert backbone.predict(noisy, torch.tensor([0.5]), given).output.shape == noisy.shape
    with pytest.raises(ParametersError, match=r"latents, 5x53, are no whole patches of 2, .* write multiples of 16"):
        backbone.predict(noisy, torch.tensor([0.5]), given, taps=(0,))


def test_the_loss_leaves_the_given_frame_out_and_has_the_networks_sign(
    backbone: OpenSora, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output that is right everywhere but there costs nothing; an error of 2 elsewhere costs 4."""
    clean = drawn("clean", *LATENTS)
    batch = Batch(clean=clean, condition=condition())
    noise = torch.randn(LATENTS, generator=torch.Generator().manual_seed(1))
    for offset, expected in ((0.0, 0.0), (2.0, 4.0)):
        output = clean - noise + offset
        output[:, :, 0] = 1000
        monkeypatch.setattr(backbone, "predict", lambda *_, kept=output, **__: Prediction(output=kept, taps=()))
        loss, _, _ = diffusion_loss(backbone, batch, TIMES / 1000, torch.Generator().manual_seed(1))
        assert float(loss) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_point_mass_is_reached_in_any_number_of_steps(
    backbone: OpenSora, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """All data at one point x: the velocity is (x - noisy) / t, and its lines are straight."""
    point, noise = drawn("point", *LATENTS), drawn("noise", *LATENTS)
    monkeypatch.setattr(
        backbone,
        "predict",
        lambda noisy, times, _: Prediction(output=(point - noisy) / per_sample(times, noisy), taps=()),
    )
    given = Condition(first=point[:, :, :1], text=text())
    torch.testing.assert_close(sample(backbone, noise, given, steps=steps), point, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", TRANSITIONS)
def test_a_transition_without_noise_is_the_deterministic_sampler(backbone: OpenSora, name: str) -> None:
    transition, given, start = transition_of(backbone, name), condition(), drawn("z", *LATENTS)
    noisy = start
    for now, after in pairwise(backbone.schedule(4)):
        here = now.expand(2)
        output = backbone.predict(noisy, here, given).output
        gaussian = transition(backbone, noisy, output, here, after.expand(2), noise=0.0)
        assert gaussian.deviation.eq(0).all()
        noisy = gaussian.mean
    expected = sample(backbone, start, given, steps=4)
    assert relative_error(noisy[:, :, 1:], expected[:, :, 1:]) < GATE


@torch.no_grad()
@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", TRANSITIONS)
def test_log_probabilities_of_a_step_are_those_of_normal_distributions(backbone: OpenSora, name: str) -> None:
    """Of the frames that are generated: a sum of torch's own, divided by how many values there are."""
    now, after = backbone.schedule(4)[1:3].unsqueeze(1).expand(-1, 2)
    noisy = drawn("z", *LATENTS)
    output = backbone.predict(noisy, now, condition()).output
    gaussian = transition_of(backbone, name)(backbone, noisy, output, now, after, noise=NOISES[name])
    assert (gaussian.deviation > 0.05).all()
    value = gaussian.draw(torch.Generator().manual_seed(3))
    spread = per_sample(gaussian.deviation, value).expand_as(value)
    normal = torch.distributions.Independent(torch.distributions.Normal(gaussian.mean[:, :, 1:], spread[:, :, 1:]), 4)
    expected = normal.log_prob(value[:, :, 1:]) / value[0, :, 1:].numel()
    torch.testing.assert_close(gaussian.log_probability(value, given=backbone.given), expected, rtol=2e-5, atol=2e-6)


def test_the_layers_that_lora_adapts_are_all_linear_layers_of_every_block_and_no_others(backbone: OpenSora) -> None:
    for name, module in backbone.transformer.named_modules():
        if isinstance(module, nn.Linear):
            assert name.endswith(tuple(f".{target}" for target in backbone.adapter_targets)) == ("_blocks." in name)


@torch.no_grad()
@pytest.mark.usefixtures("exact")
def test_an_adapter_changes_the_output_and_is_switched_off_stored_and_loaded(
    backbone: OpenSora, tmp_path: Path
) -> None:
    def output(of: OpenSora) -> Tensor:
        return of.predict(latents(), TIMES / 1000, condition()).output

    before = output(backbone)
    parameters = add_adapter(backbone, POLICY, rank=2, seed=1)
    assert len(parameters) == 2 * len(backbone.adapter_targets) * len(backbone.blocks())
    torch.testing.assert_close(output(backbone), before)
    for number, value in enumerate(parameters):
        value.add_(0.1 * drawn(f"lora{number}", *value.shape))
    adapted = output(backbone)
    assert (adapted - before).abs().mean() > 1e-2
    with adapter_off(backbone, POLICY):
        torch.testing.assert_close(output(backbone), before)
    save_adapter(backbone, POLICY, tmp_path, rank=2)
    other = OpenSora(tiny(), size="tiny", video=VIDEO)
    load_adapters(other, tmp_path)
    torch.testing.assert_close(output(other), adapted)


def test_twins_of_a_seed_are_the_same_and_leave_the_global_source_alone() -> None:
    shape = twin_shape(layers=1, channels=4, video=VideoShape(frames=17, height=32, width=32, fps=8.0))
    state = torch.get_rng_state()
    twins = [make_twin(shape, seed=seed).transformer for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), state)
    first, second, other = (twin.state_dict() for twin in twins)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert not torch.equal(first["final_layer.linear.weight"], other["final_layer.linear.weight"])
