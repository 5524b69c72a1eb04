"""The published Open-Sora 1.2 without its values."""

from typing import TYPE_CHECKING

import torch

from components.backbones.open_sora.backbone import OpenSora
from components.backbones.open_sora.codec import OpenSoraCodec
from components.backbones.open_sora.published import SIZE
from components.backbones.open_sora.schedule import Video
from components.backbones.open_sora.stdit3 import STDiT3
from components.backbones.open_sora.text import TOKENS
from components.backbones.open_sora.vae import OpenSoraVAE
from components.backbones.outline import Outline, in_precision

if TYPE_CHECKING:
    from components.backbones.family import VideoShape

TEXT_WIDTH = 4096
TEXT_PARAMETERS = 4_762_310_656  # of T5-v1.1-XXL's encoder


def outline(video: "VideoShape") -> Outline:
    """Transformer and autoencoder on the meta device; ParametersError for a shape of videos that the model has not."""
    shape = Video(height=video.height, width=video.width, frames=video.frames, fps=video.fps)
    with torch.device("meta"):
        transformer, vae = STDiT3(), OpenSoraVAE()
    return Outline(
        backbone=OpenSora(in_precision(transformer, torch.bfloat16), size=SIZE, video=shape),
        codec=OpenSoraCodec(in_precision(vae, torch.float32)),
        text_tokens=TOKENS,
        text_width=TEXT_WIDTH,
        text_weights=TEXT_PARAMETERS * torch.float32.itemsize,
    )
