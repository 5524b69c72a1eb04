"""Flow without weights: near the truth of known motions, and sure of itself where it is right."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from components.errors import ParametersError
from components.geometry import warp
from components.pseudo_labels.accuracy import end_point_error
from components.pseudo_labels.consistency import consistency_confidence, enlargement
from components.pseudo_labels.dis import DisFlow
from components.pseudo_labels.raft import RaftFlow, load_raft
from tests.pseudo_labels.videos import panning


@pytest.mark.parametrize(("size", "step"), [(32, 1), (64, 2), (160, 3), (320, 4)])
def test_a_panning_picture_moves_as_it_was_moved(size: int, step: int) -> None:
    frames = panning(4, height=size, width=size, step=step)
    flow, confidence = DisFlow(consistency=1.0).predict(frames)
    assert flow.shape == (3, size, size, 2)
    assert confidence.shape == (3, size, size)
    inner = np.s_[:, 6:-6, 6:-6]
    error = end_point_error(flow, np.broadcast_to(np.array([-step, 0], np.float32), flow.shape))
    assert error[inner].mean() < 0.12
    assert confidence[inner].mean() > 0.8


def test_nothing_moves_in_a_still_video() -> None:
    flow, confidence = DisFlow(consistency=1.0).predict(panning(3, step=0))
    assert np.abs(flow).max() < 1e-3
    assert confidence.min() > 0.999


def test_the_next_frame_warped_back_is_nearer_than_the_next_frame() -> None:
    frames = panning(4, height=64, width=64, step=2)
    flow, _ = DisFlow(consistency=1.0).predict(frames)
    still = np.abs(frames[1:].astype(float) - frames[:-1]).mean()
    warped = np.mean([np.abs(warp(frames[t + 1], flow[t]) - frames[t]).mean() for t in range(3)])
    assert warped < 0.2 * still


def test_the_order_of_videos_does_not_matter() -> None:
    first, second = panning(4, seed=1), panning(4, seed=2)
    flow = DisFlow(consistency=1.0)
    alone = flow.predict(second)[0]
    flow.predict(first)
    np.testing.assert_array_equal(flow.predict(second)[0], alone)


def constant(across: float, down: float) -> Any:  # noqa: ANN401
    return np.broadcast_to(np.array([across, down], np.float32), (1, 8, 10, 2)).copy()


def test_a_flow_that_comes_back_is_sure() -> None:
    confidence = consistency_confidence(constant(2, 1), constant(-2, -1), 1.0)
    np.testing.assert_allclose(confidence[0, :7, :8], 1.0)


@pytest.mark.parametrize("error", [0.5, 1.0, 3.0])
def test_confidence_falls_with_the_distance_it_misses_by(error: float) -> None:
    confidence = consistency_confidence(constant(0, 0), constant(0, error), 2.0)
    np.testing.assert_allclose(confidence, np.exp(-error / 2), rtol=1e-6)


def test_a_flow_that_leaves_the_picture_is_not_sure() -> None:
    confidence = consistency_confidence(constant(3, 0), constant(-3, 0), 1.0)
    np.testing.assert_array_equal(confidence[0, :, 7:], 0)
    np.testing.assert_allclose(confidence[0, :, :7], 1)


@pytest.mark.parametrize(("size", "scale"), [((64, 64), 2), ((48, 200), 3), ((128, 128), 1), ((480, 832), 1)])
def test_small_frames_are_enlarged(size: tuple[int, int], scale: int) -> None:
    assert enlargement(*size, least=128) == scale


def test_raft_without_torchvision_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models.optical_flow", None)
    with pytest.raises(ParametersError, match=r"pseudo_labels\.flow: raft needs torchvision.*or write dis"):
        load_raft(consistency=1.0)


class Shift(torch.nn.Module):
    """Stands for RAFT: says that everything moves by so many pixels of what it is shown, forward in time."""

    def __init__(self, pixels: float) -> None:
        super().__init__()
        self.pixels, self.seen = pixels, list[tuple[int, ...]]()

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> list[torch.Tensor]:
        self.seen.append(tuple(first.shape))
        forward = 1.0 if float(second.mean()) > float(first.mean()) else -1.0  # frames grow brighter in time
        flow = torch.zeros(1, 2, *first.shape[-2:])
        flow[:, 0] = forward * self.pixels
        return [flow * 0, flow]


def test_raft_sees_frames_it_can_work_on_and_gives_flow_in_their_own_pixels() -> None:
    network = Shift(6.0)
    frames = np.stack([np.full((60, 84, 3), value, np.uint8) for value in (10, 100, 200)])
    flow, confidence = RaftFlow(network=network, consistency=1.0).predict(frames)
    assert set(network.seen) == {(1, 3, 184, 256)}  # enlarged three times, to multiples of 8
    assert flow.shape == (2, 60, 84, 2)
    np.testing.assert_allclose(flow[..., 0], 2.0, rtol=1e-6)
    np.testing.assert_allclose(confidence[:, :, :80], 1.0)


def test_raft_sees_colours_as_its_published_transforms_make_them() -> None:
    """RGB from -1 to 1, the earlier frame first: torchvision 0.28's own transforms give the same bytes."""
    shown: list[tuple[torch.Tensor, torch.Tensor]] = []
    network = Shift(0.0)
    network.register_forward_pre_hook(lambda _module, pair: shown.append(pair))
    frames = np.zeros((2, 128, 136, 3), np.uint8)
    frames[1] = (255, 51, 0)
    RaftFlow(network=network, consistency=1.0).predict(frames)
    first, second = shown[0]
    torch.testing.assert_close(first, torch.full((1, 3, 128, 136), -1.0))
    torch.testing.assert_close(second, torch.tensor([1.0, -0.6, -1.0]).view(1, 3, 1, 1).expand_as(second))


def test_raft_is_loaded_with_its_published_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def raft_large(**options: object) -> torch.nn.Module:
        asked.update(options)
        return Shift(1.0).train()

    module = ModuleType("torchvision.models.optical_flow")
    module.raft_large = raft_large  # type: ignore[attr-defined]
    module.Raft_Large_Weights = SimpleNamespace(DEFAULT="published")  # type: ignore[attr-defined]
    for name in ("torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "torchvision.models.optical_flow", module)
    flow = load_raft(consistency=1.0)
    assert asked["weights"] == "published"
    assert not flow.network.training
