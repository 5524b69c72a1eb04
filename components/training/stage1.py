"""Stage 1: heads for depth and motion learn from pseudo-labels; the backbone is frozen, so videos stay the same."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
from torch import Tensor

from components.backbones.base import Backbone
from components.compute import device, mixed_precision, on_device
from components.heads import Heads, tap_numbers
from components.training.ahead import Source
from components.training.diffusion import add_noise
from components.training.encoded import Encoded
from components.training.engine import PLAIN, Engine, place
from components.training.losses import confident_flow, scale_shift_invariant
from components.training.optimisers import Optimisers, adam, schedule
from components.training.ranks import check_shared, share_of
from components.training.state import TrainingState

if TYPE_CHECKING:
    from components.params import Stage1

DepthKind: TypeAlias = Literal["metric", "affine_disparity", "affine_depth"]
LEAST_TIME = 0.02


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Labels of the encoded clips, in their order; float16 or float32."""

    depth: Tensor  # N,T,H,W in the estimator's own space
    depth_kind: DepthKind
    flow: Tensor  # N,T-1,2,H,W pixels
    confidence: Tensor  # N,T-1,H,W in 0..1

    def __getitem__(self, index: Tensor) -> "PseudoLabels":
        """Those of some clips, as float32, where models compute."""
        depth, flow, confidence = (values[index] for values in (self.depth, self.flow, self.confidence))
        return replace(self, depth=depth, flow=flow, confidence=confidence).ready()

    def __len__(self) -> int:
        return len(self.depth)

    @property
    def frames(self) -> int:
        """T of every clip."""
        return self.depth.shape[1]

    def ready(self) -> "PseudoLabels":
        """All of them, as float32, where models compute."""
        depth, flow, confidence = (on_device(values).float() for values in (self.depth, self.flow, self.confidence))
        return replace(self, depth=depth, flow=flow, confidence=confidence)

    def expect(self, index: Tensor) -> None:
        """Nothing has to be read for them."""


class HeadsOnPseudoLabels:
    """Scale-and-shift-invariant depth in the space that the estimator is affine in, and flow where it is trusted.

    Foreground, depth change and visibility have no pseudo-label: they wait for stage 2.
    """

    def __init__(
        self,
        backbone: Backbone,
        heads: Heads,
        data: Encoded,
        labels: Source[PseudoLabels],
        section: "Stage1",
        *,
        seed: int,
        engine: Engine = PLAIN,
    ) -> None:
        check_shared(section.batch_size, field="stage1.batch_size")
        self.steps = section.steps
        self.heads = heads
        self._backbone, self._data, self._labels, self._section = backbone, data, labels, section
        self._taps = tap_numbers(len(backbone.blocks()), heads.shape.taps)
        self._spans = backbone.frames_of_latent(labels.frames)
        backbone.transformer.eval().requires_grad_(False)
        place(backbone, engine)
        heads.to(device()).train().requires_grad_(True)
        parameters = list(heads.parameters())
        self._state = TrainingState(
            modules={"heads": heads},
            optimisers=Optimisers([adam(parameters, section.learning_rate)], clipped=[parameters]),
            generator=torch.Generator().manual_seed(seed),
            averages={},
        )

    def update(self, step: int) -> Mapping[str, float]:
        """One step on a random batch, at times biased towards little noise."""
        with self._state.undone_if_diverged():
            losses = self._losses()
            sum(losses.values(), torch.zeros(())).backward()
            return self._state.optimisers.step(schedule(step, self.steps), losses)

    def state(self) -> dict[str, Tensor]:
        """Everything that updates change."""
        return self._state.tensors()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._state.load(state, source=Path("checkpoint of stage1"))

    @property
    def changed(self) -> tuple[str, ...]:
        """Nothing of the transformer."""
        return ()

    @property
    def adapters(self) -> Mapping[str, int]:
        """None."""
        return {}

    def _losses(self) -> dict[str, Tensor]:
        """Of depth and flow, on this rank's share of a batch."""
        generator, count = self._state.generator, self._section.batch_size
        share = share_of(count)
        numbers, batch = self._data.draw(count, generator, share=share)
        drawn = self._backbone.sample_times(count, generator) * torch.rand(count, generator=generator)
        times = on_device(share.of(drawn.clamp(min=LEAST_TIME)))
        noised = add_noise(self._backbone, batch.clean, times, batch.noise(generator))
        with torch.no_grad():
            taps = self._backbone.predict(noised.noisy, noised.times, batch.condition, taps=self._taps).taps
        with mixed_precision():
            read = self.heads(taps, noised.noisy, batch.condition, self._spans)
        labels = self._labels[numbers]
        self._labels.expect(self._data.foresee(count, generator, share))
        return {
            "depth": scale_shift_invariant(_in_space_of(labels.depth_kind, read.log_depth), labels.depth),
            "flow": confident_flow(read.flow, labels.flow, labels.confidence),
        }


def _in_space_of(kind: DepthKind, log_depth: Tensor) -> Tensor:
    """What a label of that kind is affine in."""
    return (-log_depth).exp() if kind == "affine_disparity" else log_depth.exp()
