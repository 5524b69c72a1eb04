"""The frozen text encoder of the tiny twins: a small T5 with weights drawn from a seed, a tokenizer fitted on captions.

Its embeddings tell captions apart; what they mean is for the transformer to learn. The published backbones bring their
own encoders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from components.backbones.pretrained import no_progress_bars

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, T5EncoderModel

    from components.params import Text

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
HEAD_WIDTH = 16
LAYERS = 2
BATCH = 64


@dataclass(frozen=True, kw_only=True)
class TinyT5:
    """Captions to (B,L,D): every caption padded or cut to `length` tokens."""

    tokenizer: "PreTrainedTokenizerFast"
    model: "T5EncoderModel"
    length: int

    @torch.no_grad()
    def encode(self, captions: Sequence[str]) -> Tensor:
        """Embeddings (B,L,D); padding is zero, so an empty caption is its end token alone."""
        distinct = sorted(set(captions))
        parts = [self._embed(distinct[start : start + BATCH]) for start in range(0, len(distinct), BATCH)]
        table = torch.cat(parts)
        number = {caption: row for row, caption in enumerate(distinct)}
        return table[torch.tensor([number[caption] for caption in captions])]

    def unread(self, caption: str) -> int:
        """Tokens at a caption's end that are cut off."""
        return max(0, len(self.tokenizer(caption).input_ids) - self.length)

    def _embed(self, captions: Sequence[str]) -> Tensor:
        tokens: Any = self.tokenizer(
            list(captions), padding="max_length", truncation=True, max_length=self.length, return_tensors="pt"
        )
        states: Tensor = self.model(**tokens).last_hidden_state.float()
        seen: Tensor = tokens["attention_mask"][..., None]
        return states * seen


def fit(captions: Sequence[str], section: "Text", *, seed: int) -> TinyT5:
    """An encoder whose vocabulary is that of `captions`."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = [PAD, END, UNKNOWN]
    trainer = trainers.BpeTrainer(vocab_size=section.vocabulary, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(sorted(set(captions)), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    config = T5Config(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=section.width,
        d_kv=HEAD_WIDTH,
        num_heads=max(1, section.width // HEAD_WIDTH),
        d_ff=2 * section.width,
        num_layers=LAYERS,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = T5EncoderModel(config)
    return TinyT5(tokenizer=_wrapped(PreTrainedTokenizerFast, tokenizer), model=_frozen(model), length=section.length)


def save(encoder: TinyT5, folder: Path) -> None:
    """Write tokenizer, configuration and weights."""
    with no_progress_bars():
        encoder.model.save_pretrained(folder)
    encoder.tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "length.json").write_text(str(encoder.length))


def load(folder: Path) -> TinyT5:
    """The encoder written by `save`."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast, T5EncoderModel

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with no_progress_bars():
        model = T5EncoderModel.from_pretrained(folder, local_files_only=True)
    length = int((folder / "length.json").read_text())
    return TinyT5(tokenizer=_wrapped(PreTrainedTokenizerFast, tokenizer), model=_frozen(model), length=length)


def _wrapped(kind: type["PreTrainedTokenizerFast"], tokenizer: object) -> "PreTrainedTokenizerFast":
    return kind(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=UNKNOWN)


def _frozen(model: "T5EncoderModel") -> "T5EncoderModel":
    model.eval().requires_grad_(False)
    return model
