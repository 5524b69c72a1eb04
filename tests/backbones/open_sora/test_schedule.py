"""Times are shifted as the released code shifts them, and videos come in chunks of 17 frames."""

from typing import Any

import pytest
import torch

from components.backbones.open_sora.schedule import Video, frames_of_latent, frames_of_latents, latent_frames, shifted
from components.errors import ParametersError
from tests.backbones.open_sora.oracle import numbers


def video(**changes: Any) -> Video:  # noqa: ANN401
    return Video(**{"height": 240, "width": 426, "frames": 51, "fps": 24.0, **changes})


def test_times_are_shifted_as_released() -> None:
    table = numbers()["TT_timestep_transform"]
    compared = 0
    for case, expected in table["out"].items():
        shape, kind = case.split(":")
        height, width, frames = map(int, shape.split("x"))
        if kind != "float32" or frames == 16:  # which the released code makes nothing of, and this one refuses
            continue
        factor = video(height=height, width=width, frames=frames).time_shift
        found = 1000 * shifted(torch.tensor(table["t"]) / 1000, factor)
        assert found.tolist() == pytest.approx(expected, rel=1e-6)
        compared += 1
    assert compared == 6


def test_the_samplers_times_are_the_released_ones() -> None:
    times = video().schedule(30)
    assert (1000 * times[:-1]).tolist() == pytest.approx(numbers()["TS_30step_240x426x51_float32"], rel=1e-6)
    assert times[-1] == 0


@pytest.mark.parametrize("steps", [1, 4, 50])
@pytest.mark.parametrize("frames", [1, 17, 102])
def test_a_schedule_falls_from_one_to_zero(steps: int, frames: int) -> None:
    times = video(frames=frames).schedule(steps)
    assert (len(times), times[0].item(), times[-1].item()) == (steps + 1, 1.0, 0.0)
    assert (times.diff() < 0).all()


def test_training_draws_a_logistic_normal_variable_and_shifts_it() -> None:
    """Its median is 1/2 before the shift r and r / (1 + r) after; the logit of what is not shifted is N(0, 1)."""
    one = video()
    drawn = one.draw_times(20_000, torch.Generator().manual_seed(0))
    factor = one.time_shift
    assert float(drawn.median()) == pytest.approx(factor / (1 + factor), abs=0.01)
    logits = shifted(drawn, 1 / factor).logit()
    assert float(logits.mean()) == pytest.approx(0, abs=0.03)
    assert float(logits.std()) == pytest.approx(1, abs=0.03)
    assert torch.equal(drawn, one.draw_times(20_000, torch.Generator().manual_seed(0)))


def test_latents_are_as_many_and_as_large_as_released() -> None:
    for frames, expected in numbers()["VP_latent_sizes"].items():
        if int(frames) == 1 or int(frames) % 17 == 0:
            assert list(video(frames=int(frames)).latent_shape) == expected


@pytest.mark.parametrize("frames", [1, 17, 34, 51, 408])
def test_latents_cover_every_frame_once_and_in_order(frames: int) -> None:
    spans = frames_of_latent(frames)
    assert [frame for span in spans for frame in span] == list(range(frames))
    assert len(spans) == latent_frames(frames)
    assert frames_of_latents(len(spans)) == frames


def test_every_chunk_begins_with_a_latent_of_one_frame() -> None:
    spans = frames_of_latent(34)
    assert spans[0] == range(1)
    assert spans[1] == range(1, 5)
    assert spans[5] == range(17, 18)
    assert [len(span) for span in spans] == [1, 4, 4, 4, 4] * 2


def test_a_single_frame_is_told_its_own_frame_rate() -> None:
    assert video(frames=1).told_fps == 120
    assert video(fps=8.0).told_fps == 8


@pytest.mark.parametrize(("frames", "nearest"), [(2, 17), (16, 17), (49, 51), (0, 17), (-17, 17), (103, 102)])
def test_frames_that_are_no_chunks_are_refused(frames: int, nearest: int) -> None:
    expected = f"video.frames: {frames} does not fit backbone open_sora, expected 1 or 17 k: write {nearest}"
    for call in (latent_frames, frames_of_latent, lambda count: video(frames=count)):
        with pytest.raises(ParametersError, match=expected):
            call(frames)


@pytest.mark.parametrize("latents", [0, 2, 4, 6])
def test_latents_that_are_no_chunks_are_refused(latents: int) -> None:
    with pytest.raises(ParametersError, match=f"{latents} latent frames do not fit backbone open_sora"):
        frames_of_latents(latents)


@pytest.mark.parametrize(("field", "value"), [("height", 8), ("width", 0), ("fps", 0.0), ("fps", float("nan"))])
def test_a_video_that_cannot_be_is_refused(field: str, value: float) -> None:
    with pytest.raises(ParametersError, match=f"video.{field}: {value} is wrong"):
        video(**{field: value})
