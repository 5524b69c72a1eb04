"""Closed-form latents: which frames a latent covers, what is lost, and the same bytes every time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from components.backbones import laptop_latents
from components.backbones.base import Frames
from components.backbones.laptop_latents import CHUNK, PATCH, LaptopLatents
from components.backbones.wan22.backbone import Wan
from components.errors import ParametersError
from tests.backbones.videos import make_videos, psnr

VALUES = PATCH * PATCH * 3  # of a patch of one frame
TENSORS = ("first_basis", "first_mean", "first_scale", "change_basis", "change_scale")


@pytest.fixture
def threads() -> Iterator[None]:
    """Puts torch's number of threads back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def noise_videos(rng: np.random.Generator, count: int = 8) -> Frames:
    return rng.integers(0, 256, (count, 5, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("frame", range(1, 9))
def test_a_frame_changes_the_latent_that_covers_it_alone(
    codec: LaptopLatents, wan: Wan, videos: Frames, frame: int
) -> None:
    other = videos[:1].copy()
    other[:, frame, 4:12, 4:12] ^= 255
    differ = (codec.encode(videos[:1]) != codec.encode(other)).flatten(3).any(-1).any(1)[0]
    assert differ.tolist() == [frame in covered for covered in wan.frames_of_latent(9)]


def test_the_first_frame_is_in_every_latent_because_changes_are_coded(codec: LaptopLatents, videos: Frames) -> None:
    other = videos[:1].copy()
    other[:, 0] ^= 255
    differ = (codec.encode(videos[:1]) != codec.encode(other)).flatten(3).any(-1).any(1)[0]
    assert differ.tolist() == [True, True, True]


@pytest.mark.parametrize("latent", [1, 2])
def test_a_latent_changes_the_frames_that_it_covers_alone(
    codec: LaptopLatents, wan: Wan, videos: Frames, latent: int
) -> None:
    latents = codec.encode(videos[:1])
    other = latents.clone()
    other[:, 0, latent] += 3
    differ = (codec.decode(latents) != codec.decode(other)).any((0, 2, 3, 4))
    assert np.flatnonzero(differ).tolist() == list(wan.frames_of_latent(9)[latent])


def test_the_first_latent_carries_every_frame(codec: LaptopLatents, videos: Frames) -> None:
    latents = codec.encode(videos[:1])
    other = latents.clone()
    other[:, 0, 0] += 3
    assert (codec.decode(latents) != codec.decode(other)).any((0, 2, 3, 4)).all()


def test_latents_are_causal(codec: LaptopLatents, videos: Frames) -> None:
    whole = codec.encode(videos)
    assert torch.equal(codec.encode(videos[:, :1]), whole[:, :, :1])
    assert torch.equal(codec.encode(videos[:, :5]), whole[:, :, :2])


def test_nothing_of_the_first_frame_is_lost_with_all_components(rng: np.random.Generator) -> None:
    """192 components are all of a patch of the first frame, and a quarter of a chunk of changes."""
    noise = noise_videos(rng, 32)
    codec = laptop_latents.fit(noise, channels=VALUES)
    found = codec.decode(codec.encode(noise))
    assert np.array_equal(found[:, 0], noise[:, 0])
    assert psnr(found[:, 1:], noise[:, 1:]) < 20


def test_a_still_video_is_not_lost_either(rng: np.random.Generator) -> None:
    codec = laptop_latents.fit(noise_videos(rng, 32), channels=VALUES)
    still = np.repeat(noise_videos(rng, 1)[:, :1], 9, axis=1)
    assert np.array_equal(codec.decode(codec.encode(still)), still)


def test_more_channels_lose_less() -> None:
    train, held_out = (make_videos(8, frames=9, side=32, seed=seed) for seed in (0, 1))
    fitted = [laptop_latents.fit(train, channels=channels) for channels in (4, 16, 64)]
    quality = [psnr(codec.decode(codec.encode(held_out)), held_out) for codec in fitted]
    assert quality == sorted(quality)
    assert quality[-1] > quality[0] + 3


def test_latents_are_of_about_unit_deviation(codec: LaptopLatents, videos: Frames) -> None:
    latents = codec.encode(videos)
    assert float(latents[:, :, 0].square().mean().sqrt()) == pytest.approx(1, abs=0.01)
    assert float(latents[:, :, 1:].square().mean().sqrt()) == pytest.approx(1, abs=0.01)
    assert float(latents[:, :, 0].mean((0, 2, 3)).abs().max()) < 1e-4  # centred


@pytest.mark.parametrize("name", ["first_basis", "change_basis"])
def test_components_are_orthonormal_and_their_signs_fixed(codec: LaptopLatents, name: str) -> None:
    basis: torch.Tensor = getattr(codec, name)
    torch.testing.assert_close(basis.T @ basis, torch.eye(codec.channels), atol=1e-5, rtol=0)
    assert (basis.gather(0, basis.abs().argmax(0, keepdim=True)) > 0).all()


def test_the_same_videos_give_the_same_codec(codec: LaptopLatents, videos: Frames) -> None:
    again = laptop_latents.fit(videos, channels=codec.channels)
    assert all(torch.equal(getattr(codec, name), getattr(again, name)) for name in TENSORS)


@pytest.mark.usefixtures("threads")
def test_latents_and_frames_are_the_same_bytes_over_threads_and_batches(codec: LaptopLatents) -> None:
    videos = make_videos(7, frames=9, side=64, seed=2)
    torch.set_num_threads(2)
    latents = codec.encode(videos)
    frames = codec.decode(latents)
    torch.set_num_threads(1)
    for part in (slice(0, 1), slice(1, 4), slice(4, 7), slice(0, 7)):
        assert torch.equal(codec.encode(videos[part]), latents[part])
        assert np.array_equal(codec.decode(latents[part]), frames[part])


def test_a_saved_codec_is_the_same(codec: LaptopLatents, videos: Frames, tmp_path: Path) -> None:
    for name in ("one", "two"):
        laptop_latents.save(codec, tmp_path / name / "codec.safetensors")
    assert (tmp_path / "one/codec.safetensors").read_bytes() == (tmp_path / "two/codec.safetensors").read_bytes()
    loaded = laptop_latents.load(tmp_path / "one/codec.safetensors")
    assert all(torch.equal(getattr(loaded, name), getattr(codec, name)) for name in TENSORS)
    # a product may sum in another order where a file's tensors lie otherwise in memory than fitted ones
    torch.testing.assert_close(loaded.encode(videos), codec.encode(videos), atol=1e-4, rtol=0)


def test_shapes_and_types(codec: LaptopLatents) -> None:
    videos = make_videos(2, frames=17, side=64, seed=0)[:, :, :, :48]
    latents = codec.encode(videos)
    assert (latents.shape, latents.dtype) == ((2, 8, 5, 8, 6), torch.float32)
    decoded = codec.decode(latents)
    assert decoded.shape == videos.shape
    assert decoded.dtype == np.uint8
    assert (codec.channels, codec.spatial_stride) == (8, PATCH)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((1, 8, 32, 32, 3), "video of 8 frames"), ((1, 9, 30, 32, 3), "30x32"), ((1, 9, 32, 31, 3), "32x31")],
)
def test_videos_that_do_not_fit_are_refused(codec: LaptopLatents, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(
        ParametersError, match=rf"{message}.*expected {CHUNK} k \+ 1 frames and multiples of {PATCH} pix"
    ):
        codec.encode(np.zeros(shape, np.uint8))


def test_more_channels_than_values_are_refused(videos: Frames) -> None:
    with pytest.raises(ParametersError, match=r"latents.channels: 193 is wrong, expected at most 192"):
        laptop_latents.fit(videos, channels=193)
