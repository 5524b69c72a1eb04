"""The text encoders of published pipelines: T5 and its kin, every caption padded to the same tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from components.backbones.pretrained import load_pretrained
from components.compute import device
from components.errors import ParametersError


@dataclass(frozen=True, kw_only=True)
class T5:
    """Captions to (B,L,D). folder: of the pipeline; its text encoder is loaded when it is first needed. tokens: L.

    masked: whether padding is hidden from the encoder and zero behind it, or embedded like words; as the network was
    trained. kind: transformers' class. Most stages read embeddings that were computed before, and the weights are as
    large as the transformer's.
    """

    folder: Path
    tokens: int
    masked: bool
    dtype: torch.dtype
    kind: str = "T5EncoderModel"

    @cached_property
    def model(self) -> Any:  # noqa: ANN401 -- transformers' class has no types
        """The encoder, frozen, where models compute."""
        import transformers

        kind = getattr(transformers, self.kind)
        return load_pretrained(kind, self.folder / "text_encoder", dtype=self.dtype).to(device())

    @cached_property
    def tokenizer(self) -> Any:  # noqa: ANN401
        """The tokenizer; ParametersError when it is unreadable, or needs a package that is not there."""
        from transformers import AutoTokenizer

        folder = self.folder / "tokenizer"
        alone = any(folder.glob("*.model")) and not (folder / "tokenizer.json").is_file()
        if alone and find_spec("sentencepiece") is None:
            raise ParametersError(
                f"{folder}: a sentencepiece vocabulary without tokenizer.json, which is read by a package that is not "
                "installed: pip install sentencepiece"
            )
        try:
            return AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ParametersError(f"{folder}: not readable ({reason}): download it again") from error

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Embeddings (B,L,D), float32. Captions go through one by one: no embedding depends on its neighbours."""
        embedded = {caption: self.embed(caption) for caption in dict.fromkeys(captions)}
        return torch.stack([embedded[caption] for caption in captions])

    def unread(self, caption: str) -> int:
        """Tokens at a caption's end that are cut off."""
        return max(0, len(self.tokenizer(self.read(caption)).input_ids) - self.tokens)

    def read(self, caption: str) -> str:
        """What the tokenizer is given of a caption."""
        return caption

    @torch.no_grad()
    def embed(self, caption: str) -> Tensor:
        """One caption (L,D), float32."""
        words = self.tokenizer(
            self.read(caption), padding="max_length", truncation=True, max_length=self.tokens, return_tensors="pt"
        ).to(self.model.device)
        if self.masked:
            shown = words.attention_mask
            states = self.model(words.input_ids, shown).last_hidden_state * shown[..., None]
        else:
            states = self.model(words.input_ids).last_hidden_state
        embedding: Tensor = states[0].cpu().float()
        return embedding
