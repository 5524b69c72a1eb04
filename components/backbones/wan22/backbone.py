"""Wan2.2-TI2V behind the protocol of a backbone: rectified flow, the first latent frame given as it is.

noisy = (1 - t) clean + t noise, and the network predicts noise - clean. The given frame's tokens are told the time 0,
all others t (Wan2.2's `expand_timesteps`). Source: the published pipeline, WanImageToVideoPipeline of diffusers.
"""

from collections.abc import Sequence

import torch
from diffusers import WanTransformer3DModel
from torch import Tensor

from components.backbones.base import Condition, Prediction, per_sample
from components.backbones.family import TwinShape
from components.backbones.taps import outputs_of
from components.compute import mixed_precision
from components.errors import ParametersError

CHUNK = 4  # frames a latent frame covers, the first alone excepted
TIME_UNITS = 1000  # the network's own unit of time
POSITIONS = 256  # that the tiny twin's rotary embedding knows along time, height and width
LINEAR_LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2")


class Wan:
    """A backbone over `WanTransformer3DModel`; `time_shift` moves training and sampling towards noise."""

    name = "wan22"
    given = 1
    covers = CHUNK
    adapter_targets: tuple[str, ...] = LINEAR_LAYERS

    def __init__(self, transformer: WanTransformer3DModel, *, size: str, time_shift: float) -> None:
        self.transformer = transformer
        self.size = size
        self.time_shift = time_shift
        config = transformer.config
        self.channels: int = config.in_channels
        self.width: int = config.num_attention_heads * config.attention_head_dim
        self.patch: int = config.patch_size[1]

    def check_frames(self, frames: int) -> None:
        """Frames come as 4 k + 1."""
        if frames % CHUNK != 1:
            raise ParametersError(f"video.frames: {frames} does not fit backbone wan22, expected {CHUNK} k + 1")

    def frames_of_latent(self, frames: int) -> tuple[range, ...]:
        """The first frame alone, then four by four."""
        self.check_frames(frames)
        return (range(1), *(range(start, start + CHUNK) for start in range(1, frames, CHUNK)))

    def blocks(self) -> Sequence[torch.nn.Module]:
        """The transformer's blocks."""
        return list(self.transformer.blocks)

    def path(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """1 - t and t."""
        return 1 - times, times

    def sample_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Uniform times, shifted."""
        return self._shifted(torch.rand(count, generator=generator))

    def schedule(self, steps: int) -> Tensor:
        """Even times, shifted."""
        return self._shifted(torch.linspace(1, 0, steps + 1))

    def target(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """The velocity noise - clean."""
        return noise - clean

    def split(self, noisy: Tensor, output: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """clean = noisy - t velocity, noise = noisy + (1 - t) velocity."""
        t = per_sample(times, noisy)
        return noisy - t * output, noisy + (1 - t) * output

    def predict(self, noisy: Tensor, times: Tensor, condition: Condition, *, taps: Sequence[int] = ()) -> Prediction:
        """The velocity; its first frame means nothing, because that frame is given."""
        latents = torch.cat([condition.first, noisy[:, :, 1:]], 2)
        batch, _, frames, height, width = latents.shape
        grid = (frames, height // self.patch, width // self.patch)
        per_frame = grid[1] * grid[2]
        token_times = (times[:, None] * TIME_UNITS).repeat(1, frames * per_frame)
        token_times[:, :per_frame] = 0
        dtype = self.transformer.dtype  # published weights are bfloat16, also where there is no autocast
        with mixed_precision(), outputs_of(self.blocks(), taps) as states:
            output = self.transformer(latents.to(dtype), token_times, condition.text.to(dtype), return_dict=False)[0]
        return Prediction(
            output=output.float(), taps=tuple(states[tap].reshape(batch, *grid, self.width) for tap in taps)
        )

    def _shifted(self, times: Tensor) -> Tensor:
        return self.time_shift * times / (1 + (self.time_shift - 1) * times)


def make_twin(shape: TwinShape, *, seed: int) -> Wan:
    """A twin of the published transformer, its weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformer = WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=shape.heads,
            attention_head_dim=shape.head_width,
            in_channels=shape.channels,
            out_channels=shape.channels,
            text_dim=shape.text_width,
            freq_dim=64,
            ffn_dim=4 * shape.heads * shape.head_width,
            num_layers=shape.layers,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=POSITIONS,
        )
    return Wan(transformer, size="tiny", time_shift=shape.time_shift)
