"""Stage 2: fine-tuning on simulation: diffusion loss alone, then with the losses that couple depth and motion.

The heads come last: blocks that go on changing after the heads were trained leave them behind.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from components.backbones.adapters import add_adapter
from components.compute import device, mixed_precision, on_device
from components.heads import tap_numbers
from components.model import Model
from components.training import ranks
from components.training.ahead import Source
from components.training.diffusion import diffusion_loss
from components.training.encoded import Encoded
from components.training.engine import PLAIN, Engine, place
from components.training.losses import Truth, truth_losses
from components.training.optimisers import muon_and_adam, schedule
from components.training.ranks import check_shared, share_of_both
from components.training.state import TrainingState

if TYPE_CHECKING:
    from components.params import Stage2

LEAST_TIME = 0.02
LOW_TIMES = 0.3  # share of samples at little noise, where heads can see
CAPTION_DROPOUT = 0.1
ADAPTER = "stage2"


class SimulationTuning:
    """Diffusion, depth, motion, foreground and warp losses on the last blocks or an adapter, and on the heads."""

    def __init__(
        self,
        model: Model,
        data: Encoded,
        truth: Source[Truth],
        section: "Stage2",
        *,
        seed: int,
        engine: Engine = PLAIN,
    ) -> None:
        backbone, heads = model.backbone, model.with_heads
        check_shared(section.batch_size, field="stage2.batch_size")
        check_shared(section.heads_batch_size, field="stage2.heads_batch_size")
        self.steps = section.steps + section.diffusion_steps
        self.heads = heads
        self._share = share_of_both(section.heads_batch_size, section.batch_size)
        self._seen = slice(0, section.heads_batch_size // ranks.size())
        self._backbone, self._data, self._truth, self._section = backbone, data, truth, section
        self._taps = tap_numbers(len(backbone.blocks()), heads.shape.taps)
        self._spans = backbone.frames_of_latent(truth.frames)
        self._release(seed)
        place(backbone, engine)
        heads.to(device()).train().requires_grad_(True)
        self._state = TrainingState(
            modules={"transformer": backbone.transformer, "heads": heads},
            optimisers=muon_and_adam(
                backbone.transformer,
                learning_rate=section.learning_rate,
                muon_learning_rate=section.muon_learning_rate,
                others=heads.parameters(),
                others_learning_rate=section.heads_learning_rate,
            ),
            generator=torch.Generator().manual_seed(seed),
            averages={},
        )

    def update(self, step: int) -> Mapping[str, float]:
        """One step on a random batch; once the heads train, they see its first clips."""
        with self._state.undone_if_diverged():
            losses = self._losses(with_heads=step >= self._section.diffusion_steps)
            self._foresee(step + 1)
            weights = self._section.weights
            total = sum((getattr(weights, name) * loss for name, loss in losses.items()), torch.zeros(()))
            total.backward()
            return self._state.optimisers.step(schedule(step, self.steps), losses)

    def state(self) -> dict[str, Tensor]:
        """Everything that updates change."""
        return self._state.tensors()

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        self._state.load(state, source=Path("checkpoint of stage2"))

    @property
    def adapters(self) -> dict[str, int]:
        """The adapter of this stage and its rank, when it trains one."""
        return {ADAPTER: self._section.lora_rank} if self._section.trainable == "lora" else {}

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the transformer's tensors that this stage changes; none with an adapter."""
        if self._section.trainable == "lora":
            return ()
        return tuple(name for name, value in self._backbone.transformer.named_parameters() if value.requires_grad)

    def _release(self, seed: int) -> None:
        """Let the chosen part of the transformer train."""
        transformer = self._backbone.transformer
        transformer.requires_grad_(False)
        if self._section.trainable == "lora":
            add_adapter(self._backbone, ADAPTER, rank=self._section.lora_rank, seed=seed)
            return
        for block in self._backbone.blocks()[-self._section.blocks :]:
            block.requires_grad_(True)
        transformer.proj_out.requires_grad_(True)

    def _losses(self, *, with_heads: bool) -> dict[str, Tensor]:
        """Each loss on this rank's share of a batch; it has as many of the clips that the heads see as any other."""
        section, generator, backbone = self._section, self._state.generator, self._backbone
        share = self._share
        numbers, batch = self._data.draw(section.batch_size, generator, caption_dropout=CAPTION_DROPOUT, share=share)
        times = on_device(share.of(self._times(section.batch_size)))
        diffusion, noised, prediction = diffusion_loss(
            backbone, batch, times, generator, taps=self._taps if with_heads else ()
        )
        if not with_heads:
            return {"diffusion": diffusion}
        seen = self._seen
        with mixed_precision():
            taps = [tap[seen] if section.through_heads else tap[seen].detach() for tap in prediction.taps]
            read = self.heads(taps, noised.noisy[seen], batch.condition[seen], self._spans)
        signal, _ = backbone.path(times[seen])
        return {"diffusion": diffusion, **truth_losses(read, self._truth[numbers[seen]], signal)}

    def _foresee(self, step: int) -> None:
        """Have the truth that a step will want read while this one computes."""
        section, generator = self._section, self._state.generator
        if section.diffusion_steps <= step < self.steps:
            self._truth.expect(self._data.foresee(section.batch_size, generator, self._share)[self._seen])

    def _times(self, count: int) -> Tensor:
        generator = self._state.generator
        times = self._backbone.sample_times(count, generator)
        low = torch.rand(count, generator=generator) < LOW_TIMES
        return torch.where(low, times * torch.rand(count, generator=generator), times).clamp(min=LEAST_TIME)
