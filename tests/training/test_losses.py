"""Losses of the heads: zero at the truth, larger the further from it, silent where nothing is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from components import geometry
from components.heads import Read4D
from components.training.losses import (
    LARGEST_WARP,
    MOVING_WEIGHT,
    Truth,
    confident_flow,
    scale_shift_invariant,
    truth_losses,
    warp_back,
    warp_loss,
)
from tests.training.twins import make_world

CERTAIN = 50.0  # a logit
H, W = 12, 16


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def truthful(truth: Truth) -> Read4D:
    """Heads that say exactly what is true."""
    return Read4D(
        log_depth=truth.log_depth.clone(),
        foreground=CERTAIN * (2 * truth.foreground.float() - 1),
        flow=truth.flow.clone(),
        depth_change=truth.depth_change.clone(),
        visibility=CERTAIN * (2 * truth.visible.float() - 1),
    )


def plane(*, sideways: float = 1.0, down: float = 0.0, away: float = 0.25, frames: int = 4) -> tuple[Read4D, Truth]:
    """A wall parallel to the picture that moves: every pixel by the same flow, every depth by the same change."""
    depth = 4.0 + away * torch.arange(frames).float()
    log_depth = depth.log().view(1, -1, 1, 1).expand(1, frames, H, W)
    flow = torch.tensor([sideways, down]).view(1, 1, 2, 1, 1).expand(1, frames - 1, 2, H, W)
    change = torch.full((1, frames - 1, H, W), away)
    everywhere = torch.ones(1, frames, H, W, dtype=torch.bool)
    truth = Truth(
        log_depth=log_depth,
        valid=everywhere,
        foreground=everywhere,
        flow=flow,
        depth_change=change,
        visible=everywhere[:, 1:],
    )
    return truthful(truth), truth


def ramp_plane(*, sideways: float, frames: int = 3) -> tuple[Read4D, Truth]:
    """A slanted wall that slides sideways with its picture: depth is a slope in u that moves with the flow."""
    u = torch.arange(W).float()
    depth = torch.stack([4.0 + 0.05 * (u - sideways * frame) for frame in range(frames)])
    read, truth = plane(sideways=sideways, away=0.0, frames=frames)
    log_depth = depth.log().view(1, frames, 1, W).expand(1, frames, H, W)
    return replace(read, log_depth=log_depth), replace(truth, log_depth=log_depth)


ALL = torch.ones(1, 1, 1, 1)


class TestScaleAndShift:
    @pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.2, 3.0), (7.0, -2.0)])
    def test_nothing_is_lost_where_the_label_is_scale_times_plus_shift(self, scale: float, shift: float) -> None:
        label = random(2, 3, H, W).abs() + 0.1
        assert scale_shift_invariant(scale * label + shift, label).item() == pytest.approx(0, abs=1e-5)

    def test_every_clip_has_its_own_scale_and_shift(self) -> None:
        label = random(2, 3, H, W)
        predicted = torch.stack([2 * label[0] + 1, 5 * label[1] - 4])
        assert scale_shift_invariant(predicted, label).item() == pytest.approx(0, abs=1e-5)

    def test_frames_of_a_clip_share_theirs(self) -> None:
        label = random(1, 2, H, W)
        predicted = torch.stack([2 * label[:, 0] + 1, 5 * label[:, 1] - 4], 1)
        assert scale_shift_invariant(predicted, label).item() > 0.1

    def test_it_grows_with_noise(self) -> None:
        label = random(2, 3, H, W)
        losses = [
            scale_shift_invariant(label + noise * random(2, 3, H, W, seed=1), label) for noise in (0, 0.1, 0.3, 1)
        ]
        assert losses == sorted(losses)
        assert losses[1] > 0.01

    def test_a_scale_of_the_wrong_sign_is_wrong(self) -> None:
        label = random(2, 3, H, W)
        assert scale_shift_invariant(-label, label).item() > 1

    def test_a_flat_prediction_is_not_blown_up(self) -> None:
        flat = (5 + 1e-7 * random(1, 2, H, W)).requires_grad_(True)
        loss = scale_shift_invariant(flat, random(1, 2, H, W, seed=1))
        (gradient,) = torch.autograd.grad(loss, flat)
        assert loss.item() == pytest.approx(1.0, abs=1e-3)  # that of a label of unit deviation
        assert gradient.isfinite().all()


class TestConfidentFlow:
    def test_it_is_zero_at_the_label(self) -> None:
        flow = random(2, 3, 2, H, W)
        assert confident_flow(flow, flow, torch.ones(2, 3, H, W)).item() == 0

    def test_pixels_of_no_confidence_do_not_count(self) -> None:
        label = random(2, 3, 2, H, W)
        confidence = (random(2, 3, H, W, seed=2) > 0).float()
        wrong = label + 100 * (confidence == 0)[:, :, None]
        assert confident_flow(wrong, label, confidence).item() == 0

    def test_it_is_proportional_to_confidence(self) -> None:
        label, predicted, some = random(2, 3, 2, H, W), random(2, 3, 2, H, W, seed=1), torch.full((2, 3, H, W), 0.25)
        full = confident_flow(predicted, label, torch.ones_like(some))
        assert confident_flow(predicted, label, some).item() == pytest.approx(full.item() / 4)

    def test_moving_pixels_count_more(self) -> None:
        still, moving = torch.zeros(1, 1, 2, H, W), torch.full((1, 1, 2, H, W), 3.0)
        sure = torch.ones(1, 1, H, W)
        losses = [confident_flow(label + 0.5, label, sure).item() for label in (still, moving)]
        assert losses == pytest.approx([2 * 0.5 * 0.5**2, MOVING_WEIGHT * 2 * 0.5 * 0.5**2])


class TestTruth:
    def test_every_loss_is_zero_at_the_truth(self) -> None:
        """Where the flow leaves an object the warp reads two surfaces: those pixels are not visible then."""
        truth = make_world(6).truth
        losses = truth_losses(truthful(truth), truth, torch.ones(6))
        assert sorted(losses) == ["depth", "foreground", "motion", "warp"]
        assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(dict.fromkeys(losses, 0), abs=1e-6)

    def test_a_sample_without_signal_is_silent(self) -> None:
        truth = make_world(4).truth
        read = truthful(truth)
        wrong = replace(
            read,
            log_depth=read.log_depth + 1,
            flow=read.flow + 2,
            depth_change=read.depth_change - 1,
            foreground=-read.foreground,
            visibility=-read.visibility,
        )
        loud = truth_losses(wrong, truth, torch.ones(4))
        half = truth_losses(wrong, truth, torch.full((4,), 0.5))
        silent = truth_losses(wrong, truth, torch.zeros(4))
        for name, loss in loud.items():
            assert loss > 0.01
            assert half[name].item() == pytest.approx(loss.item() / 2, rel=1e-5)
            assert silent[name] == 0

    @pytest.mark.parametrize(
        ("field", "loss"),
        [
            ("log_depth", "depth"),
            ("flow", "motion"),
            ("depth_change", "motion"),
            ("foreground", "foreground"),
            ("visibility", "foreground"),
        ],
    )
    def test_each_channel_has_a_loss_that_sees_its_noise(self, field: str, loss: str) -> None:
        truth = make_world(4).truth
        read = truthful(truth)
        found = []
        for strength in (0.0, 0.5, 2.0):
            value = getattr(read, field)
            noisy = value.clamp(-1, 1) if field in ("foreground", "visibility") and strength else value
            noisy = noisy + strength * random(*noisy.shape, seed=3)
            found.append(truth_losses(replace(read, **{field: noisy}), truth, torch.ones(4))[loss].item())
        assert found == sorted(found)
        assert found[1] > found[0] + 0.01

    def test_errors_on_dynamic_objects_count_more(self) -> None:
        truth = make_world(4).truth
        read, here = truthful(truth), truth.foreground
        share = here.float().mean().item()
        on = truth_losses(replace(read, log_depth=read.log_depth + 0.1 * here), truth, torch.ones(4))["depth"]
        off = truth_losses(replace(read, log_depth=read.log_depth + 0.1 * ~here), truth, torch.ones(4))["depth"]
        assert on.item() / share > 2 * off.item() / (1 - share)


class TestWarp:
    @pytest.mark.parametrize("sideways", [-2.0, 0.0, 0.4, 1.0])
    @pytest.mark.parametrize("away", [-0.3, 0.0, 0.3])
    def test_a_plane_that_moves_as_its_motion_says_is_consistent(self, sideways: float, away: float) -> None:
        read, truth = plane(sideways=sideways, down=0.7, away=away)
        assert warp_loss(read, truth, ALL).item() == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize("wrong", [-1, 1])
    def test_it_grows_with_a_wrong_depth_change(self, wrong: int) -> None:
        read, truth = plane()
        errors = (0.0, 0.1, 0.3, 0.6)
        losses = [
            warp_loss(replace(read, depth_change=read.depth_change + wrong * error), truth, ALL).item()
            for error in errors
        ]
        scale = truth.log_depth.exp().mean().item()
        assert losses == pytest.approx([error / scale for error in errors], abs=1e-5)

    @pytest.mark.parametrize("wrong", [-1, 1])
    def test_it_grows_with_a_wrong_flow_where_depth_has_a_slope(self, wrong: int) -> None:
        read, truth = ramp_plane(sideways=1.0)
        inside = replace(truth, visible=truth.visible & (torch.arange(W) > 4) & (torch.arange(W) < W - 5))
        shift = torch.tensor([1.0, 0.0]).view(2, 1, 1)
        losses = [
            warp_loss(replace(read, flow=read.flow + wrong * error * shift), inside, ALL).item()
            for error in (0.0, 0.5, 1.0, 2.0)
        ]
        assert losses[0] == pytest.approx(0, abs=1e-6)
        assert losses[2:] == pytest.approx([2 * losses[1], 4 * losses[1]], rel=1e-3)

    def test_depth_and_both_motions_get_its_gradient(self) -> None:
        read, truth = ramp_plane(sideways=1.0)
        fields = {
            "log_depth": (read.log_depth + 0.01 * random(1, 3, H, W)).requires_grad_(True),
            "flow": (read.flow + 0.1).requires_grad_(True),
            "depth_change": (read.depth_change + 0.02).requires_grad_(True),
        }
        warp_loss(replace(read, **fields), truth, ALL).backward()
        for name, value in fields.items():
            assert value.grad is not None, name
            assert value.grad.abs().sum() > 0, name
        assert fields["log_depth"].grad is not None
        assert (fields["log_depth"].grad.abs().sum((0, 2, 3)) > 0).all(), "both frames of every pair"

    def test_pixels_that_are_not_visible_do_not_count(self) -> None:
        read, truth = plane()
        nowhere = replace(truth, visible=torch.zeros_like(truth.visible))
        assert warp_loss(replace(read, depth_change=read.depth_change + 1), nowhere, ALL).item() == 0

    def test_the_sky_counts_neither_in_the_loss_nor_in_its_scale(self) -> None:
        """Half of the picture is sky, 100 m away and at rest: what the wall costs is what it costs without a sky."""
        read, truth = plane(sideways=0.0)
        read = replace(read, depth_change=read.depth_change + 0.3)
        sky = (torch.arange(W) < W // 2).expand_as(truth.valid)
        under_sky = replace(truth, valid=~sky, log_depth=torch.where(sky, torch.tensor(100.0).log(), truth.log_depth))
        half = warp_loss(read, under_sky, ALL).item()
        assert half == pytest.approx(warp_loss(read, truth, ALL).item() * (1 - (W // 2) / W), rel=1e-5)
        restless = replace(read, depth_change=read.depth_change + 5.0 * sky[:, :-1])
        assert warp_loss(restless, under_sky, ALL).item() == pytest.approx(half, rel=1e-6)

    def test_an_edge_costs_no_more_than_the_cap(self) -> None:
        read, truth = plane()
        assert warp_loss(replace(read, depth_change=read.depth_change + 1e3), truth, ALL).item() == pytest.approx(
            LARGEST_WARP
        )

    def test_warping_back_is_that_of_the_geometry(self) -> None:
        values, flow = random(2, 3, H, W), 4 * random(2, 3, 2, H, W, seed=1)
        found = warp_back(values, flow).numpy()
        for clip in range(2):
            for step in range(3):
                expected = geometry.warp(values[clip, step].numpy(), flow[clip, step].movedim(0, -1).numpy())
                np.testing.assert_allclose(found[clip, step], expected, atol=1e-4)


def test_the_noise_of_a_clip_does_not_reach_its_neighbours() -> None:
    truth = make_world(3).truth
    read = truthful(truth)
    noisy = replace(read, log_depth=read.log_depth + F.one_hot(torch.tensor(1), 3).view(3, 1, 1, 1))
    alone = truth_losses(noisy, truth, torch.tensor([1.0, 0.0, 1.0]))
    assert alone["depth"].item() == 0
