"""LTX-Video's own autoencoder behind the codec's protocol: a causal encoder, deterministic, of the frames it says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from components.backbones.base import Frames
from components.backbones.ltx_video import LtxCodec, describe, load
from components.errors import ParametersError
from tests.backbones.ltx_video.tiny import LATENTS, VIDEO, make_vae

SPANS = (range(1), range(1, 9), range(9, 17))


@pytest.fixture(scope="module")
def codec() -> LtxCodec:
    return LtxCodec(make_vae())


@pytest.fixture(scope="module")
def videos() -> Frames:
    size = (3, VIDEO.frames, VIDEO.height, VIDEO.width, 3)
    return np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)


@pytest.mark.parametrize("frame", [0, 1, 8, 9, 16])
def test_a_frame_changes_no_latent_before_the_one_that_covers_it(codec: LtxCodec, videos: Frames, frame: int) -> None:
    other = videos[:1].copy()
    other[:, frame] ^= 255
    differ = (codec.encode(videos[:1]) != codec.encode(other)).flatten(3).any(-1).any(1)[0]
    covering = next(number for number, covered in enumerate(SPANS) if frame in covered)
    assert differ.tolist() == [number >= covering for number in range(len(SPANS))]


def test_latents_of_a_beginning_are_the_beginning_of_the_latents(codec: LtxCodec, videos: Frames) -> None:
    whole = codec.encode(videos[:2])
    torch.testing.assert_close(codec.encode(videos[:2, :1]), whole[:, :, :1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(codec.encode(videos[:2, :9]), whole[:, :, :2], atol=1e-5, rtol=1e-5)


def test_no_video_depends_on_its_neighbours_and_every_call_gives_the_same(codec: LtxCodec, videos: Frames) -> None:
    latents = codec.encode(videos)
    assert torch.equal(codec.encode(videos[1:2]), latents[1:2])
    assert torch.equal(codec.encode(videos), latents)
    assert np.array_equal(codec.decode(latents[1:2]), codec.decode(latents)[1:2])


def test_latents_are_normalised_per_channel(codec: LtxCodec, videos: Frames) -> None:
    """(x - mean) / deviation of the posterior's mean, by the statistics beside the autoencoder's weights."""
    pixels = torch.from_numpy(videos[:1]).movedim(-1, 1).float() / 127.5 - 1
    with torch.no_grad():
        mean = codec.vae.encode(pixels).latent_dist.mean
    centre, deviation = (value.view(1, -1, 1, 1, 1) for value in (codec.vae.latents_mean, codec.vae.latents_std))
    torch.testing.assert_close(codec.encode(videos[:1]), (mean - centre) / deviation, atol=1e-5, rtol=1e-5)


def test_the_statistics_are_read_from_the_weights(ltx_video_folder: Path, videos: Frames, codec: LtxCodec) -> None:
    _, loaded, _ = load(describe(str(ltx_video_folder), None), VIDEO)
    assert torch.equal(loaded.encode(videos[:1]), codec.encode(videos[:1]))


def test_shapes_and_types(codec: LtxCodec, videos: Frames) -> None:
    latents = codec.encode(videos[:2])
    assert (latents.shape, latents.dtype, latents.requires_grad) == ((2, *LATENTS), torch.float32, False)
    decoded = codec.decode(latents)
    assert decoded.shape == videos[:2].shape
    assert decoded.dtype == np.uint8
    assert (codec.channels, codec.spatial_stride) == (LATENTS[0], 32)


def test_tiles_are_off() -> None:
    vae = make_vae()
    vae.enable_tiling()
    assert not LtxCodec(vae).vae.use_tiling


@pytest.mark.parametrize(("shape", "message"), [((1, 8, 32, 32, 3), "8 frames"), ((1, 9, 48, 32, 3), "48x32")])
def test_videos_that_do_not_fit_are_refused(codec: LtxCodec, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ParametersError, match=rf"{message}.*expected 8 k \+ 1 frames and multiples of 32 pixels"):
        codec.encode(np.zeros(shape, np.uint8))
