"""The twins' text encoder: captions are told apart, and the same caption is always the same embedding."""

from pathlib import Path

import pytest
import torch

from components.backbones import text
from components.backbones.text import TinyT5
from components.params import Text

CAPTIONS = ["a red ball falls on the floor", "a blue box slides down a ramp", "two balls fall", "a column topples"]
LENGTH = 12
SECTION = Text(vocabulary=96, length=LENGTH, width=16)


@pytest.fixture(scope="module")
def encoder() -> TinyT5:
    return text.fit(CAPTIONS, SECTION, seed=0)


def test_captions_are_told_apart(encoder: TinyT5) -> None:
    embedded = encoder.encode([*CAPTIONS, ""])
    assert (embedded.shape, embedded.dtype) == ((5, LENGTH, 16), torch.float32)
    distances = torch.cdist(embedded.flatten(1), embedded.flatten(1)) + 100 * torch.eye(5)
    assert float(distances.min()) > 0.1


def test_a_caption_is_the_same_in_any_company(encoder: TinyT5) -> None:
    together = encoder.encode([*CAPTIONS[::-1], *CAPTIONS, "", *(f"ball {number}" for number in range(70))])
    for number, caption in enumerate(CAPTIONS):
        alone = encoder.encode([caption])[0]
        assert torch.equal(together[3 - number], alone)
        assert torch.equal(together[4 + number], alone)


def test_an_empty_caption_is_its_end_token_and_zeros(encoder: TinyT5) -> None:
    embedded = encoder.encode([""])[0]
    assert embedded[0].abs().sum() > 0
    assert torch.equal(embedded[1:], torch.zeros(LENGTH - 1, 16))


def test_padding_is_zero_behind_the_last_token(encoder: TinyT5) -> None:
    tokens = encoder.tokenizer(["two balls fall"]).input_ids[0]
    seen = encoder.encode(["two balls fall"])[0].abs().sum(-1) > 0
    assert seen.tolist() == [True] * len(tokens) + [False] * (LENGTH - len(tokens))


def test_a_long_caption_is_cut_and_still_ends(encoder: TinyT5) -> None:
    longer = " ".join(CAPTIONS)
    tokens = encoder.tokenizer([longer], truncation=True, max_length=LENGTH).input_ids[0]
    assert (len(tokens), tokens[-1]) == (LENGTH, encoder.tokenizer.eos_token_id)
    assert torch.equal(encoder.encode([longer]), encoder.encode([f"{longer} and so on"]))
    assert encoder.unread(longer) == len(encoder.tokenizer([longer]).input_ids[0]) - LENGTH > 0
    assert encoder.unread(CAPTIONS[0]) == 0


@pytest.mark.parametrize("caption", ["zxqw", "ein Ball fällt", "球が落ちる", "</s> <pad>", "\t\n"])
def test_words_that_were_never_seen_are_embedded_all_the_same(encoder: TinyT5, caption: str) -> None:
    embedded = encoder.encode([caption])
    assert torch.isfinite(embedded).all()
    assert embedded.abs().sum() > 0


def test_an_encoder_of_a_seed_is_the_same_and_leaves_the_global_source_alone(encoder: TinyT5) -> None:
    state = torch.get_rng_state()
    again, other = (text.fit(CAPTIONS[::-1] * 2, SECTION, seed=seed) for seed in (0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(again.encode(CAPTIONS), encoder.encode(CAPTIONS))
    assert not torch.equal(other.encode(CAPTIONS), encoder.encode(CAPTIONS))


def test_a_saved_encoder_is_the_same(encoder: TinyT5, tmp_path: Path) -> None:
    for name in ("one", "two"):
        text.save(encoder, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["config.json", "length.json", "model.safetensors", "tokenizer.json"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    loaded = text.load(tmp_path / "one")
    assert torch.equal(loaded.encode([*CAPTIONS, "zxqw", ""]), encoder.encode([*CAPTIONS, "zxqw", ""]))


def test_nothing_is_trained(encoder: TinyT5) -> None:
    assert not any(value.requires_grad for value in encoder.model.parameters())
    assert not encoder.encode(CAPTIONS).requires_grad


def test_nothing_is_written_to_standard_error(
    encoder: TinyT5, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text.save(encoder, tmp_path)
    text.load(tmp_path).encode(CAPTIONS)
    text.fit(CAPTIONS, SECTION, seed=0)
    assert capfd.readouterr().err == ""
