"""Any picture becomes the model's first frame, and what was done to it is said."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.errors import ParametersError
from components.input_image import load_image


def gradient(height: int, width: int) -> np.ndarray:
    """Red grows to the right, green downwards, blue is constant."""
    red = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    green = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return np.stack([red, green, np.full_like(red, 90)], axis=-1).astype(np.uint8)


def test_a_picture_of_the_models_size_is_read_as_it_is_and_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = gradient(64, 64)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png", height=64, width=64), pixels)
    assert capsys.readouterr().err == ""


def test_a_larger_one_is_reduced_by_area(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    means = pixels.reshape(24, 4, 32, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(load_image(tmp_path / "a.png", height=24, width=32), means, atol=0.51)
    assert "a.png: 128x96 pixels; reduced to 32x24" in capsys.readouterr().err


@pytest.mark.parametrize(("size", "cropped"), [((64, 100), "64x64"), ((130, 64), "64x64")])
def test_another_aspect_is_cropped_around_the_centre(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: tuple[int, int], cropped: str
) -> None:
    pixels = gradient(*size)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    top, left = (size[0] - 64) // 2, (size[1] - 64) // 2
    np.testing.assert_array_equal(
        load_image(tmp_path / "a.png", height=64, width=64), pixels[top : top + 64, left : left + 64]
    )
    error = capsys.readouterr().err
    assert f"cropped around the centre to {cropped}" in error
    assert "reduced" not in error


def test_a_small_one_is_enlarged_smoothly_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(gradient(32, 32)).save(tmp_path / "a.png")
    read = load_image(tmp_path / "a.png", height=64, width=64)
    assert np.abs(np.diff(read[..., 0].astype(int), axis=1)).max() < 9  # no steps of repeated pixels
    assert "enlarged to 64x64" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mode", "word"),
    [("L", "grey to RGB"), ("P", "palette to RGB"), ("1", "black and white to RGB"), ("CMYK", "CMYK to RGB")],
)
def test_other_modes_are_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str, word: str) -> None:
    original = Image.fromarray(gradient(64, 64)).convert(mode)
    original.save(tmp_path / "a.tif")
    np.testing.assert_array_equal(
        load_image(tmp_path / "a.tif", height=64, width=64), np.asarray(original.convert("RGB"))
    )
    assert word in capsys.readouterr().err


def test_transparency_is_laid_on_white(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.dstack([gradient(64, 64), np.full((64, 64), 255, np.uint8)])
    pixels[:, :32, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    read = load_image(tmp_path / "a.png", height=64, width=64)
    assert (read[:, :32] == 255).all()
    np.testing.assert_array_equal(read[:, 32:], pixels[:, 32:, :3])
    assert "transparent parts laid on white" in capsys.readouterr().err


def test_16_bits_keep_their_tones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tones = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(64, 0)
    Image.fromarray(tones).save(tmp_path / "a.png")
    read = load_image(tmp_path / "a.png", height=64, width=64)
    np.testing.assert_allclose(read[..., 1], tones / 257, atol=0.51)
    assert "16-bit grey" in capsys.readouterr().err


def test_the_cameras_note_on_rotation_is_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upright = gradient(64, 64)
    exif = Image.Exif()
    exif[0x0112] = 6  # the stored picture has to be turned clockwise
    Image.fromarray(np.rot90(upright).copy()).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png", height=64, width=64), upright)
    assert "turned upright" in capsys.readouterr().err


def test_of_an_animation_the_first_picture_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert (load_image(tmp_path / "a.gif", height=64, width=64) == (255, 0, 0)).all()
    assert "the first of its 2 pictures" in capsys.readouterr().err


def test_a_tiny_one_is_refused(tmp_path: Path) -> None:
    Image.fromarray(gradient(15, 200)).save(tmp_path / "a.png")
    with pytest.raises(ParametersError, match=r"200x15 pixels, expected at least 16x16 for a model of 64x64"):
        load_image(tmp_path / "a.png", height=64, width=64)


def test_deep_grey_without_a_known_white_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64), 70000, np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(ParametersError, match="expected 0 to 65535"):
        load_image(tmp_path / "a.tif", height=64, width=64)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ParametersError, match=r"a\.png: not readable as a picture .*, expected a whole PNG"):
        load_image(tmp_path / "a.png", height=64, width=64)


def test_one_cut_short_is_named(tmp_path: Path) -> None:
    Image.fromarray(gradient(64, 64)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ParametersError, match=r"not readable as a picture \(.*[Tt]runcated"):
        load_image(tmp_path / "a.jpg", height=64, width=64)


def test_no_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match="not there, expected a picture"):
        load_image(tmp_path / "none.png", height=64, width=64)
    with pytest.raises(ParametersError, match="a folder, expected a picture"):
        load_image(tmp_path, height=64, width=64)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(gradient(64, 64)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ParametersError, match="give a smaller picture"):
        load_image(tmp_path / "a.png", height=64, width=64)
