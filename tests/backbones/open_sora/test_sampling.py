"""The released sampler: guidance, kept frames, and frames that are changed a little."""

import pytest
import torch
from torch import Tensor

from components.backbones.base import Condition
from components.backbones.open_sora.backbone import OpenSora
from components.backbones.open_sora.sampling import Guided, keep_first, sample_guided
from components.backbones.open_sora.schedule import Video
from components.training.diffusion import sample
from tests.backbones.open_sora.oracle import GATE, LATENTS, TEXT_MASK, array, drawn, relative_error, text, tiny

RELEASED = Video(height=240, width=426, frames=17, fps=24.0)
EDITS = {
    "S1_sample_nomask": None,
    "S2_sample_mask01": torch.tensor([[0.0, 1, 1, 1, 1], [1, 1, 1, 1, 0]]),
    "S3_sample_edit_ratio": torch.tensor([[0, 0.5, 1, 1, 1], [1, 1, 0.7, 1, 0]]),
}


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("case", EDITS)
def test_samples_are_the_released_samplers(case: str) -> None:
    found = sample_guided(
        tiny(),
        drawn("z", *LATENTS),
        text(),
        TEXT_MASK,
        video=RELEASED,
        steps=5,
        edits=EDITS[case],
        generator=torch.Generator().manual_seed(1234),
    )
    assert relative_error(found, array(case)) < GATE


@pytest.mark.usefixtures("exact")
def test_kept_frames_come_out_untouched() -> None:
    start, edits = drawn("z", *LATENTS), EDITS["S2_sample_mask01"]
    found = sample_guided(tiny(), start, text(), TEXT_MASK, video=RELEASED, steps=2, edits=edits)
    assert edits is not None
    kept = edits == 0
    assert torch.equal(found.movedim(1, 2)[kept], start.movedim(1, 2)[kept])
    assert (found - start).movedim(1, 2)[~kept].abs().mean() > 0.1


@pytest.mark.usefixtures("exact")
def test_without_guidance_it_is_the_sampler_of_every_backbone() -> None:
    video = Video(height=48, width=80, frames=17, fps=24.0)
    transformer = tiny()
    words = text() * TEXT_MASK[..., None]
    first, noise = drawn("first", 2, 4, 1, 6, 10), drawn("z", *LATENTS)
    start, edits = keep_first(first, noise)
    found = sample_guided(transformer, start, words, TEXT_MASK, video=video, steps=3, guidance=1.0, edits=edits)
    backbone = OpenSora(transformer, size="tiny", video=video)
    expected = sample(backbone, noise, Condition(first=first, text=words), steps=3)
    assert relative_error(found, expected) < GATE


@torch.no_grad()
@pytest.mark.usefixtures("exact")
def test_guidance_goes_on_a_line_through_both_velocities() -> None:
    noisy, time = drawn("z", *LATENTS), torch.tensor(0.6)

    def velocity(scale: float) -> Tensor:
        return Guided(tiny(), text(), TEXT_MASK, video=RELEASED, scale=scale)(noisy, time, None)

    without, with_text, far = velocity(0.0), velocity(1.0), velocity(7.0)
    assert (with_text - without).abs().mean() > 1e-2
    torch.testing.assert_close(far, without + 7 * (with_text - without), atol=1e-4, rtol=1e-4)
