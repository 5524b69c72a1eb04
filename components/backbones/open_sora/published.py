"""The published checkpoints of Open-Sora 1.2, from a folder or the hub. Neither is in diffusers' layout.

Folders that `save_pretrained` wrote, such as those of tiny twins, are read in the same way.
"""

from pathlib import Path
from typing import Any

import torch

from components.backbones.configurations import Configuration
from components.backbones.open_sora.checkpoint import CONFIG, folder_of, load_tensors
from components.backbones.open_sora.embeddings import rotary_frequencies
from components.backbones.open_sora.stdit3 import STDiT3
from components.backbones.open_sora.vae import OpenSoraVAE
from components.errors import ParametersError

TRANSFORMER, AUTOENCODER = "hpcai-tech/OpenSora-STDiT-v3", "hpcai-tech/OpenSora-VAE-v1.2"
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


def load_transformer(
    source: str = TRANSFORMER, revision: str | None = None, *, dtype: torch.dtype = torch.bfloat16
) -> STDiT3:
    """STDiT3 of a folder or hub id, frozen, its weights in `dtype`.

    ParametersError when configuration, names or shapes are not STDiT3's, or the weights are pickled.
    """
    folder = folder_of(source, revision)
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
    folder = folder_of(source, revision)
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
