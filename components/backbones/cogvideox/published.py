"""The published CogVideoX-5b-I2V as backbone, codec and text encoder."""

from collections.abc import Mapping
from functools import partial

import torch

from components.backbones.cogvideox.backbone import CogVideoX
from components.backbones.cogvideox.codec import CogVideoXCodec
from components.backbones.cogvideox.layout import PIPELINE, read_layout
from components.backbones.cogvideox.path import noise_levels
from components.backbones.family import VideoShape
from components.backbones.hub import PublishedFiles
from components.backbones.pipeline_files import fetch_pipeline
from components.backbones.pretrained import load_pretrained
from components.backbones.t5 import T5

SIZE = "5b"
PART = "pipeline"
PRECISION = torch.bfloat16  # in which the published transformer and text encoder run; the autoencoder is in float32


def describe(source: str, revision: str | None) -> Mapping[str, PublishedFiles]:
    """The pipeline's files and their sha256, on the hub or in a folder; its weights are not downloaded.

    ParametersError when it is not a CogVideoX-5b-I2V pipeline.
    """
    return {PART: PIPELINE.describe(source, revision, partial(read_layout, source=source))}


def load(
    parts: Mapping[str, PublishedFiles], video: VideoShape, *, dtype: torch.dtype = PRECISION
) -> tuple[CogVideoX, CogVideoXCodec, T5]:
    """The pipeline for videos of one shape. Downloaded where need be and held against its sha256s.

    ParametersError for frames that the model has not. `dtype` is that of the transformer and the text encoder.
    """
    from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel

    folder, source = fetch_pipeline(parts[PART])
    layout = read_layout(folder, source=source)
    transformer = load_pretrained(CogVideoXTransformer3DModel, folder / "transformer", dtype=dtype)
    vae = load_pretrained(AutoencoderKLCogVideoX, folder / "vae", dtype=torch.float32)
    levels = noise_levels(beta_start=layout.beta_start, beta_end=layout.beta_end, snr_shift=layout.snr_shift)
    backbone = CogVideoX(transformer, size=SIZE, levels=levels, first_scale=layout.first_scale)
    backbone.check_frames(video.frames)
    return (
        backbone,
        CogVideoXCodec(vae),
        T5(folder=folder, tokens=layout.text_tokens, masked=False, dtype=dtype),
    )
