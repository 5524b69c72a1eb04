"""Encoded clips: latents and text embeddings, computed once and read by every stage of training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from components.backbones.base import Codec, Condition, Frames, TextEncoder
from components.errors import Phys4dError
from components.training.diffusion import Batch

PSEUDO_FILE, TRAIN_FILE = "pseudo_labels.safetensors", "train.safetensors"
CHUNK = 100  # clips encoded at once


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Clips in the order of their index. latents (N,C,F,h,w); text (N,L,D); empty (L,D): the text of no caption."""

    latents: Tensor
    text: Tensor
    empty: Tensor

    def __len__(self) -> int:
        return len(self.latents)

    def draw(self, count: int, generator: torch.Generator, *, caption_dropout: float = 0.0) -> tuple[Tensor, Batch]:
        """`count` clips with replacement: their numbers and a batch, some without their caption."""
        numbers = torch.randint(len(self), (count,), generator=generator)
        text = self.text[numbers]
        if caption_dropout:
            text[torch.rand(count, generator=generator) < caption_dropout] = self.empty
        return numbers, self.batch(numbers, text=text)

    def batch(self, numbers: Tensor, *, text: Tensor | None = None) -> Batch:
        """Clips by number, with their own text unless another is given."""
        clean = self.latents[numbers]
        text = self.text[numbers] if text is None else text
        return Batch(clean=clean, condition=Condition(first=clean[:, :, :1], text=text))


def encode_clips(videos: Iterable[Frames], captions: Sequence[str], *, codec: Codec, text: TextEncoder) -> Encoded:
    """Encode videos (T,H,W,3) one by one as they come."""
    parts: list[Tensor] = []
    waiting: list[Frames] = []
    for video in videos:
        waiting.append(video)
        if len(waiting) == CHUNK:
            parts.append(codec.encode(np.stack(waiting)))
            waiting = []
    if waiting:
        parts.append(codec.encode(np.stack(waiting)))
    latents = torch.cat(parts)
    if len(latents) != len(captions):
        raise Phys4dError(f"{len(latents)} videos and {len(captions)} captions, expected as many of each")
    return Encoded(latents=latents, text=text.encode(captions), empty=text.encode([""])[0])


def save_encoded(encoded: Encoded, path: Path) -> None:
    """Write as safetensors."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"latents": encoded.latents, "text": encoded.text, "empty": encoded.empty}, path)


def load_encoded(path: Path) -> Encoded:
    """What `save_encoded` wrote."""
    from safetensors.torch import load_file

    if not path.is_file():
        raise Phys4dError(f"{path}: not found: run dvc repro, or dvc pull")
    return Encoded(**load_file(path))
