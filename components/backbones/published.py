"""The published Wan2.2-TI2V pipeline as backbone, codec and text encoder; its manifest, which holds no weights."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from components.backbones import pipeline_files
from components.backbones.hub import PublishedFiles
from components.backbones.pipeline_files import fetch_pipeline
from components.backbones.pretrained import load_pretrained
from components.backbones.umt5 import Umt5
from components.backbones.wan import Wan
from components.backbones.wan_codec import WanCodec
from components.backbones.wan_layout import PIPELINE, read_layout
from components.errors import ParametersError

if TYPE_CHECKING:
    from components.params import Wan22

SIZE = "5b"
PRECISION = torch.bfloat16  # in which the published transformer and text encoder run; the autoencoder needs float32


def describe_published(source: str, revision: str | None) -> PublishedFiles:
    """The pipeline's files and their sha256, on the hub or in a folder; its weights are not downloaded.

    ParametersError when it is not a Wan2.2-TI2V pipeline.
    """
    return PIPELINE.describe(source, revision, partial(read_layout, source=source))


def write_manifest(section: "Wan22", folder: Path) -> Mapping[str, float]:
    """Write the folder of a base that names published weights; the number of files it names."""
    if section.source is None:
        raise ParametersError(
            f"backbones.wan22.source: empty, expected a hub id or a folder for size {section.size}: write "
            "Wan-AI/Wan2.2-TI2V-5B-Diffusers"
        )
    described = describe_published(section.source, section.revision)
    return pipeline_files.write_manifest(folder, described, backbone=Wan.name, size=section.size)


def load_published(facts: Mapping[str, Any], *, dtype: torch.dtype = PRECISION) -> tuple[Wan, WanCodec, Umt5]:
    """What a manifest names: source, revision, files. Downloaded where need be and held against its sha256s.

    `dtype` is that of the transformer and the text encoder.
    """
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    folder, source = fetch_pipeline(facts)
    layout = read_layout(folder, source=source)
    transformer = load_pretrained(WanTransformer3DModel, folder / "transformer", dtype=dtype)
    vae = load_pretrained(AutoencoderKLWan, folder / "vae", dtype=torch.float32)
    return (
        Wan(transformer, size=SIZE, time_shift=layout.time_shift),
        WanCodec(vae),
        Umt5(folder=folder, dtype=dtype),
    )
