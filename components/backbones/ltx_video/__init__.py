"""LTX-Video behind the protocol of a backbone, a whole family in one file.

Rectified flow: noisy = (1 - t) clean + t noise, and the network predicts noise - clean. The first latent frame is given
as it is; its tokens are told the time 0, all others t. A token is one latent pixel, which stands for 32x32 pixels and 8
frames; positions are told in pixels and seconds. Source: the published pipeline, LTXImageToVideoPipeline of diffusers.

Legend: B samples, C channels, F latent frames, h, w latent height and width, T, H, W video, L text tokens, D width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import exp
from pathlib import Path

import torch
from diffusers import AutoencoderKLLTXVideo, LTXVideoTransformer3DModel
from torch import Tensor

from components.backbones import laptop_latents
from components.backbones.autoencoder import VaeCodec
from components.backbones.base import Condition, Prediction, per_sample
from components.backbones.family import TwinShape, VideoShape
from components.backbones.hub import PublishedFiles
from components.backbones.outline import Outline, in_precision
from components.backbones.pipeline_files import PipelineKind, fetch_pipeline
from components.backbones.pretrained import load_pretrained
from components.backbones.t5 import T5
from components.backbones.taps import outputs_of
from components.compute import mixed_precision
from components.errors import ParametersError

SIZE, PART = "2b", "pipeline"
STRIDE, CHUNK = 32, 8  # pixels and frames of a latent of the published autoencoder
TEXT_WIDTH, TEXT_WEIGHTS = 4096, 2 * 4_762_310_656  # bytes of T5-v1.1-XXL's encoder
TOKENS, TIME_UNITS = 128, 1000  # of a caption, as the pipeline cuts it; the network's own unit of time
PRECISION = torch.bfloat16  # of the published transformer and text encoder; the autoencoder is in float32
LINEAR_LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
PIPELINE = PipelineKind(
    names=("LTXImageToVideoPipeline", "LTXPipeline"),  # the same weights
    models={
        "transformer": "LTXVideoTransformer3DModel",
        "vae": "AutoencoderKLLTXVideo",
        "text_encoder": "T5EncoderModel",
    },
    advice="write Lightricks/LTX-Video, or a folder of its layout, into backbones.ltx_video.source",
)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What a latent stands for: `chunk` frames, the first latent frame one, and `stride` pixels a side; at `fps`."""

    chunk: int
    stride: int
    fps: float


@dataclass(frozen=True, kw_only=True)
class NoiseLevels:
    """shift: factor on sigma over alpha. last: to which the sampler's last time above 0 is stretched; 0: it is not."""

    shift: float
    last: float = 0.0


class LtxVideo:
    """A backbone over `LTXVideoTransformer3DModel`. Rows of zeros in a text are padding, and are not attended to."""

    name = "ltx_video"
    given = 1
    patch = 1
    adapter_targets: tuple[str, ...] = LINEAR_LAYERS

    def __init__(self, transformer: LTXVideoTransformer3DModel, *, size: str, grid: Grid, levels: NoiseLevels) -> None:
        self.transformer = transformer
        self.size = size
        self.grid = grid
        self.levels = levels
        self.covers = grid.chunk
        self.channels: int = transformer.config.in_channels
        self.width: int = transformer.config.num_attention_heads * transformer.config.attention_head_dim

    def check_frames(self, frames: int) -> None:
        """Frames come as 8 k + 1; a tiny twin's as 4 k + 1."""
        if frames % self.covers != 1:
            raise ParametersError(
                f"video.frames: {frames} does not fit backbone ltx_video, expected {self.covers} k + 1"
            )

    def frames_of_latent(self, frames: int) -> tuple[range, ...]:
        """The first frame alone, then eight by eight; a tiny twin's four by four."""
        self.check_frames(frames)
        return (range(1), *(range(start, start + self.covers) for start in range(1, frames, self.covers)))

    def blocks(self) -> Sequence[torch.nn.Module]:
        """The transformer's blocks."""
        return list(self.transformer.transformer_blocks)

    def path(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """1 - t and t."""
        return 1 - times, times

    def sample_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Logistic normal times (Esser et al. 2024), shifted for the video's number of tokens."""
        return self._shifted(torch.randn(count, generator=generator).sigmoid())

    def schedule(self, steps: int) -> Tensor:
        """Even times, shifted; all above 0 are stretched about 1, so that the last of them is the published one."""
        times = self._shifted(torch.linspace(1, 0, steps + 1))
        if self.levels.last and steps > 1:
            times[:-1] = 1 - (1 - times[:-1]) * (1 - self.levels.last) / (1 - times[-2])
        return times

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
        batch, channels, frames, height, width = latents.shape
        token_times = (times[:, None] * TIME_UNITS).repeat(1, frames * height * width)
        token_times[:, : height * width] = 0
        dtype = self.transformer.dtype  # published weights are bfloat16, also where there is no autocast
        with mixed_precision(), outputs_of(self.blocks(), taps) as states:
            output = self.transformer(
                latents.flatten(2).mT.to(dtype),
                condition.text.to(dtype),
                token_times,
                encoder_attention_mask=condition.text.ne(0).any(-1),
                num_frames=frames,
                height=height,
                width=width,
                rope_interpolation_scale=(self.grid.chunk / self.grid.fps, self.grid.stride, self.grid.stride),
                return_dict=False,
            )[0]
        return Prediction(
            output=output.float().mT.reshape(batch, channels, frames, height, width),
            taps=tuple(states[tap].reshape(batch, frames, height, width, self.width) for tap in taps),
        )

    def _shifted(self, times: Tensor) -> Tensor:
        return self.levels.shift * times / (1 + (self.levels.shift - 1) * times)


class LtxCodec(VaeCodec):
    """LTX-Video's own autoencoder: latents (x - mean) / deviation per channel, both beside its weights."""

    def __init__(self, vae: AutoencoderKLLTXVideo) -> None:
        mean, deviation = (value.cpu().float().view(1, -1, 1, 1, 1) for value in (vae.latents_mean, vae.latents_std))
        channels = vae.config.latent_channels
        super().__init__(vae, channels=channels, stride=STRIDE, frames=CHUNK, mean=mean, scale=1 / deviation)


class LtxText(T5):
    """Captions to (B,128,D): the encoder sees the padding like words, as published; behind the last token are zeros."""

    def embed(self, caption: str) -> Tensor:
        """One caption (L,D), float32."""
        embedding: Tensor = super().embed(caption)
        embedding[len(self.tokenizer(self.read(caption)).input_ids) :] = 0
        return embedding


def make_twin(shape: TwinShape, *, seed: int) -> LtxVideo:
    """A twin of the published transformer on the laptop's latents, its weights drawn from `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformer = LTXVideoTransformer3DModel(
            num_attention_heads=shape.heads,
            attention_head_dim=shape.head_width,
            cross_attention_dim=shape.heads * shape.head_width,
            in_channels=shape.channels,
            out_channels=shape.channels,
            num_layers=shape.layers,
            caption_channels=shape.text_width,
        )
    grid = Grid(chunk=laptop_latents.CHUNK, stride=laptop_latents.PATCH, fps=shape.video.fps)
    return LtxVideo(transformer, size="tiny", grid=grid, levels=NoiseLevels(shift=shape.time_shift))


def outline(video: VideoShape) -> Outline:
    """The published model without its values; ParametersError for frames that it has not."""
    with torch.device("meta"):
        transformer = in_precision(LTXVideoTransformer3DModel(), PRECISION)
        vae = in_precision(AutoencoderKLLTXVideo(), torch.float32)
    grid = Grid(chunk=CHUNK, stride=STRIDE, fps=video.fps)
    backbone = LtxVideo(transformer, size=SIZE, grid=grid, levels=NoiseLevels(shift=1.0))
    backbone.check_frames(video.frames)
    codec = VaeCodec(vae, channels=backbone.channels, stride=STRIDE, frames=CHUNK, mean=0.0, scale=1.0)
    return Outline(backbone=backbone, codec=codec, text_tokens=TOKENS, text_width=TEXT_WIDTH, text_weights=TEXT_WEIGHTS)


def read_levels(folder: Path, *, source: str, tokens: int) -> NoiseLevels:
    """The scheduler's noise levels for videos of so many tokens.

    ParametersError names the first configuration that is not as in LTX-Video: the autoencoder of later versions draws
    noise as it decodes, and a codec here gives the same in every call.
    """
    _, transformer, vae, text, scheduler = PIPELINE.configurations(folder, source=source)
    channels = vae.values.get("latent_channels")
    for field in ("patch_size", "patch_size_t"):
        transformer.expect(field, (1,))
    for field in ("in_channels", "out_channels"):
        transformer.expect(field, (channels,))
    transformer.expect("caption_channels", (text.values.get("d_model"),))
    vae.expect("patch_size", (4,))  # pixels a side, halved three times
    vae.expect("patch_size_t", (1,))
    vae.expect("spatio_temporal_scaling", ([True, True, True, False],))
    vae.expect("scaling_factor", (1.0,))
    vae.expect("timestep_conditioning", (None, False))
    vae.expect("decoder_inject_noise", (None, [False] * 4, [False] * 5))
    scheduler.expect("num_train_timesteps", (TIME_UNITS,))
    scheduler.expect("use_dynamic_shifting", (True,))
    scheduler.expect("time_shift_type", (None, "exponential"))
    for field in ("invert_sigmas", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"):
        scheduler.expect(field, (None, False))
    low, high = scheduler.number("base_image_seq_len"), scheduler.number("max_image_seq_len")
    least, most = scheduler.number("base_shift"), scheduler.number("max_shift")
    shift = exp(least + (tokens - low) * (most - least) / (high - low))  # Esser et al. 2024: more noise hides more
    return NoiseLevels(shift=shift, last=scheduler.number("shift_terminal"))


def describe(source: str, revision: str | None) -> Mapping[str, PublishedFiles]:
    """The pipeline's files and their sha256; its weights are not downloaded. ParametersError when it is another's."""
    return {PART: PIPELINE.describe(source, revision, partial(read_levels, source=source, tokens=1))}


def load(
    parts: Mapping[str, PublishedFiles], video: VideoShape, *, dtype: torch.dtype = PRECISION
) -> tuple[LtxVideo, LtxCodec, LtxText]:
    """The pipeline for videos of one shape; `dtype` is that of the transformer and the text encoder.

    Downloaded where need be and held against its sha256s. ParametersError for frames that the model has not.
    """
    folder, source = fetch_pipeline(parts[PART])
    grid = Grid(chunk=CHUNK, stride=STRIDE, fps=video.fps)
    tokens = (1 + video.frames // CHUNK) * (video.height // STRIDE) * (video.width // STRIDE)
    levels = read_levels(folder, source=source, tokens=tokens)
    transformer = load_pretrained(LTXVideoTransformer3DModel, folder / "transformer", dtype=dtype)
    vae = load_pretrained(AutoencoderKLLTXVideo, folder / "vae", dtype=torch.float32)
    backbone = LtxVideo(transformer, size=SIZE, grid=grid, levels=levels)
    backbone.check_frames(video.frames)
    return backbone, LtxCodec(vae), LtxText(folder=folder, tokens=TOKENS, masked=False, dtype=dtype)
