"""The published checkpoints of Open-Sora 1.2, from a folder or the hub. Neither is in diffusers' layout.

Folders that `save_pretrained` wrote, such as those of tiny twins, are read in the same way.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from components.backbones import hub
from components.backbones.configurations import Configuration
from components.backbones.family import VideoShape
from components.backbones.hub import PublishedFiles, Wanted
from components.backbones.open_sora.backbone import OpenSora
from components.backbones.open_sora.checkpoint import CONFIG, is_model_file, load_tensors, no_weights
from components.backbones.open_sora.codec import OpenSoraCodec
from components.backbones.open_sora.embeddings import rotary_frequencies
from components.backbones.open_sora.schedule import Video
from components.backbones.open_sora.stdit3 import STDiT3
from components.backbones.open_sora.text import OpenSoraText, is_text_file
from components.backbones.open_sora.vae import OpenSoraVAE
from components.errors import ParametersError

SIZE = "1b"
TRANSFORMER, AUTOENCODER = "hpcai-tech/OpenSora-STDiT-v3", "hpcai-tech/OpenSora-VAE-v1.2"
TEXT = "PixArt-alpha/PixArt-XL-2-1024-MS"  # T5-v1.1-XXL in safetensors; where it was released, it is pickled
PUBLISHED_VAE = "VideoAutoencoderPipeline"  # its own name for what is `OpenSoraVAE` here
SHAPE = (
    "in_channels",
    "patch_size",
    "hidden_size",
    "depth",
    "num_heads",
    "mlp_ratio",
    "qk_norm",
    "pred_sigma",
    "caption_channels",
    "model_max_length",
    "input_sq_size",
)  # of a configuration's fields; what else the published one says is about its training
ROUNDING = 2**-8  # of bfloat16


def describe(source: str, revision: str | None) -> Mapping[str, PublishedFiles]:
    """The files of transformer, autoencoder and text encoder and their sha256; weights are not downloaded.

    source: a hub id of the transformer, beside which the released autoencoder and text encoder are taken, or a folder
    that holds transformer/, vae/, text_encoder/ and tokenizer/. ParametersError when a part is missing or another's.
    """
    local = Path(source).expanduser()
    if local.is_dir():
        sources = {"transformer": str(local / "transformer"), "vae": str(local / "vae"), "text": source}
    else:
        sources = {"transformer": source, "vae": AUTOENCODER, "text": TEXT}
    return {part: describe_part(part, where, revision if where == source else None) for part, where in sources.items()}


def describe_part(part: str, source: str, revision: str | None) -> PublishedFiles:
    """The files of one part of PARTS. ParametersError without safetensors, or when its configuration is another's."""
    wanted, check = PARTS[part]
    described, folder = hub.describe(source, revision, wanted=wanted)
    if not any(path.endswith(".safetensors") for path in described.files):
        raise ParametersError(f"{source}: {no_weights(folder)}")
    check(folder, source=source)
    return described


def load(
    parts: Mapping[str, PublishedFiles], video: VideoShape, *, dtype: torch.dtype = torch.bfloat16
) -> tuple[OpenSora, OpenSoraCodec, OpenSoraText]:
    """The model for videos of one shape. Downloaded where need be and held against its sha256s.

    dtype: of the transformer. ParametersError for a shape of videos that the model has not.
    """
    shape = Video(height=video.height, width=video.width, frames=video.frames, fps=video.fps)
    transformer = load_transformer(parts["transformer"], dtype=dtype)
    folder = hub.fetch(parts["text"], wanted=is_text_file)
    text = OpenSoraText(folder=folder, nothing=transformer.y_embedder.y_embedding, dtype=torch.float32)
    codec = OpenSoraCodec(load_autoencoder(parts["vae"]))
    return OpenSora(transformer, size=SIZE, video=shape), codec, text


def load_transformer(described: PublishedFiles, *, dtype: torch.dtype = torch.bfloat16) -> STDiT3:
    """STDiT3 of described files, frozen, its weights in `dtype`.

    ParametersError when configuration, names or shapes are not STDiT3's, or the weights are pickled.
    """
    folder, source = hub.fetch(described, wanted=is_model_file), described.source
    with torch.device("meta"):
        model: STDiT3 = STDiT3(**transformer_shape(folder, source=source))
    load_tensors(model, folder, dtype=dtype, exact=("rope.freqs",))
    expected = rotary_frequencies(2 * len(model.rope.freqs))
    if not torch.allclose(model.rope.freqs, expected, rtol=ROUNDING, atol=0):
        raise ParametersError(
            f"{source}: rope.freqs is {model.rope.freqs[:2].tolist()}, ..., expected {expected[:2].tolist()}, ..., as "
            f"STDiT3 rotates by: give {TRANSFORMER}"
        )
    return model


def load_autoencoder(described: PublishedFiles, *, dtype: torch.dtype = torch.float32) -> OpenSoraVAE:
    """The two-part autoencoder of described files, frozen, its weights in `dtype`.

    ParametersError when configuration, names or shapes are not its own, or the weights are pickled.
    """
    folder = hub.fetch(described, wanted=is_model_file)
    with torch.device("meta"):
        model: OpenSoraVAE = OpenSoraVAE(**autoencoder_shape(folder, source=described.source))
    load_tensors(model, folder, dtype=dtype, exact=("shift", "scale"))
    return model


def autoencoder_shape(folder: Path, *, source: str) -> dict[str, Any]:
    """The arguments of OpenSoraVAE that a configuration gives: none for the published one, whose shape is the default.

    The released code too takes that shape whatever the published configuration says.
    """
    advice = f"give {AUTOENCODER}, or a folder of its files"
    configuration = Configuration(folder, CONFIG, source=source, advice=advice)
    if "_class_name" not in configuration.values:
        configuration.expect("model_type", (PUBLISHED_VAE,))
        return {}
    configuration.expect("_class_name", (OpenSoraVAE.__name__,))
    return {field: value for field, value in configuration.values.items() if not field.startswith("_")}


def transformer_shape(folder: Path, *, source: str) -> dict[str, Any]:
    """The arguments of STDiT3 that a configuration gives; ParametersError when it is another model's."""
    advice = f"give {TRANSFORMER}, or a folder of its files"
    configuration = Configuration(folder, CONFIG, source=source, advice=advice)
    if "_class_name" not in configuration.values:
        configuration.expect("model_type", (STDiT3.__name__,))
    configuration.expect("_class_name", (None, STDiT3.__name__))
    configuration.expect("qk_norm_legacy", (None, False))  # rotation before normalisation, in older checkpoints
    return {field: configuration.values[field] for field in SHAPE if field in configuration.values}


def _check_text(folder: Path, *, source: str) -> None:
    advice = f"give a folder that holds text_encoder/ and tokenizer/, or {TEXT}"
    Configuration(folder, "text_encoder/config.json", source=source, advice=advice).expect("model_type", ("t5",))


PARTS: Mapping[str, tuple[Wanted, Callable[..., object]]] = {  # which files each is loaded from; what must hold of them
    "transformer": (is_model_file, transformer_shape),
    "vae": (is_model_file, autoencoder_shape),
    "text": (is_text_file, _check_text),
}
