"""Wan's text encoder: UMT5, 512 tokens, zeros after a caption's last one, as diffusers' pipeline gives them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from components.backbones.pretrained import load_pretrained
from components.errors import ParametersError

TOKENS = 512


@dataclass(frozen=True, kw_only=True)
class Umt5:
    """Captions to (B,512,D). folder: of the pipeline; its text encoder is loaded when it is first needed.

    Most stages read embeddings that were computed before, and the weights are larger than the transformer's.
    """

    folder: Path
    dtype: torch.dtype

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 -- transformers' class has no types
        """The encoder, frozen."""
        from transformers import UMT5EncoderModel

        return load_pretrained(UMT5EncoderModel, self.folder / "text_encoder", dtype=self.dtype)

    @cached_property
    def tokenizer(self) -> Any:  # noqa: ANN401
        """The tokenizer."""
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(self.folder / "tokenizer", local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ParametersError(f"{self.folder / 'tokenizer'}: not readable ({reason}): download it again") from error

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Embeddings (B,512,D), float32. Captions go through one by one: no embedding depends on its neighbours."""
        embedded = {caption: self._embed(caption) for caption in dict.fromkeys(captions)}
        return torch.stack([embedded[caption] for caption in captions])

    def unread(self, caption: str) -> int:
        """Tokens at a caption's end that are cut off."""
        return max(0, len(self.tokenizer(_cleaned(caption)).input_ids) - TOKENS)

    @torch.no_grad()
    def _embed(self, caption: str) -> Tensor:
        tokens = self.tokenizer(
            _cleaned(caption), padding="max_length", truncation=True, max_length=TOKENS, return_tensors="pt"
        ).to(self.model.device)
        states = self.model(tokens.input_ids, tokens.attention_mask).last_hidden_state
        embedding: Tensor = (states * tokens.attention_mask[..., None])[0].cpu().float()
        return embedding


def _cleaned(caption: str) -> str:
    """The pipeline's own clean-up, which mends broken characters where ftfy is installed."""
    from diffusers.pipelines.wan.pipeline_wan import prompt_clean

    if not caption.isascii():
        _warn_without_ftfy()
    return str(prompt_clean(caption))


@cache
def _warn_without_ftfy() -> None:
    if find_spec("ftfy") is None:
        sys.stderr.write("ftfy is not installed: broken characters in captions are not mended; pip install ftfy\n")
