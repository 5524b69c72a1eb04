"""The published checkpoints of Open-Sora 1.2, from a folder or the hub. Neither is in diffusers' layout.

Folders that `save_pretrained` wrote, such as those of tiny twins, are read in the same way.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from components.backbones import hub
from components.backbones.configurations import Configuration
from components.backbones.family import VideoShape
from components.backbones.hub import PublishedFiles, Wanted
from components.backbones.open_sora.backbone import OpenSora
from components.backbones.open_sora.checkpoint import CONFIG, folder_of, is_model_file, load_tensors
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
WANTED: Mapping[str, Wanted] = {"transformer": is_model_file, "vae": is_model_file, "text": is_text_file}
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
    sources = (
        {"transformer": str(local / "transformer"), "vae": str(local / "vae"), "text": source}
        if local.is_dir()
        else {"transformer": source, "vae": AUTOENCODER, "text": TEXT}
    )
    check = {"transformer": transformer_shape, "vae": autoencoder_shape, "text": _check_text}
    parts = {}
    for part, where in sources.items():
        own = revision if where == source else None
        parts[part], folder = hub.describe(where, own, wanted=WANTED[part])
        if not any(path.endswith(".safetensors") for path in parts[part].files):
            raise ParametersError(
                f"{where}: no safetensors of the {part}, and pickled weights are not read: save it as safetensors"
            )
        check[part](folder, source=where)
    return parts


def load(
    parts: Mapping[str, PublishedFiles], video: VideoShape, *, dtype: torch.dtype = torch.bfloat16
) -> tuple[OpenSora, OpenSoraCodec, OpenSoraText]:
    """The model for videos of one shape. Downloaded where need be and held against its sha256s.

    dtype: of the transformer. ParametersError for a shape of videos that the model has not.
    """
    shape = Video(height=video.height, width=video.width, frames=video.frames, fps=video.fps)
    folders = {part: hub.fetch(described, wanted=WANTED[part]) for part, described in parts.items()}
    transformer = _transformer(folders["transformer"], source=parts["transformer"].source, dtype=dtype)
    text = OpenSoraText(folder=folders["text"], nothing=transformer.y_embedder.y_embedding, dtype=torch.float32)
    vae = _autoencoder(folders["vae"], source=parts["vae"].source, dtype=torch.float32)
    return OpenSora(transformer, size=SIZE, video=shape), OpenSoraCodec(vae), text


def load_transformer(
    source: str = TRANSFORMER, revision: str | None = None, *, dtype: torch.dtype = torch.bfloat16
) -> STDiT3:
    """STDiT3 of a folder or hub id, frozen, its weights in `dtype`.

    ParametersError when configuration, names or shapes are not STDiT3's, or the weights are pickled.
    """
    return _transformer(folder_of(source, revision), source=source, dtype=dtype)


def _transformer(folder: Path, *, source: str, dtype: torch.dtype) -> STDiT3:
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


def load_autoencoder(
    source: str = AUTOENCODER, revision: str | None = None, *, dtype: torch.dtype = torch.float32
) -> OpenSoraVAE:
    """The two-part autoencoder of a folder or hub id, frozen, its weights in `dtype`.

    ParametersError when configuration, names or shapes are not its own, or the weights are pickled.
    """
    return _autoencoder(folder_of(source, revision), source=source, dtype=dtype)


def _autoencoder(folder: Path, *, source: str, dtype: torch.dtype) -> OpenSoraVAE:
    with torch.device("meta"):
        model: OpenSoraVAE = OpenSoraVAE(**autoencoder_shape(folder, source=source))
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
