"""The network and the windows of Video-Depth-Anything against its own program, by numbers that this once gave.

video_depth_anything.npz: outputs of github.com/DepthAnything/Video-Depth-Anything at commit
4f5ae23172ba60fd7bc11ef671cca678842c7072 with the weights, pictures and stand-ins made here. {network}_{T}x{H}x{W}: its
forward pass in float64, pixels [::14, ::10]; relative_{T} and metric_{T}: its video inference of a stand-in network;
video: the same of the network "base", in float32; pixels [::9, ::13] of both.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.pseudo_labels.protocols import DepthKind
from components.pseudo_labels.published_depth import network_size
from components.pseudo_labels.video_depth.network import VideoDepthNetwork
from components.pseudo_labels.video_depth.windows import stitch, windows
from components.pseudo_labels.video_depth_anything import VideoDepthAnything, network_side
from tests.pseudo_labels.tiny_video_depth import PUBLISHED, TINY, noise, on_paper, tiny_network
from tests.pseudo_labels.videos import panning

REFERENCE = np.load(Path(__file__).with_name("video_depth_anything.npz"))


@pytest.mark.parametrize("case", [name for name in REFERENCE.files if "x" in name])
def test_the_network_gives_the_references_depth(case: str) -> None:
    """Native and other sizes, square or not, one frame to a whole window, both depths of the encoder."""
    name, shape = case.split("_")
    with torch.inference_mode():
        depth = tiny_network(name).double()(noise(*map(int, shape.split("x"))).double()).numpy()[:, ::14, ::10]
    np.testing.assert_allclose(depth, REFERENCE[case], rtol=1e-6, atol=1e-6 * REFERENCE[case].max())
    assert (REFERENCE[case] > 0).any()


def test_float32_is_as_near_as_it_can_be() -> None:
    expected = REFERENCE["base_5x56x98"]
    with torch.inference_mode():
        depth = tiny_network("base")(noise(5, 56, 98)).numpy()[:, ::14, ::10]
    assert np.abs(depth - expected).max() < 1e-5 * expected.max()


@pytest.mark.parametrize(
    ("size", "tensors", "parameters", "published"),
    [("small", 351, 29_035_137, "28.4"), ("base", 351, 114_441_409, "113.1"), ("large", 519, 384_390_337, "381.8")],
)
def test_published_sizes(size: str, tensors: int, parameters: int, published: str) -> None:
    """What is published as millions of parameters counts neither position embeddings nor what nothing passes."""
    network = on_paper(PUBLISHED[size])
    assert len(network.state_dict()) == tensors
    counts = {name: parameter.numel() for name, parameter in network.named_parameters()}
    assert sum(counts.values()) == parameters
    unused = ("pretrained.pos_embed", "pretrained.mask_token", "head.scratch.refinenet4.resConfUnit1.")
    used = sum(count for name, count in counts.items() if not name.startswith(unused))
    assert f"{used / 1e6:.1f}" == published


def test_frames_see_each_other_and_their_order() -> None:
    network, pictures = tiny_network("base"), noise(5, 56, 98)
    order = [3, 1, 4, 0, 2]
    with torch.inference_mode():
        whole, alone, mixed = network(pictures), network(pictures[:1]), network(pictures[order])
    assert (whole[0] - alone[0]).abs().mean() > 0.1 * whole.std()
    assert (whole[order] - mixed).abs().mean() > 0.1 * whole.std()


class StandIn(VideoDepthNetwork):
    """Depth that a formula makes of the picture, of another scale and shift in each window."""

    def __init__(self, *, metric: bool) -> None:
        nn.Module.__init__(self)
        self.sizes = replace(TINY["base"], grid=2)
        self.metric, self.calls = metric, 0

    def forward(self, pictures: Tensor) -> Tensor:
        red, green, blue = pictures.unbind(1)
        depth = (red + 0.5 * green * blue + 4) * (1 + 0.3 * self.calls) + 0.7 * self.calls
        self.calls += 1
        return depth.clamp(min=0) if self.metric else depth


@pytest.mark.parametrize("kind", ["affine_disparity", "metric"])
@pytest.mark.parametrize("frames", [5, 24, 32, 33, 54, 77])
def test_a_long_video_is_stitched_as_the_reference_does(frames: int, kind: DepthKind) -> None:
    video = np.random.default_rng(frames).integers(0, 256, (frames, 20, 30, 3), dtype=np.uint8)
    depth = VideoDepthAnything(network=StandIn(metric=kind == "metric"), depth_kind=kind).predict(video)
    expected = REFERENCE[f"{'metric' if kind == 'metric' else 'relative'}_{frames}"]
    assert np.abs(depth[:, ::9, ::13] - expected).max() < 1e-5 * expected.max()


def test_a_video_is_labelled_as_by_the_reference() -> None:
    video = panning(33, height=40, width=72)
    depth = VideoDepthAnything(network=tiny_network("base"), depth_kind="affine_disparity").predict(video)
    expected = REFERENCE["video"]
    assert np.abs(depth[:, ::9, ::13] - expected).max() < 5e-5 * expected.max()


def test_a_video_of_197_frames_takes_nine_windows() -> None:
    network = StandIn(metric=False)
    depth = VideoDepthAnything(network=network, depth_kind="affine_disparity").predict(
        panning(197, height=20, width=30)
    )
    assert depth.shape == (197, 20, 30)
    assert depth.dtype == np.float32
    assert np.isfinite(depth).all()
    assert network.calls == 9


def test_windows_begin_with_key_frames_of_the_one_before() -> None:
    first, second, third = windows(60)
    assert first == tuple(range(32))
    assert second == (0, 12, *range(24, 54))
    assert third == (0, 34, *range(46, 60), *[59] * 16)


def test_a_short_video_is_filled_with_its_last_frame() -> None:
    assert list(windows(3)) == [(0, 1, 2, *[2] * 29)]


def seen(scene: NDArray[np.float32], scales: list[float], shifts: list[float]) -> Iterator[NDArray[np.float32]]:
    """What windows would give that know the scene but for a scale and a shift each."""
    for numbers, scale, shift in zip(windows(len(scene)), scales, shifts, strict=True):
        yield scene[list(numbers)] * np.float32(scale) + np.float32(shift)


def scene(frames: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(1, 9, (frames, 6, 8)).astype(np.float32)


def test_the_scales_and_shifts_of_later_windows_do_not_matter() -> None:
    depth = stitch(seen(scene(60), [2.0, 0.3, 7.0], [1.0, 4.0, -3.0]), 60, align=True)
    np.testing.assert_allclose(depth, 2 * scene(60) + 1, rtol=1e-5)


def test_metres_are_not_aligned() -> None:
    depth = stitch(seen(scene(60), [1.0, 2.0, 1.0], [0.0, 0.0, 0.0]), 60, align=False)
    np.testing.assert_allclose(depth[:25], scene(60)[:25])
    np.testing.assert_allclose(depth[31:47], 2 * scene(60)[31:47])
    np.testing.assert_allclose(depth[53:], scene(60)[53:])


def test_one_window_becomes_the_next_over_eight_frames() -> None:
    depth = stitch([np.full((32, 1, 1), value, np.float32) for value in (0, 7)], 54, align=False)
    np.testing.assert_allclose(depth[:, 0, 0], [*[0] * 24, *range(8), *[7] * 22])


def test_key_frames_of_one_value_leave_a_window_as_it_is() -> None:
    depth = stitch([np.full((32, 2, 2), value, np.float32) for value in (0.1, 0.7)], 54, align=True)
    np.testing.assert_allclose(depth[31:], 0.7)


def test_what_alignment_takes_below_nothing_is_nothing() -> None:
    scales = np.linspace(1, 2, 32, dtype=np.float32)[:, None, None]
    later = scene(32)
    later[10:] = -50
    depth = stitch([scene(32) * scales, later], 54, align=True)
    assert (depth[32:] == 0).all()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((64, 64), (518, 518)),
        ((480, 832), (518, 896)),
        ((832, 480), (896, 518)),
        ((720, 1280), (518, 924)),
        ((1080, 2560), (392, 924)),
        ((300, 1200), (224, 896)),
    ],
)
def test_of_wide_pictures_the_network_sees_fewer_rows(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """The numbers are the reference's."""
    side = network_side(*size, side=518, patch=14)
    assert network_size(*size, side=side, patch=14) == expected
