"""Open-Sora 1.2 behind the protocol of a backbone: rectified flow, the first latent frame given at the time 0.

noisy = (1 - t) clean + t noise, and the network predicts clean - noise, the other sign than Wan's. The given frame is
put in clean, and its tokens are told the time 0. Source: the released v1.2.0, whose sampler is in `sampling`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from components.backbones.base import Condition, Prediction, per_sample
from components.backbones.family import TwinShape
from components.backbones.open_sora import schedule
from components.backbones.open_sora.schedule import Video, shifted_by
from components.backbones.open_sora.stdit3 import STDiT3
from components.compute import mixed_precision
from components.errors import ParametersError

TIME_UNITS = 1000  # the network's own unit of time
LINEAR_LAYERS = (
    "attn.qkv",
    "attn.proj",
    "cross_attn.q_linear",
    "cross_attn.kv_linear",
    "cross_attn.proj",
    "mlp.fc1",
    "mlp.fc2",
)


class OpenSora:
    """A backbone over `STDiT3` for videos of one shape, which decides its times and what the network is told.

    A caption's text is (L,D) with zeros after its last token, as the encoders of this project give it: rows of zeros
    are padding, and are not attended to.
    """

    name = "open_sora"
    given = 1
    covers = schedule.COVERED
    adapter_targets: tuple[str, ...] = LINEAR_LAYERS

    def __init__(self, transformer: STDiT3, *, size: str, video: Video) -> None:
        self.transformer: Any = transformer  # a module to the protocol, STDiT3 here
        self.size = size
        self.video = video
        self.channels: int = transformer.config.in_channels
        self.width: int = transformer.config.hidden_size
        self.patch: int = transformer.patch

    def check_frames(self, frames: int) -> None:
        """A single frame, or chunks of 17."""
        schedule.check_frames(frames)

    def frames_of_latent(self, frames: int) -> tuple[range, ...]:
        """Of every chunk the first frame alone, then four by four."""
        return schedule.frames_of_latent(frames)

    def blocks(self) -> Sequence[torch.nn.Module]:
        """The transformer's blocks, over space and over time in turns."""
        return list(self.transformer.blocks)

    def path(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """1 - t and t."""
        return 1 - times, times

    def sample_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Logistic normal times, shifted for this video."""
        return self.video.draw_times(count, generator)

    def schedule(self, steps: int) -> Tensor:
        """Even times, shifted for this video."""
        return self.video.schedule(steps)

    def target(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """The velocity clean - noise."""
        return clean - noise

    def split(self, noisy: Tensor, output: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """clean = noisy + t velocity, noise = noisy - (1 - t) velocity."""
        t = per_sample(times, noisy)
        return noisy + t * output, noisy - (1 - t) * output

    def predict(self, noisy: Tensor, times: Tensor, condition: Condition, *, taps: Sequence[int] = ()) -> Prediction:
        """The velocity; its first frame means nothing, because that frame is given.

        ParametersError for latents of another height or width than this video's, for text without a token, and for
        taps of a grid that patches do not fill.
        """
        self._check(noisy, taps)
        latents = torch.cat([condition.first, noisy[:, :, 1:]], 2)
        noisy_frames = torch.ones(latents.shape[0], latents.shape[2], dtype=torch.bool, device=latents.device)
        noisy_frames[:, 0] = False
        text, text_mask = unpadded(condition.text)
        with mixed_precision():
            output = self.transformer(
                latents,
                times * TIME_UNITS,
                text,
                text_mask=text_mask,
                noisy_frames=noisy_frames,
                fps=times.new_full(times.shape, self.video.told_fps),
                height=self.video.height,
                width=self.video.width,
                taps=taps,
            )
        return Prediction(output=output.sample[:, : self.channels], taps=output.taps)

    def _check(self, noisy: Tensor, taps: Sequence[int]) -> None:
        found, expected = tuple(noisy.shape[-2:]), self.video.latent_shape[1:]
        if found != expected:
            raise ParametersError(
                f"latents of {found[0]}x{found[1]}, expected {expected[0]}x{expected[1]} of a video of "
                f"{self.video.height}x{self.video.width}: encode videos of this size, or write theirs into "
                "the parameters"
            )
        if taps and any(side % self.patch for side in found):
            raise ParametersError(
                f"video of {self.video.height}x{self.video.width}: its latents, {found[0]}x{found[1]}, are no whole "
                f"patches of {self.patch}, and heads cannot read it: write multiples of {schedule.STRIDE * self.patch}"
            )


def unpadded(text: Tensor) -> tuple[Tensor, Tensor]:
    """Text (B,l,D) as long as the longest caption, and which of its rows are tokens (B,l); zeros are padding.

    ParametersError names the first sample without a token: attention to nothing is not a number.
    """
    tokens = text.ne(0).any(-1)
    lengths = torch.arange(1, text.shape[1] + 1, device=text.device).mul(tokens).amax(1).tolist()
    if 0 in lengths:
        raise ParametersError(
            f"text of sample {lengths.index(0)} is zeros alone, expected a token at least: an empty caption has its "
            "end token, or the network's own y_embedding"
        )
    longest = max(lengths)
    return text[:, :longest], tokens[:, :longest]


def make_twin(shape: TwinShape, *, seed: int) -> OpenSora:
    """A twin of the published transformer, its weights drawn from `seed`. layers: pairs of blocks."""
    with torch.random.fork_rng(devices=[]):  # weights that are drawn only to be replaced
        transformer: STDiT3 = STDiT3(
            in_channels=shape.channels,
            hidden_size=shape.heads * shape.head_width,
            depth=shape.layers,
            num_heads=shape.heads,
            caption_channels=shape.text_width,
            model_max_length=shape.text_tokens,
        )
    transformer.draw_weights(torch.Generator().manual_seed(seed))
    return OpenSora(transformer, size="tiny", video=shifted_by(shape.time_shift, shape.video))
