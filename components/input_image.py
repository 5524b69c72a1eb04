"""A picture from outside as a model's first frame: any size, any mode, and a word on what had to be done to it."""

import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from components.errors import ParametersError

MOST_ENLARGED = 4  # a picture that must grow by more than this holds too little
LOSSY_CROP = 0.01  # share of the picture: less is rounding and not worth a word
ORIENTATION = 0x0112  # of EXIF; 1 is upright


def load_image(path: Path, *, height: int, width: int) -> NDArray[np.uint8]:
    """The picture at `path` as RGB (height,width,3): upright, cropped to the aspect around its centre, resized by area.

    What was done beyond a plain read is said in one line on standard error. ParametersError when there is no picture,
    or one so small that it would be enlarged more than four times.
    """
    picture, notes = _upright_rgb(path)
    across, down = picture.shape[1], picture.shape[0]
    scale = max(width / across, height / down)
    if scale > MOST_ENLARGED:
        raise ParametersError(
            f"{path}: {across}x{down} pixels, expected at least {-(-width // MOST_ENLARGED)}x"
            f"{-(-height // MOST_ENLARGED)} for a model of {width}x{height}: give a larger picture"
        )
    cropped = _centre_crop(picture, aspect=width / height)
    lost = 1 - cropped.shape[0] * cropped.shape[1] / (across * down)
    if lost > LOSSY_CROP:
        notes.append(f"cropped around the centre to {cropped.shape[1]}x{cropped.shape[0]}, {lost:.0%} of it is lost")
    if (down, across) != (height, width):
        if cropped.shape[:2] != (height, width):
            notes.append(f"{'enlarged' if scale > 1 else 'reduced'} to {width}x{height}")
        # INTER_AREA repeats pixels when it enlarges
        method = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
        cropped = cv2.resize(cropped, (width, height), interpolation=method).astype(np.uint8)
    if notes:
        sys.stderr.write(f"{path}: {across}x{down} pixels; {'; '.join(notes)}\n")
    return np.ascontiguousarray(cropped)


def _upright_rgb(path: Path) -> tuple[NDArray[np.uint8], list[str]]:
    if not path.is_file():
        raise ParametersError(f"{path}: {'a folder' if path.is_dir() else 'not there'}, expected a picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                opened.load()
                pictures = getattr(opened, "n_frames", 1)
                notes = [f"the first of its {pictures} pictures"] if pictures > 1 else []
                if opened.getexif().get(ORIENTATION) in range(2, 9):
                    notes.append("turned upright as its camera noted")
                return _rgb(ImageOps.exif_transpose(opened), path, notes), notes
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ParametersError(f"{path}: {error}: give a smaller picture") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise ParametersError(
            f"{path}: not readable as a picture ({error}), expected a whole PNG, JPEG, WebP, TIFF or GIF"
        ) from error


def _rgb(picture: Image.Image, path: Path, notes: list[str]) -> NDArray[np.uint8]:
    """8 bits and three channels of any mode; `notes` are added to."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture).astype(np.float64)
        most = _white(values, picture.mode, path)
        notes.append(f"{'16-bit' if most > 1 else 'float'} grey scaled to 8 bits")
        grey = np.round(values / most * 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        if np.asarray(layer)[..., 3].min() < 255:
            notes.append("transparent parts laid on white")
        white = Image.new("RGBA", layer.size, "white")
        return np.asarray(Image.alpha_composite(white, layer).convert("RGB"))
    if picture.mode != "RGB":
        notes.append({"L": "grey", "1": "black and white", "P": "palette"}.get(picture.mode, picture.mode) + " to RGB")
    return np.asarray(picture.convert("RGB"))


def _white(values: NDArray[np.float64], mode: str, path: Path) -> float:
    """The value that is white in a deep grey picture."""
    least, most = float(values.min()), float(values.max())
    white = 1.0 if mode.startswith("F") else 65535.0
    if not (least >= 0 and most <= white):  # also when one is NaN
        raise ParametersError(
            f"{path}: grey values from {least:g} to {most:g}, expected 0 to {white:g}: save it as an 8-bit picture"
        )
    return white


def _centre_crop(picture: NDArray[np.uint8], *, aspect: float) -> NDArray[np.uint8]:
    """The largest part around the centre whose width over height is `aspect`, to a pixel."""
    height, width = picture.shape[:2]
    kept_width = min(width, max(1, round(height * aspect)))
    kept_height = min(height, max(1, round(width / aspect)))
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return picture[top : top + kept_height, left : left + kept_width]
