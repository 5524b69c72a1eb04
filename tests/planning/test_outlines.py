"""Published models without values have the published numbers of weights."""

from importlib import import_module

import pytest
import torch
import transformers

from components.backbones.base import Condition
from components.backbones.family import VideoShape, family

KNOWN = {  # weights of transformer and autoencoder
    "wan22": (4_999_787_712, 704_688_668),
    "cogvideox": (5_570_479_680, 215_583_907),
    "ltx_video": (1_923_385_472, 419_193_649),
    "open_sora": (1_207_643_936, 393_341_007),
}
VIDEOS = {
    "wan22": VideoShape(frames=49, height=480, width=832, fps=24.0),
    "cogvideox": VideoShape(frames=49, height=480, width=720, fps=8.0),
    "ltx_video": VideoShape(frames=121, height=512, width=704, fps=24.0),
    "open_sora": VideoShape(frames=51, height=480, width=848, fps=24.0),
}
SIZES = {"open_sora": "1b", "ltx_video": "2b"}


@pytest.mark.parametrize("name", KNOWN)
def test_the_published_size_has_its_weights_in_half_precision_and_takes_its_videos(name: str) -> None:
    outline = family(name).outline(VIDEOS[name])
    backbone, codec = outline.backbone, outline.codec
    counts = [
        sum(value.numel() for value in module.parameters())
        for module in (backbone.transformer, codec.vae)  # type: ignore[attr-defined]
    ]
    assert tuple(counts) == KNOWN[name]
    assert all(value.is_meta and not value.requires_grad for value in backbone.transformer.parameters())
    large = max(backbone.transformer.parameters(), key=torch.Tensor.numel)
    assert large.dtype == torch.bfloat16
    frames = len(backbone.frames_of_latent(VIDEOS[name].frames))
    size = (VIDEOS[name].height // codec.spatial_stride, VIDEOS[name].width // codec.spatial_stride)
    with torch.device("meta"):
        noisy = torch.empty(1, backbone.channels, frames, *size)
        assert (codec.channels, backbone.size) == (backbone.channels, SIZES.get(name, "5b"))
        if name != "open_sora":  # which asks how long a text is
            given = Condition(first=noisy[:, :, :1], text=torch.empty(1, outline.text_tokens, outline.text_width))
            assert backbone.predict(noisy, torch.ones(1), given).output.shape == noisy.shape


@pytest.mark.parametrize(("kind", "vocabulary"), [("T5", 32_128), ("UMT5", 256_384)])
def test_the_text_encoders_weights_are_counted_right(kind: str, vocabulary: int) -> None:
    shape = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64}
    with torch.device("meta"):
        config = getattr(transformers, f"{kind}Config")(vocab_size=vocabulary, feed_forward_proj="gated-gelu", **shape)
        model = getattr(transformers, f"{kind}EncoderModel")(config)
    count = sum(value.numel() for value in model.parameters())
    names = ("wan22",) if kind == "UMT5" else ("cogvideox", "open_sora")
    for name in names:
        assert count == import_module(f"components.backbones.{name}.outline").TEXT_PARAMETERS
