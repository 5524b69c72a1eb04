"""Heads: the right slot for every frame, the same module from a twin to the published size, a gradient everywhere."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from components.backbones.base import Condition
from components.backbones.open_sora.schedule import frames_of_latent
from components.errors import ParametersError
from components.heads import (
    LINEAR,
    LOG_DEPTH_CENTRE,
    Channel,
    Convolution,
    Heads,
    HeadsShape,
    LinearHeads,
    Read4D,
    tap_numbers,
)
from components.heads import make_heads as made_by_kind
from components.model import load_heads, save_heads

TINY = HeadsShape(taps=3, tap_width=24, channels=8, patch=2, stride=8, width=16)
PUBLISHED = HeadsShape(taps=4, tap_width=3072, channels=48, patch=2, stride=16, width=256)
EIGHT = replace(TINY, patch=1, slots=8)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """For such small tensors more threads only wait for each other, and for other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_heads(shape: HeadsShape = TINY, *, seed: int = 0) -> Heads:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Heads(shape)


def spans_of(frames: int, *, slots: int = 4) -> tuple[range, ...]:
    """The first frame alone, then `slots` by `slots`."""
    return (range(1), *(range(start, start + slots) for start in range(1, frames, slots)))


def inputs(
    shape: HeadsShape,
    *,
    frames: int,
    height: int,
    width: int,
    batch: int = 1,
    device: str = "cpu",
    spans: Sequence[range] | None = None,
) -> tuple[list[Tensor], Tensor, Condition, Sequence[range]]:
    """Taps, noisy latents, condition and spans of a video of `frames` frames, height x width pixels."""
    generator = torch.Generator().manual_seed(0) if device == "cpu" else None
    spans = spans or spans_of(frames, slots=shape.slots)
    count, rows, columns = len(spans), height // shape.stride, width // shape.stride

    def draw(*size: int) -> Tensor:
        return torch.randn(size, generator=generator, device=device)

    taps = [draw(batch, count, rows // shape.patch, columns // shape.patch, shape.tap_width) for _ in range(shape.taps)]
    noisy = draw(batch, shape.channels, count, rows, columns)
    condition = Condition(first=draw(batch, shape.channels, 1, rows, columns), text=draw(batch, 4, 8))
    return taps, noisy, condition, spans


@pytest.mark.parametrize(
    ("shape", "frames", "height", "width", "batch"),
    [
        (TINY, 17, 64, 64, 2),
        (TINY, 1, 32, 32, 1),
        (TINY, 9, 32, 64, 1),
        (EIGHT, 17, 32, 64, 2),
        (PUBLISHED, 121, 704, 1280, 1),
    ],
)
def test_every_pixel_of_every_frame_is_read(
    shape: HeadsShape, frames: int, height: int, width: int, batch: int
) -> None:
    """On the meta device, which computes shapes alone: Wan2.2 at its native size takes no memory there."""
    with torch.device("meta"):
        heads = Heads(shape)
    read = heads(*inputs(shape, frames=frames, height=height, width=width, batch=batch, device="meta"))
    assert read.log_depth.shape == read.foreground.shape == (batch, frames, height, width)
    assert read.depth_change.shape == read.visibility.shape == (batch, frames - 1, height, width)
    assert read.flow.shape == (batch, frames - 1, 2, height, width)


class Coded(nn.Module):
    """Stands in for the last layer: every value says which channel, latent, slot, row and column it is for."""

    def __init__(self, shape: HeadsShape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """(1,F,h,w,width) to (1,F,h,w,6 slots stride^2)."""
        _, frames, rows, columns, _ = x.shape
        stride, slots = self.shape.stride, self.shape.slots
        values = torch.zeros(1, frames, rows, columns, len(Channel), slots, stride, stride, dtype=torch.float64)
        for channel, latent, slot in product(Channel, range(frames), range(slots)):
            values[:, latent, :, :, channel, slot] = code(channel, latent, slot)
        down, across = torch.arange(stride * rows).view(rows, 1, stride, 1), torch.arange(stride * columns)
        pixels = down * 16 + across.view(1, columns, 1, stride)
        return (values + pixels[None, None, :, :, None, None]).flatten(4).float()


def code(channel: int, latent: int, slot: int) -> float:
    return 1e6 * channel + 1e4 * latent + 1e3 * slot


CHUNK = spans_of(17)
TWO_CHUNKS = (*CHUNK, *(range(span.start + 17, span.stop + 17) for span in CHUNK))


@pytest.mark.parametrize(
    ("shape", "spans"),
    [(TINY, spans_of(9)), (TINY, TWO_CHUNKS), (EIGHT, spans_of(17, slots=8)), (EIGHT, (range(2), range(2, 9)))],
    ids=["one_chunk", "two_chunks_of_17", "eight_frames_a_latent", "two_frames_then_seven"],
)
def test_every_value_goes_to_its_frame_and_pixel(shape: HeadsShape, spans: Sequence[range]) -> None:
    """Of a latent that covers n frames the last n slots are read; a motion slot is of the frame it ends at."""
    heads = make_heads(shape)
    heads.output = Coded(shape)  # type: ignore[assignment]
    frames, side = spans[-1].stop, 16
    read = heads(*inputs(shape, frames=frames, height=side, width=side, spans=spans))
    assert read.log_depth.shape[1] == frames
    pixels = (torch.arange(side)[:, None] * 16 + torch.arange(side)).float()
    for latent, span in enumerate(spans):
        for slot, frame in enumerate(span, start=shape.slots - len(span)):
            depth = pixels + code(Channel.LOG_DEPTH, latent, slot) + LOG_DEPTH_CENTRE
            assert torch.equal(read.log_depth[0, frame], depth)
            assert torch.equal(read.foreground[0, frame], pixels + code(Channel.FOREGROUND, latent, slot))
            if frame > 0:  # the motion from frame - 1 to frame is stored at frame - 1
                assert torch.equal(read.flow[0, frame - 1, 0], pixels + code(Channel.FLOW_X, latent, slot))
                assert torch.equal(read.flow[0, frame - 1, 1], pixels + code(Channel.FLOW_Y, latent, slot))
                assert torch.equal(read.depth_change[0, frame - 1], pixels + code(Channel.DEPTH_CHANGE, latent, slot))
                assert torch.equal(read.visibility[0, frame - 1], pixels + code(Channel.VISIBILITY, latent, slot))


def test_two_chunks_are_what_open_sora_says_of_34_frames() -> None:
    assert frames_of_latent(34) == TWO_CHUNKS


def test_untrained_heads_begin_near_the_middle_of_a_scene_and_without_motion() -> None:
    read = make_heads()(*inputs(TINY, frames=5, height=16, width=16))
    assert read.depth.median().item() == pytest.approx(torch.tensor(LOG_DEPTH_CENTRE).exp().item(), rel=0.1)
    assert read.flow.abs().mean().item() < 0.3  # pixels


@pytest.mark.parametrize("field", [field.name for field in fields(Read4D)])
@pytest.mark.parametrize("spans", [spans_of(9), TWO_CHUNKS], ids=["one_chunk", "two_chunks"])
def test_each_field_sends_its_gradient_to_every_parameter(field: str, spans: Sequence[range]) -> None:
    heads = make_heads()
    read = heads(*inputs(TINY, frames=spans[-1].stop, height=32, width=32, spans=spans))
    getattr(read, field).square().sum().backward()
    without = [name for name, value in heads.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == []


def test_the_gradient_reaches_taps_and_latents() -> None:
    taps, noisy, condition, spans = inputs(TINY, frames=9, height=32, width=32)
    for tensor in (*taps, noisy, condition.first):
        tensor.requires_grad_(True)
    make_heads()(taps, noisy, condition, spans).log_depth.square().sum().backward()
    assert all(tap.grad is not None and tap.grad.any() for tap in taps)
    assert noisy.grad is not None
    assert noisy.grad[:, :, 1:].any()
    assert not noisy.grad[:, :, 0].any()  # the given frame comes from the condition
    assert condition.first.grad is not None
    assert condition.first.grad.any()


def test_heads_of_a_seed_say_the_same_every_time() -> None:
    given = inputs(TINY, frames=9, height=32, width=32, batch=2)
    first, second, other = (make_heads(seed=seed)(*given) for seed in (0, 0, 1))
    for field in fields(Read4D):
        assert torch.equal(getattr(first, field.name), getattr(second, field.name))
        assert not torch.equal(getattr(first, field.name), getattr(other, field.name))


def test_a_video_is_read_without_its_neighbours() -> None:
    heads = make_heads()
    taps, noisy, condition, spans = inputs(TINY, frames=9, height=32, width=32, batch=3)
    together = heads(taps, noisy, condition, spans).log_depth
    alone = heads([tap[1:2] for tap in taps], noisy[1:2], condition[1:2], spans).log_depth
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-5)


def test_taps_in_half_precision_are_read_in_full() -> None:
    taps, noisy, condition, spans = inputs(TINY, frames=5, height=16, width=16)
    read = make_heads()([tap.bfloat16() for tap in taps], noisy, condition, spans)
    assert read.log_depth.dtype == torch.float32


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_a_gradient_in_bfloat16_is_that_in_float32_whatever_memory_held_before(frames: int) -> None:
    rng = torch.Generator().manual_seed(0)
    x, wanted = (torch.randn(2, 16, frames, 4, 4, generator=rng) for _ in range(2))
    convolution = Convolution(16, 16, 3, padding=1)
    convolution(x).backward(wanted)
    exact = convolution.weight.grad
    convolution.zero_grad()
    assert exact is not None
    for size in (2**power for power in range(4, 18)):
        torch.full((size,), 1e30)  # what such a piece of memory holds when it is given out again
    with torch.autocast("cpu", torch.bfloat16):
        said = convolution(x)
    said.backward(wanted.to(said.dtype))
    found = convolution.weight.grad
    assert found is not None
    assert (found - exact).abs().max() < 0.03 * exact.abs().max()


def test_another_number_of_taps_is_refused() -> None:
    taps, noisy, condition, spans = inputs(TINY, frames=5, height=16, width=16)
    with pytest.raises(ValueError, match="shorter"):
        make_heads()(taps[:2], noisy, condition, spans)


@pytest.mark.parametrize(
    ("blocks", "taps", "expected"),
    [(5, 3, (1, 2, 4)), (30, 4, (7, 14, 21, 29)), (3, 3, (0, 1, 2)), (30, 1, (29,)), (28, 2, (13, 27))],
)
def test_taps_are_evenly_spaced_and_end_at_the_last_block(blocks: int, taps: int, expected: tuple[int, ...]) -> None:
    assert tap_numbers(blocks, taps) == expected


def test_no_block_is_read_twice() -> None:
    for blocks in range(1, 49):
        for taps in range(1, min(blocks, 8) + 1):
            numbers = tap_numbers(blocks, taps)
            assert sorted(set(numbers)) == list(numbers)
            assert (len(numbers), numbers[-1]) == (taps, blocks - 1)
            assert numbers[0] >= 0


def test_more_taps_than_blocks_are_refused() -> None:
    with pytest.raises(ParametersError, match=r"heads.taps: 4 is wrong, expected at most 3, the transformer's blocks"):
        tap_numbers(3, 4)


def test_a_linear_heads_pixel_is_a_linear_function_of_its_own_token_of_the_last_tap() -> None:
    """What a layer norm and one matrix make of a token stands at the token's pixels and frames, and nowhere else."""
    shape = replace(TINY, kind=LINEAR)
    taps, noisy, condition, spans = inputs(shape, frames=9, height=32, width=48)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        heads = made_by_kind(shape)
    assert isinstance(heads, LinearHeads)
    heads.output.bias.data.normal_(generator=torch.Generator().manual_seed(1))
    before = heads(taps, noisy, condition, spans).log_depth
    side = shape.patch * shape.stride
    values = heads.output(heads.norm(taps[-1][0, 1, 0, 2])).view(shape.patch, shape.patch, len(Channel), 4, 8, 8)
    patch = values[..., Channel.LOG_DEPTH, 3, :, :].permute(0, 2, 1, 3).reshape(side, side) + LOG_DEPTH_CENTRE
    torch.testing.assert_close(before[0, 4, :side, 2 * side :], patch)
    taps[-1][0, 1, 0, 2] += torch.randn(shape.tap_width, generator=torch.Generator().manual_seed(2))
    other = [tap + 1 for tap in taps[:-1]]
    changed = heads([*other, taps[-1]], noisy + 1, condition, spans).log_depth != before
    assert changed[0, 1:5, :side, 2 * side :].all()
    assert changed.sum() == 4 * side**2


def test_linear_heads_come_back_from_their_file_as_such(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        heads = made_by_kind(replace(TINY, kind=LINEAR))
    save_heads(heads, tmp_path)
    again = load_heads(tmp_path)
    assert isinstance(again, LinearHeads)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in heads.state_dict().items())
