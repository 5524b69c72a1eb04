"""The published CogVideoX-5b-I2V as backbone, codec and text encoder; its manifest, which holds no weights."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from components.backbones import pipeline_files
from components.backbones.cogvideox import CogVideoX
from components.backbones.cogvideox_codec import CogVideoXCodec
from components.backbones.cogvideox_layout import PIPELINE, read_layout
from components.backbones.cogvideox_path import noise_levels
from components.backbones.hub import PublishedFiles
from components.backbones.pipeline_files import fetch_pipeline
from components.backbones.pretrained import load_pretrained
from components.backbones.t5 import T5

SIZE = "5b"
PRECISION = torch.bfloat16  # in which the published transformer and text encoder run; the autoencoder is in float32


def describe_published(source: str, revision: str | None) -> PublishedFiles:
    """The pipeline's files and their sha256, on the hub or in a folder; its weights are not downloaded.

    ParametersError when it is not a CogVideoX-5b-I2V pipeline.
    """
    return PIPELINE.describe(source, revision, partial(read_layout, source=source))


def write_manifest(folder: Path, *, source: str, revision: str | None) -> Mapping[str, float]:
    """Write the folder of a base that names published weights; the number of files it names."""
    described = describe_published(source, revision)
    return pipeline_files.write_manifest(folder, described, backbone=CogVideoX.name, size=SIZE)


def load_published(facts: Mapping[str, Any], *, dtype: torch.dtype = PRECISION) -> tuple[CogVideoX, CogVideoXCodec, T5]:
    """What a manifest names: source, revision, files. Downloaded where need be and held against its sha256s.

    `dtype` is that of the transformer and the text encoder.
    """
    from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel

    folder, source = fetch_pipeline(facts)
    layout = read_layout(folder, source=source)
    transformer = load_pretrained(CogVideoXTransformer3DModel, folder / "transformer", dtype=dtype)
    vae = load_pretrained(AutoencoderKLCogVideoX, folder / "vae", dtype=torch.float32)
    levels = noise_levels(beta_start=layout.beta_start, beta_end=layout.beta_end, snr_shift=layout.snr_shift)
    return (
        CogVideoX(transformer, size=SIZE, levels=levels, first_scale=layout.first_scale),
        CogVideoXCodec(vae),
        T5(folder=folder, tokens=layout.text_tokens, masked=False, dtype=dtype),
    )
