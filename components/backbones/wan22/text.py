"""Wan's text encoder: UMT5, 512 tokens, zeros after a caption's last one, as diffusers' pipeline gives them."""

import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

from components.backbones.t5 import T5

TOKENS = 512


@dataclass(frozen=True, kw_only=True)
class Umt5(T5):
    """Captions to (B,512,D), cleaned as the pipeline does."""

    tokens: int = TOKENS
    masked: bool = True
    kind: str = "UMT5EncoderModel"

    def read(self, caption: str) -> str:
        """The pipeline's own clean-up, which mends broken characters where ftfy is installed."""
        from diffusers.pipelines.wan.pipeline_wan import prompt_clean

        if not caption.isascii():
            _warn_without_ftfy()
        return str(prompt_clean(caption))


@cache
def _warn_without_ftfy() -> None:
    if find_spec("ftfy") is None:
        sys.stderr.write("ftfy is not installed: broken characters in captions are not mended; pip install ftfy\n")
