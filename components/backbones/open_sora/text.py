"""Open-Sora's words: T5-v1.1-XXL on a caption and its scores, then zeros; for no caption a learnt text."""

from dataclasses import dataclass

from torch import Tensor

from components.backbones.pipeline_files import is_pipeline_file
from components.backbones.t5 import T5

TOKENS = 300
FOLDERS = ("text_encoder", "tokenizer")
AESTHETIC_SCORE = 6.5  # as released; training captions carried the scores of their videos


@dataclass(frozen=True, kw_only=True)
class OpenSoraText(T5):
    """Captions to (B,300,D). nothing: (300,D), the transformer's own `y_embedder.y_embedding`, for an empty caption.

    Rows of zeros are padding, as the backbone reads them. Released in float32.
    """

    nothing: Tensor
    tokens: int = TOKENS
    masked: bool = True

    def read(self, caption: str) -> str:
        """The caption with its scores."""
        return with_scores(caption)

    def embed(self, caption: str) -> Tensor:
        """The states of the caption's tokens, or the network's own text for no caption."""
        return super().embed(caption) if caption else self.nothing.cpu().float()


def with_scores(
    caption: str, *, aesthetic: float = AESTHETIC_SCORE, motion: float | None = None, camera: str | None = None
) -> str:
    """A caption with what the network was told of a video's looks and motion; what it says of them itself stays."""
    parts = [caption]
    if "aesthetic score:" not in caption:
        parts.append(f"aesthetic score: {aesthetic:.1f}.")
    if motion is not None and "motion score:" not in caption:
        parts.append(f"motion score: {motion:.1f}.")
    if camera is not None and "camera motion:" not in caption:
        parts.append(f"camera motion: {camera}.")
    return " ".join(parts)


def is_text_file(path: str) -> bool:
    """Whether the text encoder is loaded from this file of a pipeline."""
    return is_pipeline_file(path) and path.split("/", maxsplit=1)[0] in FOLDERS
