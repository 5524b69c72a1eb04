"""What the folder of a published CogVideoX-5b-I2V holds, read from its configurations alone."""

from dataclasses import dataclass
from pathlib import Path

from components.backbones.cogvideox.path import LEVELS
from components.backbones.cogvideox.positions import CHUNK
from components.backbones.configurations import Configuration
from components.backbones.pipeline_files import PipelineKind

PIPELINE = PipelineKind(
    names=("CogVideoXImageToVideoPipeline",),
    models={
        "transformer": "CogVideoXTransformer3DModel",
        "vae": "AutoencoderKLCogVideoX",
        "text_encoder": "T5EncoderModel",
    },
    advice="write THUDM/CogVideoX-5b-I2V, or a folder of its layout, into backbones.cogvideox.source",
)
SCHEDULERS = ("CogVideoXDPMScheduler", "CogVideoXDDIMScheduler")  # two samplers on the same noise levels
BLOCKS = 4  # of the autoencoder: three of them halve height and width


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the adapter must know of the pipeline beside its weights.

    beta_start, beta_end, snr_shift: of its noise levels. text_tokens: L. first_scale: see CogVideoX.
    """

    beta_start: float
    beta_end: float
    snr_shift: float
    text_tokens: int
    first_scale: float


def read_layout(folder: Path, *, source: str) -> Layout:
    """Read the configurations; ParametersError names the first thing that is not as in CogVideoX-5b-I2V."""
    _, transformer, vae, text, scheduler = PIPELINE.configurations(folder, source=source)
    channels = int(vae.number("latent_channels"))
    transformer.expect("patch_size_t", (None,))  # CogVideoX1.5 joins two latent frames in a token
    transformer.expect("out_channels", (channels,))
    transformer.expect("in_channels", (2 * channels,))  # half of them tell the first frame
    transformer.expect("text_embed_dim", (text.values.get("d_model"),))
    transformer.expect("temporal_compression_ratio", (None, CHUNK))
    _expect_vae(vae)
    _expect_levels(scheduler)
    scale = vae.number("scaling_factor")
    return Layout(
        beta_start=scheduler.number("beta_start"),
        beta_end=scheduler.number("beta_end"),
        snr_shift=scheduler.number("snr_shift_scale"),
        text_tokens=int(transformer.number("max_text_seq_length")),
        first_scale=scale**-2 if vae.values.get("invert_scale_latents") else 1.0,
    )


def _expect_vae(vae: Configuration) -> None:
    vae.expect("temporal_compression_ratio", (None, CHUNK))
    for field in ("shift_factor", "latents_mean", "latents_std"):  # the pipeline scales by one factor alone
        vae.expect(field, (None,))
    if len(vae.values.get("block_out_channels") or ()) != BLOCKS:
        vae.expect("block_out_channels", (f"{BLOCKS} numbers",))


def _expect_levels(scheduler: Configuration) -> None:
    """The noise levels of `path`, and nothing else."""
    scheduler.expect("_class_name", SCHEDULERS)
    scheduler.expect("num_train_timesteps", (LEVELS,))
    scheduler.expect("prediction_type", ("v_prediction",))
    scheduler.expect("beta_schedule", ("scaled_linear",))
    scheduler.expect("trained_betas", (None,))
    scheduler.expect("rescale_betas_zero_snr", (True,))
    scheduler.expect("set_alpha_to_one", (None, True))
    scheduler.expect("timestep_spacing", ("trailing",))
