"""Training of a depth network on simulated frames, seen clean and as latents give them back.

Legend: N clips, T frames, B samples, H height, W width.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.compute import device
from components.depth_network import DepthKind, DepthNetwork, UNet, to_input
from components.index import read_index
from components.pseudo_labels.accuracy import absolute_relative_error, align_disparity
from components.shards import read_part
from components.training.optimisers import Optimisers, adam, schedule
from components.training.state import TrainingState

if TYPE_CHECKING:
    from components.backbones.base import Codec
    from components.params import DepthNet

FIELDS = ("rgb", "depth", "valid", "segmentation")
FOREGROUND = 10.0  # weight of a dynamic object's pixel beyond everybody's 1: objects cover 3 % of a frame
NOISE = 0.04  # deviation, of frames in [-1,1]
SMALLEST = 1e-6  # spread: keeps a flat picture from being divided by nothing
HELD_OUT = 16  # one clip in so many is not trained on
MOST_PIXELS = 2**29  # of all frames together, 12 bytes each: of more, frames are left out evenly


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthSamples:
    """Frames of N clips: rgb (N,T,H,W,3) and `decoded`, what latents make of it; depth (N,T,H,W) in metres; masks."""

    rgb: NDArray[np.uint8]
    decoded: NDArray[np.uint8]
    depth: NDArray[np.float32]
    valid: NDArray[np.bool_]
    foreground: NDArray[np.bool_]

    def __getitem__(self, clips: slice) -> "DepthSamples":
        """Some of the clips."""
        return DepthSamples(**{name: array[clips] for name, array in vars(self).items()})

    def split(self) -> tuple["DepthSamples", "DepthSamples"]:
        """What is trained on, and the last clips, which are not; the same twice where there is but one clip."""
        kept = len(self.rgb) - max(1, len(self.rgb) // HELD_OUT)
        return (self[:kept], self[kept:]) if kept else (self, self)


def read_samples(folder: Path, codec: "Codec") -> DepthSamples:
    """The frames of a simulated split, each also as `codec` gives it back."""
    rows = read_index(folder)
    pixels = sum(row.frames * row.height * row.width for row in rows)
    every = slice(None, None, -(-pixels // MOST_PIXELS))
    fields: dict[str, list[NDArray[Any]]] = {field.name: [] for field in dataclasses.fields(DepthSamples)}
    for row in rows:
        part = read_part(folder, row.extent, FIELDS)
        clip = dict(part.arrays)
        clip["decoded"] = codec.decode(codec.encode(clip["rgb"][None]))[0]
        clip["foreground"] = np.isin(clip["segmentation"], part.dynamic)
        for name, frames in fields.items():
            frames.append(clip[name][every])
    return DepthSamples(**{name: np.stack(frames) for name, frames in fields.items()})


class DepthLearner:
    """Weighted L1 on log-depth (metric), or on disparity of which every picture's scale and shift is unknown.

    A frame is a random mixture of itself and of what latents make of it, with noise: a judge reads decoded video.
    """

    def __init__(self, samples: DepthSamples, section: "DepthNet", *, depth_kind: DepthKind, seed: int) -> None:
        self.steps = section.steps
        self._section, self._depth_kind = section, depth_kind
        self._rgb, self._decoded = torch.from_numpy(samples.rgb), torch.from_numpy(samples.decoded)
        self._weights = 1 + FOREGROUND * torch.from_numpy(samples.foreground)
        self._target, self._loss = _objective(samples, depth_kind)
        self._network = _initial(section.width, seed).to(device())
        parameters = list(self._network.parameters())
        self._state = TrainingState(
            modules={"network": self._network},
            optimisers=Optimisers([adam(parameters, section.learning_rate)], clipped=[parameters]),
            generator=torch.Generator().manual_seed(seed),
            averages={},
        )

    def update(self, step: int) -> Mapping[str, float]:
        """One step on random frames of random clips."""
        with self._state.undone_if_diverged():
            loss = self._draw_loss()
            loss.backward()
            return self._state.optimisers.step(schedule(step, self.steps), {"depth": loss})

    def network(self) -> DepthNetwork:
        """What was trained."""
        return DepthNetwork(depth_kind=self._depth_kind, module=self._network.eval())

    def state(self) -> dict[str, Tensor]:
        """Everything that updates change."""
        return self._state.tensors()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._state.load(state, source=Path("checkpoint of depth_net"))

    def _draw_loss(self) -> Tensor:
        count, generator = self._section.batch_size, self._state.generator
        clips = torch.randint(len(self._rgb), (count,), generator=generator)
        frames = torch.randint(self._rgb.shape[1], (count,), generator=generator)
        share = torch.rand(count, 1, 1, 1, generator=generator)
        clean, decoded = to_input(self._rgb[clips, frames]), to_input(self._decoded[clips, frames])
        seen = torch.lerp(decoded, clean, share)
        seen += NOISE * torch.randn(seen.shape, generator=generator)
        target, weights = (values[clips, frames].to(device()) for values in (self._target, self._weights))
        return self._loss(self._network(seen.to(device())), target, weights)


def depth_loss(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Mean absolute error of pictures (B,H,W), weighted."""
    return (weights * (predicted - target).abs()).mean()


def invariant_depth_loss(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """The same after each picture, predicted and true, lost its own scale and shift (MiDaS, arXiv 1907.01341)."""
    return depth_loss(normalise(predicted), normalise(target), weights)


def normalise(values: Tensor) -> Tensor:
    """Pictures (B,H,W) less their median, over their mean distance from it."""
    centred = values - values.flatten(1).median(1).values.view(-1, 1, 1)
    spread = centred.abs().mean((1, 2), keepdim=True)
    return centred / spread.clamp(min=SMALLEST)


def error_figures(network: DepthNetwork, samples: DepthSamples) -> dict[str, float]:
    """AbsRel over valid pixels and over those of dynamic objects; of disparity, after one affine fit a clip."""
    depth = network.predict(samples.rgb)
    if network.depth_kind == "affine_disparity":
        clips = zip(depth, samples.depth, samples.valid, strict=True)
        depth = np.stack([align_disparity(*clip) for clip in clips]).astype(np.float32)
    figures = {"absrel": absolute_relative_error(depth, samples.depth, samples.valid)}
    if samples.foreground.any():
        figures["foreground_absrel"] = absolute_relative_error(depth, samples.depth, samples.foreground)
    return figures


def _objective(
    samples: DepthSamples, depth_kind: DepthKind
) -> tuple[Tensor, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    """What a network is to put out (N,T,H,W), and the loss that says by how much it misses."""
    if depth_kind == "metric":
        return torch.from_numpy(np.log(samples.depth)), depth_loss
    return torch.from_numpy(np.where(samples.valid, 1 / samples.depth, np.float32(0))), invariant_depth_loss


def _initial(width: int, seed: int) -> UNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # torch's layers draw their first weights from the global generator alone
        return UNet(width)
