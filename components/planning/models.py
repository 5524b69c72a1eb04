"""The model that a stage works on, without values: a tiny twin by its parameters, or a published outline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from components.backbones.base import Codec
from components.backbones.family import VideoShape, family
from components.backbones.laptop_latents import CHUNK, PATCH, LaptopLatents
from components.backbones.text import HEAD_WIDTH, LAYERS
from components.backbones.twin import shape_of
from components.model import Model
from components.parameters.backbones import TINY
from components.planning.ledger import bytes_of
from components.training.new_heads import new_heads

if TYPE_CHECKING:
    from components.params import Params
    from components.params import Text as TextParams

FLOAT = torch.float32.itemsize
BUCKETS = 32  # of a T5's relative positions


@dataclass(frozen=True, kw_only=True)
class OutlinedText:
    """A text encoder that knows no captions: all it says is how large embeddings are."""

    tokens: int
    width: int
    weights: int  # bytes

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Embeddings (B,L,D) without values."""
        return torch.empty(len(captions), self.tokens, self.width)

    def unread(self, caption: str) -> int:
        """None."""
        return 0


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A model without values, heads and all, and the text encoder it is conditioned by."""

    model: Model
    text: OutlinedText
    video: VideoShape
    loads_text: bool  # with the rest; a published one's is loaded when a caption is embedded

    @property
    def latent_shape(self) -> tuple[int, int, int, int]:
        """C, F, h, w."""
        codec, video = self.model.codec, self.video
        frames = len(self.model.backbone.frames_of_latent(video.frames))
        return codec.channels, frames, video.height // codec.spatial_stride, video.width // codec.spatial_stride

    @property
    def weights(self) -> int:
        """Bytes of all weights but the text encoder's."""
        modules = [self.model.backbone.transformer, *([self.model.heads] if self.model.heads else [])]
        tensors = [value for module in modules for value in _tensors_of(module)]
        return bytes_of([*tensors, *_tensors_of_codec(self.model.codec)])

    def text_weights(self, *, embedding: bool) -> int:
        """Bytes of the text encoder, or 0 where nothing is embedded and it is not loaded."""
        return self.text.weights if embedding or self.loads_text else 0


def planned_model(params: "Params", name: str, *, heads: bool = True) -> Planned:
    """The model of a backbone, on the device that tensors are made on: see `without_values`."""
    video = VideoShape(**params.video.model_dump())
    section = getattr(params.backbones, name)
    if section.size == TINY:
        found = _twin(params, name, video)
    else:
        outline = family(name).outline(video)
        text = OutlinedText(tokens=outline.text_tokens, width=outline.text_width, weights=outline.text_weights)
        model = Model(backbone=outline.backbone, codec=outline.codec, text=text, base="")
        found = Planned(model=model, text=text, video=video, loads_text=False)
    found.model.backbone.transformer.eval().requires_grad_(False)
    if not heads:
        return found
    with_heads = {**vars(found.model), "heads": new_heads(found.model, params.heads, seed=0).requires_grad_(False)}
    return Planned(model=Model(**with_heads), text=found.text, video=video, loads_text=found.loads_text)


def tiny_text_bytes(section: "TextParams") -> int:
    """Bytes of the twins' text encoder, a T5 of float32, at the most words that it may have."""
    width = section.width
    inner = HEAD_WIDTH * max(1, width // HEAD_WIDTH)
    layer = 4 * width * inner + 4 * width * width + 2 * width
    return FLOAT * (section.vocabulary * width + LAYERS * layer + BUCKETS * inner // HEAD_WIDTH + width)


def _twin(params: "Params", name: str, video: VideoShape) -> Planned:
    section, channels = params.text, params.latents.channels
    text = OutlinedText(tokens=section.length, width=section.width, weights=tiny_text_bytes(section))
    codec = _laptop_codec(channels)
    backbone = family(name).make_twin(shape_of(params, name, channels=channels), seed=0)
    model = Model(backbone=backbone, codec=codec, text=text, base="")
    return Planned(model=model, text=text, video=video, loads_text=True)


def _laptop_codec(channels: int) -> LaptopLatents:
    values, one = PATCH * PATCH * 3, torch.empty(channels)
    return LaptopLatents(
        first_basis=torch.empty(values, channels),
        first_mean=one,
        first_scale=one.clone(),
        change_basis=torch.empty(CHUNK * values, channels),
        change_scale=one.clone(),
    )


def _tensors_of(module: nn.Module) -> Iterator[Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _tensors_of_codec(codec: Codec) -> Iterator[Tensor]:
    if isinstance(codec, LaptopLatents):
        yield from (getattr(codec, field.name) for field in fields(codec))
    else:
        yield from _tensors_of(codec.vae)  # type: ignore[attr-defined]  # of every published codec
