"""CogVideoX's own autoencoder behind the codec's protocol: the pipeline's numbers, and of the frames it says."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from components.backbones.base import Frames
from components.backbones.cogvideox.backbone import CogVideoX
from components.backbones.cogvideox.codec import CogVideoXCodec
from components.backbones.cogvideox.path import noise_levels
from components.errors import ParametersError
from tests.backbones.cogvideox.tiny import CHANNELS, SCALE, make_pipeline, make_transformer, make_vae
from tests.backbones.videos import make_videos

FREE = {"use_learned_positional_embeddings": False}


@pytest.fixture(scope="module")
def codec() -> CogVideoXCodec:
    return CogVideoXCodec(make_vae())


@pytest.fixture(scope="module")
def cog() -> CogVideoX:
    levels = noise_levels(beta_start=0.00085, beta_end=0.012, snr_shift=1.0)
    return CogVideoX(make_transformer(num_layers=1, **FREE), size="tiny", levels=levels)


@pytest.fixture(scope="module")
def long() -> Frames:
    """Seventeen frames: two of the autoencoder's pieces."""
    return make_videos(2, frames=17, side=32, seed=1)


@pytest.fixture(scope="module")
def without_norms() -> CogVideoXCodec:
    """Its convolutions and strides alone, which decide what frames a latent covers: norms see whole pieces."""
    vae = copy.deepcopy(make_vae())
    for module in list(vae.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, nn.Identity())
    return CogVideoXCodec(vae)


@pytest.mark.parametrize("frame", range(17))
def test_a_frame_changes_no_latent_before_the_one_that_covers_it(
    without_norms: CogVideoXCodec, cog: CogVideoX, long: Frames, frame: int
) -> None:
    other = long[:1].copy()
    other[:, frame] ^= 255
    differ = (without_norms.encode(long[:1]) != without_norms.encode(other)).flatten(3).any(-1).any(1)[0]
    covering = next(number for number, covered in enumerate(cog.frames_of_latent(17)) if frame in covered)
    assert int(differ.int().argmax()) == covering
    assert bool(differ[covering])


@pytest.mark.parametrize("latent", range(5))
def test_a_latent_changes_no_frame_before_those_that_it_covers(
    without_norms: CogVideoXCodec, cog: CogVideoX, long: Frames, latent: int
) -> None:
    latents = without_norms.encode(long[:1])
    other = latents.clone()
    other[:, :, latent] += 10
    differ = np.flatnonzero((without_norms.decode(latents) != without_norms.decode(other)).any((0, 2, 3, 4)))
    assert differ[0] == cog.frames_of_latent(17)[latent].start


@pytest.mark.parametrize(("frame", "first"), [(9, 3), (16, 3)])
def test_a_frame_changes_no_latent_of_an_earlier_piece(
    codec: CogVideoXCodec, long: Frames, frame: int, first: int
) -> None:
    other = long[:1].copy()
    other[:, frame] ^= 255
    differ = (codec.encode(long[:1]) != codec.encode(other)).flatten(3).any(-1).any(1)[0]
    assert differ.tolist() == [False] * first + [True] * (5 - first)


def test_latents_are_the_posteriors_mode_times_the_scale(codec: CogVideoXCodec, videos: Frames) -> None:
    pixels = torch.from_numpy(videos[:2]).movedim(-1, 1).float() / 127.5 - 1
    with torch.no_grad():
        mean = codec.vae.encode(pixels).latent_dist.mean
    torch.testing.assert_close(codec.encode(videos[:2]), SCALE * mean, atol=1e-5, rtol=1e-5)


def test_decoded_frames_are_the_pipelines(codec: CogVideoXCodec, videos: Frames) -> None:
    pipeline = make_pipeline(vae=codec.vae)
    latents = codec.encode(videos[:2])
    with torch.no_grad():
        video = pipeline.decode_latents(latents.movedim(1, 2))
    expected = pipeline.video_processor.postprocess_video(video, output_type="np")
    np.testing.assert_allclose(codec.decode(latents), expected * 255, atol=0.51)


def test_no_video_depends_on_its_neighbours_and_every_call_gives_the_same(codec: CogVideoXCodec, long: Frames) -> None:
    latents = codec.encode(long)
    assert torch.equal(codec.encode(long[1:2]), latents[1:2])
    assert torch.equal(codec.encode(long), latents)
    assert np.array_equal(codec.decode(latents[1:2]), codec.decode(latents)[1:2])


@pytest.mark.parametrize("frames", [1, 9, 17])
def test_shapes_and_types(codec: CogVideoXCodec, long: Frames, frames: int) -> None:
    latents = codec.encode(long[:, :frames])
    assert (latents.shape, latents.dtype) == ((2, CHANNELS, 1 + frames // 4, 4, 4), torch.float32)
    assert not latents.requires_grad
    decoded = codec.decode(latents)
    assert decoded.shape == (2, frames, 32, 32, 3)
    assert decoded.dtype == np.uint8
    assert (codec.channels, codec.spatial_stride) == (CHANNELS, 8)


def test_tiles_are_off() -> None:
    vae = make_vae()
    vae.enable_tiling()
    assert not CogVideoXCodec(vae).vae.use_tiling


@pytest.mark.parametrize(
    ("shape", "message"), [((1, 8, 32, 32, 3), "8 frames"), ((1, 13, 32, 32, 3), "13 fr"), ((1, 9, 36, 32, 3), "36x32")]
)
def test_videos_that_do_not_fit_are_refused(codec: CogVideoXCodec, shape: tuple[int, ...], message: str) -> None:
    """The autoencoder itself decodes the four latents of thirteen frames to sixteen frames, without a word."""
    with pytest.raises(ParametersError, match=rf"{message}.*expected 8 k \+ 1 frames and multiples of 8 pixels"):
        codec.encode(np.zeros(shape, np.uint8))


def test_latents_that_it_would_decode_to_other_frames_are_refused(codec: CogVideoXCodec) -> None:
    latents = torch.zeros(1, CHANNELS, 4, 2, 2)
    with torch.no_grad():
        assert codec.vae.decode(latents).sample.shape[2] == 16  # where four latents of 4 k + 1 frames are thirteen
    with pytest.raises(ParametersError, match=r"4 latent frames do not fit .* expected 2 k \+ 1: write"):
        codec.decode(latents)
