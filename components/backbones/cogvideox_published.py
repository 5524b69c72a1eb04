"""The published CogVideoX-5b-I2V as backbone, codec and text encoder; its manifest, which holds no weights."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from components.backbones.cogvideox import CogVideoX
from components.backbones.cogvideox_codec import CogVideoXCodec
from components.backbones.cogvideox_layout import check_files, is_pipeline_file, read_layout
from components.backbones.cogvideox_path import noise_levels
from components.backbones.hub import PublishedFiles, describe, fetch
from components.backbones.pretrained import load_pretrained
from components.backbones.t5 import T5
from components.canonical import canonical_json
from components.errors import Phys4dError
from components.files import write_atomically
from components.manifest import MANIFEST, Manifest

SIZE = "5b"
PRECISION = torch.bfloat16  # in which the published transformer and text encoder run; the autoencoder is in float32


def describe_published(source: str, revision: str | None) -> PublishedFiles:
    """The pipeline's files and their sha256, on the hub or in a folder; its weights are not downloaded.

    ParametersError when it is not a CogVideoX-5b-I2V pipeline.
    """
    described, folder = describe(source, revision, wanted=is_pipeline_file)
    check_files(described.files, source=source)
    read_layout(folder, source=source)
    return described


def write_manifest(folder: Path, *, source: str, revision: str | None) -> Mapping[str, float]:
    """Write the folder of a base that names published weights; the number of files it names."""
    described = describe_published(source, revision)
    manifest = Manifest(
        backbone=CogVideoX.name, size=SIZE, stage="base", base=None, parent=None, files={}, facts=asdict(described)
    )
    write_atomically(folder / MANIFEST, canonical_json(asdict(manifest)).encode())
    return {"files": len(described.files)}


def load_published(facts: Mapping[str, Any], *, dtype: torch.dtype = PRECISION) -> tuple[CogVideoX, CogVideoXCodec, T5]:
    """What a manifest names: source, revision, files. Downloaded where need be and held against its sha256s.

    `dtype` is that of the transformer and the text encoder.
    """
    from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel

    try:
        described = PublishedFiles(source=facts["source"], revision=facts["revision"], files=facts["files"])
    except KeyError as error:
        raise Phys4dError(f"the base's manifest names no {error}: run the stage prepare again") from error
    folder = fetch(described, wanted=is_pipeline_file)
    layout = read_layout(folder, source=described.source)
    transformer = load_pretrained(CogVideoXTransformer3DModel, folder / "transformer", dtype=dtype)
    vae = load_pretrained(AutoencoderKLCogVideoX, folder / "vae", dtype=torch.float32)
    levels = noise_levels(beta_start=layout.beta_start, beta_end=layout.beta_end, snr_shift=layout.snr_shift)
    return (
        CogVideoX(transformer, size=SIZE, levels=levels, first_scale=layout.first_scale),
        CogVideoXCodec(vae),
        T5(folder=folder, tokens=layout.text_tokens, dtype=dtype),
    )
