"""What the folder of a published CogVideoX-5b-I2V holds: diffusers' layout, read from its configurations alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.backbones.cogvideox_path import LEVELS
from components.backbones.cogvideox_positions import CHUNK
from components.backbones.configurations import Configuration
from components.errors import ParametersError

INDEX = "model_index.json"
PIPELINE = "CogVideoXImageToVideoPipeline"
MODELS = {
    "transformer": "CogVideoXTransformer3DModel",
    "vae": "AutoencoderKLCogVideoX",
    "text_encoder": "T5EncoderModel",
}
SCHEDULERS = ("CogVideoXDPMScheduler", "CogVideoXDDIMScheduler")  # two samplers on the same noise levels
CONFIGS = {**dict.fromkeys(MODELS, "config.json"), "scheduler": "scheduler_config.json"}
PARTS = (*CONFIGS, "tokenizer")
SUFFIXES = (".json", ".safetensors", ".model", ".txt")  # .model: a sentencepiece vocabulary
BLOCKS = 4  # of the autoencoder: three of them halve height and width
ADVICE = "write THUDM/CogVideoX-5b-I2V, or a folder of its layout, into backbones.cogvideox.source"


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


def is_pipeline_file(path: str) -> bool:
    """Whether the pipeline is loaded from this file: its index, or a part's configuration, weights or vocabulary."""
    place = PurePosixPath(path)
    if len(place.parts) == 1:
        return path == INDEX
    return len(place.parts) == 2 and place.parts[0] in PARTS and place.suffix in SUFFIXES


def check_files(files: Mapping[str, str], *, source: str) -> None:
    """ParametersError when a part of the pipeline, or its weights as safetensors, is not among the files."""
    if INDEX not in files:
        raise ParametersError(f"{source}: no {INDEX}, so it is not a pipeline in diffusers' layout: {ADVICE}")
    for part in PARTS:
        if not any(path.startswith(f"{part}/") for path in files):
            raise ParametersError(f"{source}: no {part}/, expected {', '.join(PARTS)}: {ADVICE}")
    for part in MODELS:
        if not any(path.startswith(f"{part}/") and path.endswith(".safetensors") for path in files):
            raise ParametersError(
                f"{source}: no safetensors in {part}/, and pickled weights are not read: save it with "
                "safe_serialization=True"
            )


def read_layout(folder: Path, *, source: str) -> Layout:
    """Read the configurations; ParametersError names the first thing that is not as in CogVideoX-5b-I2V."""
    index = Configuration(folder, INDEX, source=source, advice=ADVICE)
    index.expect("_class_name", (PIPELINE,))
    for part, kind in MODELS.items():
        index.expect(part, (["diffusers", kind], ["transformers", kind]))
    transformer, vae, text, scheduler = (
        Configuration(folder, f"{part}/{name}", source=source, advice=ADVICE) for part, name in CONFIGS.items()
    )
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
    """The noise levels of cogvideox_path, and nothing else."""
    scheduler.expect("_class_name", SCHEDULERS)
    scheduler.expect("num_train_timesteps", (LEVELS,))
    scheduler.expect("prediction_type", ("v_prediction",))
    scheduler.expect("beta_schedule", ("scaled_linear",))
    scheduler.expect("trained_betas", (None,))
    scheduler.expect("rescale_betas_zero_snr", (True,))
    scheduler.expect("set_alpha_to_one", (None, True))
    scheduler.expect("timestep_spacing", ("trailing",))
