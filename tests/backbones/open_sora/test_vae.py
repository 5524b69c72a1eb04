"""The two-part autoencoder gives what the released one gives, on small random weights, and has the published names."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from components.backbones.base import Codec, Frames
from components.backbones.open_sora.codec import OpenSoraCodec
from components.backbones.open_sora.published import describe_part, load_autoencoder
from components.backbones.open_sora.vae import OpenSoraVAE
from components.backbones.pretrained import no_progress_bars
from components.errors import ParametersError
from tests.backbones.open_sora.oracle import GATE, array, drawn, numbers, relative_error, statistics
from tests.backbones.open_sora.tiny_vae import tiny_vae


@pytest.fixture(scope="module")
def vae() -> OpenSoraVAE:
    return tiny_vae()


def video(name: str) -> Tensor:
    return drawn(name, 1, 3, int(name.removeprefix("video")), 32, 40).clamp(-1, 1)


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 3, 5, 16, 17, 34])
def test_moments_of_a_chunk_are_the_released_ones(vae: OpenSoraVAE, frames: int) -> None:
    found = vae.temporal_vae.moments(drawn(f"xz{frames}", 1, 4, frames, 6, 5))
    assert relative_error(found, array(f"V1_temporal_encode_moments_T{frames}")) < GATE


@torch.no_grad()
@pytest.mark.parametrize(("latents", "frames"), [(1, 1), (1, 3), (2, 5), (4, 16), (5, 17), (9, 34)])
def test_a_decoded_chunk_is_the_released_one(vae: OpenSoraVAE, latents: int, frames: int) -> None:
    found = vae.temporal_vae.decode(drawn(f"zz{latents}", 1, 4, latents, 6, 5), frames)
    assert relative_error(found, array(f"V2_temporal_decode_zT{latents}_n{frames}")) < GATE


@torch.no_grad()
def test_latents_are_the_released_ones(vae: OpenSoraVAE) -> None:
    """Of 20 frames, of 51, and of one; by mode, and drawn as the released code draws them."""
    for case, found in (
        ("VP1_encode_seed7_T20", vae.encode(video("video20"), torch.Generator().manual_seed(7))),
        ("VP2_encode_mode_T20", vae.encode(video("video20"))),
        ("VP3_encode_mode_T51", vae.encode(video("video51"))),
        ("VP4_encode_mode_T1", vae.encode(video("video20")[:, :, :1])),
    ):
        assert relative_error(found, array(case)) < GATE, case


@torch.no_grad()
def test_decoded_videos_are_the_released_ones(vae: OpenSoraVAE) -> None:
    assert relative_error(vae.decode(drawn("zd6", 1, 4, 6, 4, 5), 20), array("VP5_decode_z6_n20")) < GATE
    assert relative_error(vae.decode(drawn("zd1", 1, 4, 1, 4, 5), 1), array("VP7_decode_z1_n1")) < GATE
    expected = numbers()["VP6_decode_z15_n51"]
    long = vae.decode(drawn("zd15", 1, 4, 15, 4, 5), 51)
    assert list(long.shape) == expected["shape"]
    for statistic, found in statistics(long):
        assert found == pytest.approx(expected[statistic], rel=2e-5, abs=5e-6)


@torch.no_grad()
def test_chunks_and_samples_do_not_see_each_other(vae: OpenSoraVAE) -> None:
    both = torch.cat([video("video51")[:, :, :34], drawn("other", 1, 3, 34, 32, 40)])
    latents = vae.encode(both)
    assert latents.shape == (2, 4, 10, 4, 5)
    assert relative_error(vae.encode(both[1:, :, 17:]), latents[1:, :, 5:]) < GATE
    decoded = vae.decode(latents, 34)
    assert decoded.shape == both.shape
    assert relative_error(vae.decode(latents[1:, :, 5:], 17), decoded[1:, :, 17:]) < GATE


@torch.no_grad()
def test_how_many_frames_go_through_at_once_changes_nothing(vae: OpenSoraVAE) -> None:
    whole = tiny_vae()
    whole.micro_batch_size = 100
    assert relative_error(whole.encode(video("video20")), vae.encode(video("video20"))) < 1e-6


def test_no_normalisation_has_another_epsilon(vae: OpenSoraVAE) -> None:
    """An error there is too small to be seen in the numbers."""
    for name, module in vae.named_modules():
        if isinstance(module, nn.GroupNorm):
            assert module.eps == (1e-6 if name.startswith("spatial_vae.") else 1e-5)


@pytest.mark.parametrize(("latents", "frames", "expected"), [(5, 20, 6), (6, 17, 5), (5, 16, 4), (1, 0, 0)])
def test_frames_that_the_latents_are_not_of_are_refused(
    vae: OpenSoraVAE, latents: int, frames: int, expected: int
) -> None:
    message = f"{latents} latent frames for a video of {frames} frames, expected {expected}"
    with pytest.raises(ParametersError, match=message):
        vae.decode(torch.zeros(1, 4, latents, 4, 5), frames)


def test_names_and_shapes_are_the_released_ones(vae: OpenSoraVAE) -> None:
    found = {name: list(value.shape) for name, value in vae.state_dict().items()}
    assert found == numbers()["_meta"]["vae_keys"]


def test_the_published_size_is_the_default() -> None:
    with torch.device("meta"):
        vae = OpenSoraVAE()
    tensors = vae.state_dict()
    assert len(tensors) == 517
    assert sum(value.numel() for value in vae.parameters()) == 393_341_007
    assert sum(value.numel() for value in vae.spatial_vae.parameters()) == 83_653_863
    assert sum(value.numel() for value in vae.temporal_vae.parameters()) == 309_687_144
    shapes = {
        "temporal_vae.decoder.conv_blocks.1.conv.weight": (512, 256, 3, 3, 3),
        "temporal_vae.decoder.conv_blocks.2.conv.weight": (1024, 512, 3, 3, 3),
        "temporal_vae.decoder.block_res_blocks.0.0.conv3.conv.weight": (128, 256, 1, 1, 1),
        "temporal_vae.decoder.block_res_blocks.2.0.conv3.conv.weight": (256, 512, 1, 1, 1),
        "temporal_vae.encoder.conv2.conv.weight": (8, 512, 1, 1, 1),
        "spatial_vae.module.quant_conv.weight": (8, 8, 1, 1),
        "shift": (1, 4, 1, 1, 1),
    }
    assert {name: tuple(tensors[name].shape) for name in shapes} == shapes


def test_the_published_normalisation_is_the_default(vae: OpenSoraVAE) -> None:
    torch.testing.assert_close(vae.shift.flatten(), torch.tensor([-0.10, 0.34, 0.27, 0.98]))
    torch.testing.assert_close(vae.scale.flatten(), torch.tensor([3.85, 2.32, 2.33, 3.06]))
    assert vae.spatial_scale == 0.18215


@torch.no_grad()
def test_a_saved_autoencoder_is_loaded_strictly(vae: OpenSoraVAE, tmp_path: Path) -> None:
    with no_progress_bars():
        vae.save_pretrained(tmp_path)
    loaded = load_autoencoder(describe_part("vae", str(tmp_path), None))
    assert torch.equal(loaded.encode(video("video20")), vae.encode(video("video20")))
    (path,) = tmp_path.glob("*.safetensors")
    tensors = load_file(path)
    del tensors["temporal_vae.quant_conv.conv.bias"]
    save_file(tensors, path)
    with pytest.raises(ParametersError, match=re.escape("1 missing, temporal_vae.quant_conv.conv.bias: give")):
        load_autoencoder(describe_part("vae", str(tmp_path), None))


def test_the_published_configuration_means_the_published_shape(vae: OpenSoraVAE, tmp_path: Path) -> None:
    """So a small autoencoder beside it is refused, by the shapes of its tensors."""
    published = {
        "model_type": "VideoAutoencoderPipeline",
        "micro_frame_size": 17,
        "vae_2d": {"type": "VideoAutoencoderKL"},
    }
    (tmp_path / "config.json").write_text(json.dumps(published))
    save_file(vae.state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(ParametersError, match=r"missing, .*; .* of another shape, spatial_vae.module.decoder"):
        load_autoencoder(describe_part("vae", str(tmp_path), None))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "STDiT3"}))
    with pytest.raises(ParametersError, match="says model_type: STDiT3, expected VideoAutoencoderPipeline"):
        load_autoencoder(describe_part("vae", str(tmp_path), None))


@pytest.fixture
def frames() -> Frames:
    return np.random.default_rng(0).integers(0, 256, (2, 34, 32, 40, 3), dtype=np.uint8)


@torch.no_grad()
def test_the_codec_is_the_autoencoder_on_frames_of_bytes(vae: OpenSoraVAE, frames: Frames) -> None:
    codec: Codec = OpenSoraCodec(vae)
    assert (codec.channels, codec.spatial_stride) == (4, 8)
    latents = codec.encode(frames)
    signed = torch.from_numpy(frames).movedim(-1, 1).float() / 127.5 - 1
    assert latents.dtype == torch.float32
    assert relative_error(latents, vae.encode(signed)) < GATE
    assert torch.equal(codec.encode(frames), latents)
    decoded = codec.decode(latents)
    assert decoded.shape == frames.shape
    expected = (vae.decode(latents, 34).movedim(1, -1).clamp(-1, 1) + 1) * 127.5
    assert np.abs(decoded - expected.numpy()).max() <= 0.51
    assert codec.decode(codec.encode(frames[:, :1])).shape == (2, 1, 32, 40, 3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 16, 32, 40, 3), "video.frames: 16 does not fit backbone open_sora"),
        ((1, 17, 30, 40, 3), "video of 30x40: expected multiples of 8 pixels"),
        ((1, 17, 32, 42, 3), "video of 32x42: expected multiples of 8 pixels"),
    ],
)
def test_videos_that_do_not_fit_are_refused(vae: OpenSoraVAE, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ParametersError, match=message):
        OpenSoraCodec(vae).encode(np.zeros(shape, np.uint8))
