"""Wan's own autoencoder behind the codec's protocol: causal, deterministic, and of the frames it says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from components.backbones.base import Frames
from components.backbones.wan22.backbone import Wan
from components.backbones.wan22.codec import WanCodec
from components.errors import ParametersError


@pytest.fixture(scope="module")
def vae_codec(pipeline_folder: Path) -> WanCodec:
    from diffusers import AutoencoderKLWan

    vae = AutoencoderKLWan.from_pretrained(pipeline_folder / "vae", local_files_only=True)
    return WanCodec(vae.eval().requires_grad_(False))


@pytest.mark.parametrize("frame", range(9))
def test_a_frame_changes_no_latent_before_the_one_that_covers_it(
    vae_codec: WanCodec, wan: Wan, videos: Frames, frame: int
) -> None:
    other = videos[:1].copy()
    other[:, frame] ^= 255
    differ = (vae_codec.encode(videos[:1]) != vae_codec.encode(other)).flatten(3).any(-1).any(1)[0]
    covering = next(number for number, covered in enumerate(wan.frames_of_latent(9)) if frame in covered)
    assert int(differ.int().argmax()) == covering
    assert bool(differ[covering])


@pytest.mark.parametrize("latent", range(3))
def test_a_latent_changes_no_frame_before_those_that_it_covers(
    vae_codec: WanCodec, wan: Wan, videos: Frames, latent: int
) -> None:
    latents = vae_codec.encode(videos[:1])
    other = latents.clone()
    other[:, :, latent] += 3
    differ = np.flatnonzero((vae_codec.decode(latents) != vae_codec.decode(other)).any((0, 2, 3, 4)))
    assert differ[0] == wan.frames_of_latent(9)[latent].start


def test_latents_of_a_beginning_are_the_beginning_of_the_latents(vae_codec: WanCodec, videos: Frames) -> None:
    whole = vae_codec.encode(videos[:2])
    torch.testing.assert_close(vae_codec.encode(videos[:2, :1]), whole[:, :, :1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(vae_codec.encode(videos[:2, :5]), whole[:, :, :2], atol=1e-5, rtol=1e-5)


def test_no_video_depends_on_its_neighbours_and_every_call_gives_the_same(vae_codec: WanCodec, videos: Frames) -> None:
    latents = vae_codec.encode(videos[:3])
    assert torch.equal(vae_codec.encode(videos[1:2]), latents[1:2])
    assert torch.equal(vae_codec.encode(videos[:3]), latents)
    assert np.array_equal(vae_codec.decode(latents[1:2]), vae_codec.decode(latents)[1:2])


def test_latents_are_normalised_per_channel(vae_codec: WanCodec, videos: Frames) -> None:
    """(x - mean) / deviation of the posterior's mean, by the autoencoder's own configuration."""
    pixels = torch.from_numpy(videos[:1]).movedim(-1, 1).float() / 127.5 - 1
    with torch.no_grad():
        mean = vae_codec.vae.encode(pixels).latent_dist.mean
    config = vae_codec.vae.config
    centre, deviation = (torch.tensor(config[name]).view(1, -1, 1, 1, 1) for name in ("latents_mean", "latents_std"))
    torch.testing.assert_close(vae_codec.encode(videos[:1]), (mean - centre) / deviation, atol=1e-5, rtol=1e-5)


def test_shapes_and_types(vae_codec: WanCodec, videos: Frames) -> None:
    latents = vae_codec.encode(videos[:2])
    assert (latents.shape, latents.dtype) == ((2, 48, 3, 2, 2), torch.float32)
    assert not latents.requires_grad
    decoded = vae_codec.decode(latents)
    assert decoded.shape == (2, 9, 32, 32, 3)
    assert decoded.dtype == np.uint8
    assert (vae_codec.channels, vae_codec.spatial_stride) == (48, 16)


def test_tiles_are_off(vae_codec: WanCodec) -> None:
    vae_codec.vae.enable_tiling()
    assert not WanCodec(vae_codec.vae).vae.use_tiling


@pytest.mark.parametrize(("shape", "message"), [((1, 8, 32, 32, 3), "8 frames"), ((1, 9, 40, 32, 3), "40x32")])
def test_videos_that_do_not_fit_are_refused(vae_codec: WanCodec, shape: tuple[int, ...], message: str) -> None:
    """The autoencoder itself drops frames beyond 4 k + 1 without a word."""
    with pytest.raises(ParametersError, match=rf"{message}.*expected 4 k \+ 1 frames and multiples of 16 pixels"):
        vae_codec.encode(np.zeros(shape, np.uint8))
