"""The published text encoder: 512 tokens, cleaned captions, loaded when it is needed."""

from pathlib import Path

import pytest
import torch

from components.backbones.wan22 import text as umt5
from components.backbones.wan22.text import TOKENS, Umt5
from components.errors import ParametersError


@pytest.fixture(scope="module")
def encoder(pipeline_folder: Path) -> Umt5:
    return Umt5(folder=pipeline_folder, dtype=torch.float32)


def test_captions_become_512_tokens_with_zeros_behind_the_last(encoder: Umt5) -> None:
    embedded = encoder.encode(["a red ball", ""])
    assert (embedded.shape, embedded.dtype) == ((2, TOKENS, 16), torch.float32)
    assert (embedded.abs().sum(-1) > 0).sum(-1).tolist() == [4, 1]  # with the end token


def test_a_caption_is_the_same_in_any_company(encoder: Umt5) -> None:
    together = encoder.encode(["the blue box", "a red ball", "the blue box"])
    assert torch.equal(together[0], together[2])
    assert torch.equal(together[1:2], encoder.encode(["a red ball"]))


def test_what_is_cut_off_is_counted(encoder: Umt5) -> None:
    assert encoder.unread("a red ball") == 0
    assert encoder.unread("ball " * TOKENS) == 1  # the end token stays


def test_captions_are_cleaned_as_the_pipeline_does(encoder: Umt5) -> None:
    assert torch.equal(encoder.encode([" a  red\n&lt;ball "]), encoder.encode(["a red <ball"]))


def test_nothing_is_loaded_before_the_first_caption(tmp_path: Path) -> None:
    empty = Umt5(folder=tmp_path, dtype=torch.float32)
    with pytest.raises(ParametersError, match="tokenizer: not readable"):
        empty.encode(["a red ball"])


def test_broken_characters_that_stay_are_said_once(
    encoder: Umt5, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(umt5, "find_spec", lambda _: None)
    umt5._warn_without_ftfy.cache_clear()
    encoder.encode(["a red ball"])
    assert capsys.readouterr().err == ""
    encoder.encode(["a red bÃ¤ll", "ä"])
    assert capsys.readouterr().err.splitlines() == [
        "ftfy is not installed: broken characters in captions are not mended; pip install ftfy"
    ]
