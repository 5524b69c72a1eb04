"""Open-Sora's words: T5-v1.1-XXL on a caption and its scores, then zeros; for no caption a learnt text."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from components.backbones.t5 import T5

TOKENS = 300
AESTHETIC_SCORE = 6.5  # as released; training captions carried the scores of their videos


@dataclass(frozen=True, kw_only=True)
class OpenSoraText:
    """Captions to (B,300,D). nothing: (300,D), the transformer's own `y_embedder.y_embedding`, for an empty caption.

    Rows of zeros are padding, as the backbone reads them. t5: of 300 tokens, in float32 as released.
    """

    t5: T5
    nothing: Tensor

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Embeddings (B,300,D), float32. Captions go through one by one: no embedding depends on its neighbours."""
        embedded = {caption: self._embed(caption) for caption in dict.fromkeys(captions)}
        return torch.stack([embedded[caption] for caption in captions])

    def unread(self, caption: str) -> int:
        """Tokens at a caption's end, or at its scores', that are cut off."""
        return self.t5.unread(with_scores(caption))

    @torch.no_grad()
    def _embed(self, caption: str) -> Tensor:
        if not caption:
            return self.nothing.cpu().float()
        tokens = self.t5.tokenizer(
            with_scores(caption), padding="max_length", truncation=True, max_length=self.t5.tokens, return_tensors="pt"
        ).to(self.t5.model.device)
        states = self.t5.model(tokens.input_ids, tokens.attention_mask).last_hidden_state
        embedding: Tensor = (states * tokens.attention_mask[..., None])[0].cpu().float()
        return embedding


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
