"""CogVideoX-5b-I2V behind the protocol of a backbone: v-prediction, the first frame told through extra channels.

noisy = alpha clean + sigma noise with alpha^2 + sigma^2 = 1, and the network predicts alpha noise - sigma clean. The
first frame's latents stand beside the first noisy frame, zeros beside all others; the first frame itself is generated
like any other. Source: the published pipeline, CogVideoXImageToVideoPipeline of diffusers.
"""

from collections.abc import Sequence

import torch
from diffusers import CogVideoXTransformer3DModel
from torch import Tensor

from components.backbones.base import Condition, Prediction, per_sample
from components.backbones.cogvideox import path, positions
from components.backbones.cogvideox.path import NoiseLevels, noise_levels
from components.backbones.cogvideox.positions import CHUNK
from components.backbones.family import TwinShape
from components.backbones.taps import outputs_of
from components.compute import mixed_precision

OFFSET = 2.0  # what the pipeline tells checkpoints that embed an offset (`ofs`)
BETAS = (0.00085, 0.012)  # of the published schedule, first and last
LINEAR_LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")


class CogVideoX:
    """A backbone over `CogVideoXTransformer3DModel`.

    levels: of noise, by time. first_scale: from the codec's latents of the first frame to those the network is told;
    not 1 for an autoencoder whose configuration says `invert_scale_latents`.
    """

    name = "cogvideox"
    given = 0
    covers = CHUNK
    adapter_targets: tuple[str, ...] = LINEAR_LAYERS

    def __init__(
        self, transformer: CogVideoXTransformer3DModel, *, size: str, levels: NoiseLevels, first_scale: float = 1.0
    ) -> None:
        self.transformer = transformer
        self.size = size
        self.levels = levels
        self.first_scale = first_scale
        config = transformer.config
        self.channels: int = config.out_channels
        self.width: int = config.num_attention_heads * config.attention_head_dim
        self.patch: int = config.patch_size

    def check_frames(self, frames: int) -> None:
        """Frames come as 8 k + 1; where positions are learned, there is one number of them."""
        positions.check_frames(self.transformer.config, frames)

    def frames_of_latent(self, frames: int) -> tuple[range, ...]:
        """The first frame alone, then four by four."""
        self.check_frames(frames)
        return (range(1), *(range(start, start + CHUNK) for start in range(1, frames, CHUNK)))

    def blocks(self) -> Sequence[torch.nn.Module]:
        """The transformer's blocks."""
        return list(self.transformer.transformer_blocks)

    def path(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma: the schedule's own at whole thousandths, what lies between them elsewhere."""
        return self.levels.at(times)

    def sample_times(self, count: int, generator: torch.Generator) -> Tensor:
        """One of the thousand discrete timesteps, each as likely as any other."""
        return path.draw(count, generator)

    def schedule(self, steps: int) -> Tensor:
        """Trailing timesteps, then 0; ParametersError for more steps than there are timesteps."""
        return path.trailing(steps)

    def target(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """The velocity alpha noise - sigma clean."""
        alpha, sigma = (per_sample(value, clean) for value in self.path(times))
        return alpha * noise - sigma * clean

    def split(self, noisy: Tensor, output: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """clean = alpha noisy - sigma velocity, noise = sigma noisy + alpha velocity."""
        alpha, sigma = (per_sample(value, noisy) for value in self.path(times))
        return alpha * noisy - sigma * output, sigma * noisy + alpha * output

    def predict(self, noisy: Tensor, times: Tensor, condition: Condition, *, taps: Sequence[int] = ()) -> Prediction:
        """The velocity, of the first frame too. ParametersError for a size that the checkpoint has no positions for."""
        batch, _, frames, height, width = noisy.shape
        config = self.transformer.config
        positions.check_grid(config, frames=frames, height=height, width=width, tokens=condition.text.shape[1])
        told = torch.zeros_like(noisy)
        told[:, :, :1] = condition.first * self.first_scale
        grid = (frames, height // self.patch, width // self.patch)
        dtype = self.transformer.dtype  # published weights are bfloat16, also where there is no autocast
        with mixed_precision(), outputs_of(self.blocks(), taps) as states:
            output = self.transformer(
                torch.cat([noisy, told], 1).movedim(1, 2).to(dtype),
                condition.text.to(dtype),
                path.timesteps(times),
                ofs=noisy.new_full((1,), OFFSET) if config.ofs_embed_dim else None,
                image_rotary_emb=positions.rotary(
                    config, frames=frames, height=grid[1], width=grid[2], place=noisy.device
                ),
                return_dict=False,
            )[0]
        return Prediction(
            output=output.movedim(1, 2).float(),
            taps=tuple(states[tap].reshape(batch, *grid, self.width) for tap in taps),
        )


def make_twin(shape: TwinShape, *, seed: int) -> CogVideoX:
    """A twin of the published transformer, its weights drawn from `seed`; head_width in multiples of 16.

    Its positions are a table, like the published one's: it takes videos of `shape` and no others. The signal-to-noise
    ratio is that of the published betas over time_shift squared.
    """
    height, width = shape.latent_size
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformer = CogVideoXTransformer3DModel(
            num_attention_heads=shape.heads,
            attention_head_dim=shape.head_width,
            in_channels=2 * shape.channels,
            out_channels=shape.channels,
            time_embed_dim=4 * shape.head_width,
            text_embed_dim=shape.text_width,
            num_layers=shape.layers,
            sample_height=height,
            sample_width=width,
            sample_frames=shape.video.frames,
            max_text_seq_length=shape.text_tokens,
            use_rotary_positional_embeddings=True,
            use_learned_positional_embeddings=True,
        )
    levels = noise_levels(beta_start=BETAS[0], beta_end=BETAS[1], snr_shift=shape.time_shift**2)
    return CogVideoX(transformer, size="tiny", levels=levels)
