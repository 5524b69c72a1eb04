"""The published Wan2.2-TI2V pipeline as backbone, codec and text encoder."""

from collections.abc import Mapping
from functools import partial

import torch

from components.backbones.family import VideoShape
from components.backbones.hub import PublishedFiles
from components.backbones.pipeline_files import fetch_pipeline
from components.backbones.pretrained import load_pretrained
from components.backbones.wan22.backbone import Wan
from components.backbones.wan22.codec import WanCodec
from components.backbones.wan22.layout import PIPELINE, read_layout
from components.backbones.wan22.text import Umt5

SIZE = "5b"
PART = "pipeline"
PRECISION = torch.bfloat16  # in which the published transformer and text encoder run; the autoencoder needs float32


def describe(source: str, revision: str | None) -> Mapping[str, PublishedFiles]:
    """The pipeline's files and their sha256, on the hub or in a folder; its weights are not downloaded.

    ParametersError when it is not a Wan2.2-TI2V pipeline.
    """
    return {PART: PIPELINE.describe(source, revision, partial(read_layout, source=source))}


def load(
    parts: Mapping[str, PublishedFiles], video: VideoShape, *, dtype: torch.dtype = PRECISION
) -> tuple[Wan, WanCodec, Umt5]:
    """The pipeline for videos of one shape. Downloaded where need be and held against its sha256s.

    ParametersError for frames that the model has not. `dtype` is that of the transformer and the text encoder.
    """
    from diffusers import AutoencoderKLWan, WanTransformer3DModel

    folder, source = fetch_pipeline(parts[PART])
    layout = read_layout(folder, source=source)
    transformer = load_pretrained(WanTransformer3DModel, folder / "transformer", dtype=dtype)
    vae = load_pretrained(AutoencoderKLWan, folder / "vae", dtype=torch.float32)
    backbone = Wan(transformer, size=SIZE, time_shift=layout.time_shift)
    backbone.check_frames(video.frames)
    return (
        backbone,
        WanCodec(vae),
        Umt5(folder=folder, dtype=dtype),
    )
