"""Encoded clips: drawn by the generator alone, stored and read without a change."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from components.backbones.base import Frames
from components.backbones.laptop_latents import LaptopLatents
from components.errors import Phys4dError, StoppedError
from components.training import encoded as encoded_module
from components.training.encoded import Encoded, encode_clips, load_encoded, save_encoded
from tests.training.twins import CAPTIONS, encode, make_codec, make_text, make_world


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(count: int = 6) -> Encoded:
    """Clips whose latents and text are their number."""
    number = torch.arange(float(count))
    return Encoded(
        latents=number.view(-1, 1, 1, 1, 1).expand(-1, 2, 3, 4, 4).contiguous(),
        text=number.view(-1, 1, 1).expand(-1, 5, 7).contiguous(),
        empty=torch.full((5, 7), -1.0),
    )


def test_a_clip_is_drawn_with_its_own_text_and_first_frame() -> None:
    numbers, batch = numbered().draw(50, generator())
    assert set(numbers.tolist()) == set(range(6))
    assert len(batch) == 50
    for tensor in (batch.clean, batch.condition.first, batch.condition.text):
        assert torch.equal(tensor.flatten(1)[:, 0], numbers.float())
    assert batch.condition.first.shape == (50, 2, 1, 4, 4)


def test_a_share_of_captions_is_dropped_and_the_clips_keep_theirs() -> None:
    data = numbered()
    _, batch = data.draw(4000, generator(), caption_dropout=0.25)
    dropped = batch.condition.text.eq(-1).flatten(1)
    assert dropped.all(1).eq(dropped.any(1)).all()
    assert dropped.all(1).float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert torch.equal(data.text, numbered().text)


def test_the_draw_is_the_generators() -> None:
    one, same, other = (numbered().draw(9, generator(seed), caption_dropout=0.5)[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_clips_are_encoded_in_their_order_however_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(5)
    captions = [CAPTIONS[number % 2] for number in range(5)]
    whole = encode_clips(iter(world.rgb), captions, codec=make_codec(), text=make_text())
    monkeypatch.setattr(encoded_module, "CHUNK", 2)
    parts = encode_clips(iter(world.rgb), captions, codec=make_codec(), text=make_text())
    torch.testing.assert_close(parts.latents, whole.latents)
    assert len(whole) == 5
    for number in range(5):
        alone = make_codec().encode(world.rgb[number][None])
        torch.testing.assert_close(whole.latents[number], alone[0])
        assert torch.equal(whole.text[number], make_text().encode([captions[number]])[0])
    assert torch.equal(whole.empty, make_text().encode([""])[0])


def test_what_was_encoded_before_an_interruption_is_not_encoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(encoded_module, "CHUNK", 2)
    world, captions = make_world(5), [CAPTIONS[0]] * 5
    whole = encode_clips(iter(world.rgb), captions, codec=make_codec(), text=make_text())
    seen: list[int] = []

    def advance(clips: int) -> None:
        seen.append(clips)
        if len(seen) == 2:
            raise StoppedError("enough")

    with pytest.raises(StoppedError):
        encode_clips(iter(world.rgb), captions, codec=make_codec(), text=make_text(), kept=tmp_path, advance=advance)
    assert seen == [2, 2]
    codec, calls, encode_now = make_codec(), [], LaptopLatents.encode

    def counted(self: LaptopLatents, frames: Frames) -> Tensor:
        calls.append(len(frames))
        return encode_now(self, frames)

    monkeypatch.setattr(LaptopLatents, "encode", counted)
    again = encode_clips(iter(world.rgb), captions, codec=codec, text=make_text(), kept=tmp_path)
    assert calls == [1]
    assert torch.equal(again.latents, whole.latents)
    (damaged,) = (tmp_path / "00001").glob("*")
    damaged.write_bytes(damaged.read_bytes()[:-3])
    assert torch.equal(
        encode_clips(iter(world.rgb), captions, codec=codec, text=make_text(), kept=tmp_path).latents, whole.latents
    )
    assert calls == [1, 2]
    assert "not a whole checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(("bytes_of_one", "count"), [(17 * 64 * 64 * 3, 100), (49 * 480 * 832 * 3, 18), (2**31, 1)])
def test_fewer_of_larger_videos_wait_to_be_encoded(bytes_of_one: int, count: int) -> None:
    assert encoded_module.chunk_of(bytes_of_one) == count


def test_encoded_clips_come_back_and_have_the_same_bytes(tmp_path: Path) -> None:
    data = encode(make_world(3))
    save_encoded(data, tmp_path / "a" / "clips.safetensors")
    save_encoded(data, tmp_path / "b" / "clips.safetensors")
    read = load_encoded(tmp_path / "a" / "clips.safetensors")
    for field in ("latents", "text", "empty"):
        assert torch.equal(getattr(read, field), getattr(data, field))
    assert (tmp_path / "a/clips.safetensors").read_bytes() == (tmp_path / "b/clips.safetensors").read_bytes()


def test_a_missing_file_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(Phys4dError, match=r"clips\.safetensors: not found: run dvc repro, or dvc pull"):
        load_encoded(tmp_path / "clips.safetensors")


def test_drawing_leaves_the_worlds_frames_alone() -> None:
    world = make_world(3)
    before = world.rgb.copy()
    encode_clips(iter(world.rgb), [CAPTIONS[0]] * 3, codec=make_codec(), text=make_text())
    np.testing.assert_array_equal(world.rgb, before)
