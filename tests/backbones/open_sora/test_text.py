"""Words reach the network without their padding, and no caption is the network's own text."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from components.backbones.open_sora.backbone import unpadded
from components.backbones.open_sora.text import OpenSoraText, with_scores
from tests.backbones.cogvideox.tiny import TEXT_WIDTH

LENGTH = 48
CAPTION, OTHER = "a red ball falls", "a blue box"


@pytest.fixture
def encoder(cogvideox_folder: Path) -> OpenSoraText:
    """With the T5 of a small published pipeline."""
    nothing = torch.randn(LENGTH, TEXT_WIDTH, generator=torch.Generator().manual_seed(0))
    return OpenSoraText(folder=cogvideox_folder, tokens=LENGTH, nothing=nothing, dtype=torch.float32)


def unpadded_states(encoder: OpenSoraText, caption: str) -> Tensor:
    numbers = encoder.tokenizer(with_scores(caption), return_tensors="pt").input_ids
    states: Tensor = encoder.model(numbers).last_hidden_state[0]
    return states


@torch.no_grad()
def test_a_caption_is_what_it_is_without_padding_then_zeros(encoder: OpenSoraText) -> None:
    for embedded, caption in zip(encoder.encode([CAPTION, OTHER]), (CAPTION, OTHER), strict=True):
        expected = unpadded_states(encoder, caption)
        count = len(expected)
        assert 0 < count < LENGTH
        torch.testing.assert_close(embedded[:count], expected, atol=1e-5, rtol=1e-5)
        assert embedded[count:].eq(0).all()


@torch.no_grad()
def test_the_network_attends_to_a_captions_own_tokens(encoder: OpenSoraText) -> None:
    lengths = [len(unpadded_states(encoder, caption)) for caption in (CAPTION, OTHER)]
    text, mask = unpadded(encoder.encode([CAPTION, OTHER]))
    assert text.shape == (2, max(lengths), TEXT_WIDTH)
    assert mask.sum(1).tolist() == lengths


def test_no_caption_is_the_networks_own_text(encoder: OpenSoraText) -> None:
    assert torch.equal(encoder.encode(["", CAPTION])[0], encoder.nothing)


def test_what_is_cut_off_is_counted_scores_included(encoder: OpenSoraText) -> None:
    whole = len(encoder.tokenizer(with_scores(CAPTION)).input_ids)
    assert encoder.unread(CAPTION) == 0
    assert encoder.unread(" ".join([CAPTION] * 20)) == whole + 19 * 4 - LENGTH


def test_scores_are_written_as_released() -> None:
    released = "a cat aesthetic score: 6.5. motion score: 4.0. camera motion: pan left."
    assert with_scores("a cat", motion=4, camera="pan left") == released
    assert with_scores(released, aesthetic=1, motion=1, camera="zoom") == released
    assert with_scores("a cat") == "a cat aesthetic score: 6.5."
