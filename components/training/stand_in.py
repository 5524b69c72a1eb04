"""The stand-in for a pretrained video model: a tiny twin trained on the appearance split.

That split looks like the world and moves unlike it: unknown gravity, hidden first velocities, any restitution. It is
what video from the internet does to a motion prior. The stand-in is also under-trained.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from components.backbones.base import Backbone
from components.compute import on_device
from components.training.diffusion import diffusion_loss
from components.training.encoded import Encoded
from components.training.engine import PLAIN, Engine, assemble, place
from components.training.optimisers import muon_and_adam, schedule
from components.training.ranks import check_shared, share_of
from components.training.state import TrainingState

if TYPE_CHECKING:
    from components.params import Prepare

AVERAGE_FROM = 100  # steps: the first ones are forgotten at once


class StandIn:
    """Diffusion loss on every parameter; what is kept is the moving average of the weights."""

    def __init__(
        self, backbone: Backbone, data: Encoded, section: "Prepare", *, seed: int, engine: Engine = PLAIN
    ) -> None:
        check_shared(section.batch_size, field="prepare.batch_size")
        self.steps = section.steps
        self._backbone, self._data, self._section = backbone, data, section
        backbone.transformer.train().requires_grad_(True)
        place(backbone, engine)
        optimisers = muon_and_adam(
            backbone.transformer,
            learning_rate=section.learning_rate,
            muon_learning_rate=section.muon_learning_rate,
        )
        averages = {name: value.detach().clone() for name, value in backbone.transformer.named_parameters()}
        self._state = TrainingState(
            modules={"transformer": backbone.transformer},
            optimisers=optimisers,
            generator=torch.Generator().manual_seed(seed),
            averages=averages,
        )

    def update(self, step: int) -> Mapping[str, float]:
        """One step on a random batch."""
        generator, section, share = self._state.generator, self._section, share_of(self._section.batch_size)
        with self._state.undone_if_diverged():
            _, batch = self._data.draw(
                section.batch_size, generator, caption_dropout=section.caption_dropout, share=share
            )
            times = on_device(share.of(self._backbone.sample_times(section.batch_size, generator)))
            loss, _, _ = diffusion_loss(self._backbone, batch, times, generator)
            loss.backward()
            figures = self._state.optimisers.step(schedule(step, self.steps), {"diffusion": loss})
        self._average(section.ema if step > AVERAGE_FROM else 0.0)
        return figures

    def finish(self) -> None:
        """Put the averages in the place of the weights."""
        self._copy_averages()
        assemble(self._backbone.transformer)

    def state(self) -> dict[str, Tensor]:
        """Everything that updates change."""
        return self._state.tensors()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._state.load(state, source=Path("checkpoint of prepare"))

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        weights = [value.detach() for value in self._backbone.transformer.parameters()]
        torch._foreach_lerp_(list(self._state.averages.values()), weights, 1 - decay)

    @torch.no_grad()
    def _copy_averages(self) -> None:
        for name, value in self._backbone.transformer.named_parameters():
            value.copy_(self._state.averages[name])
