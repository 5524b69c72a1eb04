"""What each stage changes, and what it leaves exactly as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from components.backbones.adapters import adapter_tensors, add_adapter, own_tensors
from components.backbones.base import Backbone
from components.heads import Read4D
from components.training import stage1 as stage1_module
from components.training import stage2 as stage2_module
from components.training.diffusion import Batch, diffusion_loss
from components.training.losses import Truth, scale_shift_invariant, truth_losses
from components.training.new_heads import new_heads
from components.training.policy import Policy, Step
from components.training.stage1 import HeadsOnPseudoLabels, PseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import ALGORITHMS, Reinforcement
from components.training.stand_in import AVERAGE_FROM, StandIn
from components.training.trainer import train
from tests.training.twins import (
    PREPARE,
    SMOKE,
    STAGE1,
    STAGE2,
    STAGE3,
    assert_same,
    copies,
    encode,
    make_backbone,
    make_codec,
    make_heads,
    make_model,
    make_practice,
    make_world,
    pseudo_labels,
    surroundings,
)

WORLD = make_world(8)
LATENTS = make_codec().encode(WORLD.rgb)


def differing(left: dict[str, Tensor], right: dict[str, Tensor]) -> set[str]:
    return {name for name in left if not torch.equal(left[name], right[name])}


class TestStandIn:
    def test_every_weight_learns(self) -> None:
        backbone = make_backbone()
        before = copies(own_tensors(backbone))
        learner = StandIn(backbone, encode(WORLD), PREPARE, seed=1)
        for step in range(2):
            learner.update(step)
        assert differing(before, own_tensors(backbone)) == set(before)

    def test_the_loss_falls(self, tmp_path: Path) -> None:
        section = PREPARE.model_copy(update={"steps": 40, "batch_size": 8})
        history = train(StandIn(make_backbone(), encode(WORLD), section, seed=1), surroundings(tmp_path))
        losses = [figures["diffusion"] for figures in history]
        assert sum(losses[-10:]) < 0.8 * sum(losses[:10])

    def test_a_short_training_ends_at_its_last_weights(self) -> None:
        """So few steps that the average would still remember the first weights."""
        backbone = make_backbone()
        learner = StandIn(backbone, encode(WORLD), PREPARE, seed=1)
        learner.update(0)
        last = copies(own_tensors(backbone))
        learner.finish()
        assert_same(own_tensors(backbone), last)

    def test_a_long_training_ends_at_the_moving_average(self) -> None:
        backbone = make_backbone()
        learner = StandIn(backbone, encode(WORLD), PREPARE.model_copy(update={"steps": 400}), seed=1)
        weights = []
        for step in (AVERAGE_FROM, AVERAGE_FROM + 1, AVERAGE_FROM + 2):
            learner.update(step)
            weights.append(copies(own_tensors(backbone)))
        learner.finish()
        decay = PREPARE.ema
        for name, value in own_tensors(backbone).items():
            first, second, third = (found[name] for found in weights)
            expected = decay * (decay * first + (1 - decay) * second) + (1 - decay) * third
            torch.testing.assert_close(value, expected)


class TestStage1:
    def learner(self, backbone_seed: int = 0, labels: PseudoLabels | None = None) -> HeadsOnPseudoLabels:
        labels = labels or pseudo_labels(WORLD)
        backbone = make_backbone(seed=backbone_seed)
        return HeadsOnPseudoLabels(backbone, make_heads(), encode(WORLD), labels, STAGE1, seed=1)

    def test_no_tensor_of_the_transformer_is_changed(self, tmp_path: Path) -> None:
        backbone, heads = make_backbone(), make_heads()
        before, untrained = copies(own_tensors(backbone)), copies(dict(heads.named_parameters()))
        learner = HeadsOnPseudoLabels(backbone, heads, encode(WORLD), pseudo_labels(WORLD), STAGE1, seed=1)
        train(learner, surroundings(tmp_path))
        assert_same(own_tensors(backbone), before)
        assert all(value.grad is None for value in backbone.transformer.parameters())
        assert differing(untrained, dict(heads.named_parameters())) == set(untrained)

    def test_channels_without_a_label_are_not_taught(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Foreground, depth change and visibility wait for stage 2."""
        reads: list[Read4D] = []
        learner = self.learner()
        heads = learner.heads

        def forward(*given: Any) -> Read4D:  # noqa: ANN401
            read = type(heads).forward(heads, *given)
            for field in Read4D.__dataclass_fields__:
                getattr(read, field).retain_grad()
            reads.append(read)
            return read

        monkeypatch.setattr(heads, "forward", forward)
        learner.update(0)
        taught = {
            field
            for field in Read4D.__dataclass_fields__
            if (grad := getattr(reads[0], field).grad) is not None and grad.abs().sum() > 0
        }
        assert taught == {"log_depth", "flow"}

    @pytest.mark.parametrize("kind", ["affine_disparity", "affine_depth", "metric"])
    def test_depth_is_compared_in_the_space_of_its_estimator(self, kind: str) -> None:
        """A read depth that is right costs nothing, whatever scale and shift the label has."""
        truth = WORLD.truth
        sign = -1 if kind == "affine_disparity" else 1
        labels = PseudoLabels(
            depth=3 * (sign * truth.log_depth).exp() + 2,
            depth_kind=kind,  # type: ignore[arg-type]
            flow=truth.flow,
            confidence=torch.ones_like(truth.depth_change),
        )
        in_space = stage1_module._in_space_of(labels.depth_kind, truth.log_depth + 0.3)
        assert scale_shift_invariant(in_space, labels.depth).item() == pytest.approx(0, abs=1e-4)

    def test_labels_may_be_of_half_precision(self) -> None:
        full = pseudo_labels(WORLD)
        half = PseudoLabels(
            depth=full.depth.half(),
            depth_kind=full.depth_kind,
            flow=full.flow.half(),
            confidence=full.confidence.half(),
        )
        found, expected = self.learner(labels=half).update(0), self.learner().update(0)
        assert found == pytest.approx(expected, rel=1e-2)

    def test_every_clip_is_held_against_its_own_label(self, monkeypatch: pytest.MonkeyPatch) -> None:
        learner, seen = self.learner(), []

        def keep(flow: Tensor, label: Tensor, _: Tensor) -> Tensor:
            seen.append(label)
            return flow.square().mean()

        monkeypatch.setattr(stage1_module, "confident_flow", keep)
        again = torch.Generator()
        again.set_state(learner._state.generator.get_state())
        numbers, batch = learner._data.draw(STAGE1.batch_size, again)
        learner.update(0)
        assert torch.equal(seen[0], WORLD.truth.flow[numbers])
        assert torch.equal(batch.clean, LATENTS[numbers])


class TestStage2:
    def learner(self, **changes: object) -> SimulationTuning:
        return SimulationTuning(make_model(), encode(WORLD), WORLD.truth, STAGE2.model_copy(update=changes), seed=1)

    def test_with_blocks_only_the_last_ones_and_the_projection_are_changed(self, tmp_path: Path) -> None:
        learner = self.learner(blocks=1)
        before = copies(own_tensors(learner._backbone))
        train(learner, surroundings(tmp_path))
        changed = differing(before, own_tensors(learner._backbone))
        assert changed == {name for name in before if name.startswith(("blocks.1.", "proj_out."))}
        assert set(learner.changed) == changed
        assert learner.adapters == {}

    def test_with_an_adapter_no_tensor_of_the_base_is_changed(self, tmp_path: Path) -> None:
        learner = self.learner(trainable="lora", lora_rank=4)
        before = copies(own_tensors(learner._backbone))
        train(learner, surroundings(tmp_path))
        assert_same(own_tensors(learner._backbone), before)
        assert learner.changed == ()
        assert learner.adapters == {"stage2": 4}

    @pytest.mark.parametrize("trainable", ["blocks", "lora"])
    def test_the_heads_learn_too(self, trainable: str, tmp_path: Path) -> None:
        learner = self.learner(trainable=trainable)
        before = copies(dict(learner.heads.named_parameters()))
        train(learner, surroundings(tmp_path))
        assert differing(before, dict(learner.heads.named_parameters())) == set(before)

    def test_in_steps_of_diffusion_alone_the_heads_rest(self) -> None:
        learner = self.learner()
        before = copies(dict(learner.heads.named_parameters()))
        alone, together = (set(learner.update(step)) for step in _one_of_each(learner))
        assert alone == {"diffusion"}
        assert together == {"diffusion", "depth", "motion", "foreground", "warp"}
        rested = self.learner()
        rested.update(_one_of_each(rested)[0])
        assert_same(dict(rested.heads.named_parameters()), before)

    def test_a_loss_without_weight_teaches_nothing(self) -> None:
        weights = STAGE2.weights.model_copy(update=dict.fromkeys(("depth", "motion", "foreground", "warp"), 0.0))
        learner = self.learner(weights=weights)
        before = copies(dict(learner.heads.named_parameters()))
        learner.update(_one_of_each(learner)[1])
        assert_same(dict(learner.heads.named_parameters()), before)

    def test_the_losses_of_the_heads_reach_the_blocks(self) -> None:
        weights = STAGE2.weights.model_copy(update={"diffusion": 0.0})
        learner = self.learner(weights=weights)
        before = copies(own_tensors(learner._backbone))
        learner.update(_one_of_each(learner)[1])
        assert any(name.startswith("blocks.1.") for name in differing(before, own_tensors(learner._backbone)))

    def test_heads_that_learn_alone_leave_the_blocks_to_the_diffusion_loss(self) -> None:
        none = STAGE2.weights.model_copy(update=dict.fromkeys(("depth", "motion", "foreground", "warp"), 0.0))
        alone, without = self.learner(through_heads=False), self.learner(weights=none)
        heads = copies(dict(alone.heads.named_parameters()))
        for learner in (alone, without):
            learner.update(_one_of_each(learner)[1])
        assert_same(own_tensors(alone._backbone), own_tensors(without._backbone))
        assert differing(heads, dict(alone.heads.named_parameters())) == set(heads)

    def test_the_heads_first_clips_are_held_against_their_own_truth(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And each weighs as much as the noise left of it."""
        learner, noise, calls = self.learner(), [], []

        def keep_times(
            backbone: Backbone, batch: Batch, times: Tensor, *rest: torch.Generator, taps: tuple[int, ...]
        ) -> object:
            noise.append((batch.clean, times))
            return diffusion_loss(backbone, batch, times, *rest, taps=taps)

        def keep_truth(read: Read4D, truth: Truth, signal: Tensor) -> dict[str, Tensor]:
            calls.append((truth, signal))
            return truth_losses(read, truth, signal)

        monkeypatch.setattr(stage2_module, "diffusion_loss", keep_times)
        monkeypatch.setattr(stage2_module, "truth_losses", keep_truth)
        learner.update(_one_of_each(learner)[1])
        ((clean, times),), ((truth, signal),) = noise, calls
        assert len(truth) == len(signal) == STAGE2.heads_batch_size < len(clean)
        torch.testing.assert_close(signal, 1 - times[: len(signal)])
        for clip in range(len(truth)):
            (number,) = (number for number, known in enumerate(LATENTS) if torch.equal(known, clean[clip]))
            assert torch.equal(truth.log_depth[clip], WORLD.truth.log_depth[number])

    def test_some_samples_are_at_little_noise(self) -> None:
        learner = self.learner()
        times = learner._times(4000)
        shifted = make_backbone().sample_times(4000, torch.Generator().manual_seed(0))
        assert times.min() >= 0.02
        assert times.max() <= 1
        assert (times < 0.2).float().mean() > (shifted < 0.2).float().mean() + 0.05


def _one_of_each(learner: SimulationTuning) -> tuple[int, int]:
    """A step of diffusion alone, and one with the heads."""
    return 0, learner.steps - 1


class TestStage3:
    @pytest.mark.parametrize("algorithm", ["nft", "grpo", "rejection"])
    def test_only_its_adapter_is_changed(self, algorithm: str, tmp_path: Path) -> None:
        model = make_model()
        add_adapter(model.backbone, "stage2", rank=2, seed=5)
        base, heads = copies(own_tensors(model.backbone)), copies(model.with_heads.state_dict())
        section = STAGE3.model_copy(update={"algorithm": algorithm, "iterations": 1})
        learner = Reinforcement(model, make_practice(), section, noise_level=0.05, seed=1)
        before = copies(dict(model.backbone.transformer.named_parameters()))
        train(learner, surroundings(tmp_path))
        after = dict(model.backbone.transformer.named_parameters())
        assert differing(before, copies(after)) == {name for name in before if ".stage3." in name}
        assert {name for name, value in after.items() if value.grad is not None} == set()
        assert_same(own_tensors(model.backbone), base)
        assert_same(model.with_heads.state_dict(), heads)
        assert learner.adapters == {"stage2": 2, "stage3": 4}

    def test_its_state_is_its_adapter_its_optimiser_and_its_generator(self) -> None:
        model = make_model()
        add_adapter(model.backbone, "stage2", rank=2, seed=5)
        learner = Reinforcement(model, make_practice(), STAGE3, noise_level=0.05, seed=1)
        for number in range(2):
            names = {name for name in learner.state() if name.startswith("module/")}
            assert all(".stage3." in name for name in names), number
            learner.update(number)

    @pytest.mark.parametrize("iterations", [1, 2, 5])
    def test_what_is_kept_is_the_mean_of_the_policies_of_the_second_half(
        self, iterations: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = make_model()
        section = STAGE3.model_copy(update={"iterations": iterations})
        learner = Reinforcement(model, make_practice(), section, noise_level=0.05, seed=1)
        iterate, policies = ALGORITHMS["nft"], list[dict[str, Tensor]]()

        def recorded(policy: Policy, step: Step, generator: torch.Generator) -> Mapping[str, float]:
            figures = iterate(policy, step, generator)
            policies.append(copies(adapter_tensors(model.backbone, "stage3")))
            return figures

        monkeypatch.setitem(ALGORITHMS, "nft", recorded)
        for step in range(iterations):
            learner.update(step)
        kept = policies[iterations // 2 :]
        for name, value in adapter_tensors(model.backbone, "stage3").items():
            torch.testing.assert_close(value, torch.stack([policy[name] for policy in kept]).mean(0))


class TestNewHeads:
    def test_they_fit_the_model_and_are_the_seeds(self) -> None:
        model, before = make_model(), torch.get_rng_state()
        one, same, other = (new_heads(model, SMOKE.heads, seed=seed) for seed in (1, 1, 2))
        assert torch.equal(torch.get_rng_state(), before)
        assert (one.shape.tap_width, one.shape.channels, one.shape.patch, one.shape.stride) == (64, 8, 2, 8)
        assert_same(one.state_dict(), same.state_dict())
        assert differing(one.state_dict(), other.state_dict())


def test_truth_of_some_clips_is_theirs() -> None:
    numbers = torch.tensor([5, 1, 1])
    some = WORLD.truth[numbers]
    assert len(some) == 3
    for field in Truth.__dataclass_fields__:
        assert torch.equal(getattr(some, field), getattr(WORLD.truth, field)[numbers]), field
