"""A picture of simulated clips, one block a clip: rows rgb, depth, flow, ids and visibility; columns frames in time."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.clip import Clip
from components.errors import ParametersError
from components.files import write_atomically
from components.index import IndexRow, read_index
from components.shards import read_clip

Image = NDArray[np.uint8]  # H,W,3 RGB

COLUMNS = 5
TILE = 128  # pixels: the least height of one tile
MARGIN = 10
PICTURES = (".png", ".jpg", ".jpeg")
TEXT_LINE = 18


def write_preview(folder: Path, *, clips: int, out: Path) -> None:
    """Draw `clips` clips of the split in `folder` into `out`: categories in turn, and their families in turn."""
    _check_picture(out)
    chosen = spread(read_index(folder), clips)
    blocks = [clip_block(read_clip(folder, row.extent)) for row in chosen]
    while len(blocks) % 2:
        blocks.append(np.full_like(blocks[-1], 255))
    rows = [np.concatenate(blocks[start : start + 2], axis=1) for start in range(0, len(blocks), 2)]
    _, content = cv2.imencode(out.suffix, cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))
    write_atomically(out, content.tobytes())


def _check_picture(out: Path) -> None:
    if out.is_dir():
        raise ParametersError(f"--out {out} is a folder, expected a picture: write {out / 'preview.png'}")
    if out.suffix.lower() not in PICTURES:
        raise ParametersError(f"--out {out} ends with {out.suffix!r}, expected one of {', '.join(PICTURES)}")
    nearest = next(folder for folder in out.absolute().parents if folder.exists())
    if not nearest.is_dir():
        raise ParametersError(f"--out {out}: {nearest} is a file, expected a folder")


def spread(rows: Sequence[IndexRow], count: int) -> list[IndexRow]:
    """The first `count` rows, from categories in turn, and there from families in turn; first take and view only."""
    categories: dict[str, dict[str, list[IndexRow]]] = {}
    for row in rows:
        if row.take == 0 and row.view == 0:
            categories.setdefault(row.category, {}).setdefault(row.family, []).append(row)
    return _in_turn([_in_turn(list(families.values())) for families in categories.values()])[:count]


def _in_turn(groups: Sequence[Sequence[IndexRow]]) -> list[IndexRow]:
    """The first of every group, then the second, and so on."""
    longest = max((len(group) for group in groups), default=0)
    return [group[turn] for turn in range(longest) for group in groups if turn < len(group)]


def clip_block(clip: Clip) -> Image:
    """One clip: its caption, then rows of fields over columns of frames; motion is that of the step that follows."""
    frames = np.linspace(0, len(clip.rgb) - 2, COLUMNS).round().astype(int)
    rows = [
        clip.rgb[frames],
        depth_colours(clip.depth, clip.valid)[frames],
        flow_colours(clip.flow)[frames],
        id_colours(clip.segmentation)[frames],
        visibility_colours(clip.visible)[frames],
    ]
    scale = max(1, -(-TILE // clip.rgb.shape[1]))
    tiles = [np.concatenate([_enlarge(image, scale) for image in row], axis=1) for row in rows]
    picture = np.concatenate(tiles)
    title = f"{clip.meta.clip_id} {clip.meta.family}: {clip.meta.caption_initial}"
    return np.pad(
        np.concatenate([_text(title, picture.shape[1]), picture]),
        ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)),
        constant_values=255,
    )


def depth_colours(depth: NDArray[np.float32], valid: NDArray[np.bool_]) -> Image:
    """(T,H,W) metres to (T,H,W,3): near is bright, one scale for the whole clip, black where nothing was hit."""
    disparity = np.where(valid, 1 / np.maximum(depth, 1e-3), 0)
    low, high = (disparity[valid].min(), disparity[valid].max()) if valid.any() else (0.0, 1.0)
    grey = np.clip((disparity - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    colours = cv2.applyColorMap(grey.reshape(-1, 1), cv2.COLORMAP_INFERNO)[..., ::-1].reshape(*depth.shape, 3)
    return np.where(valid[..., None], colours, 0).astype(np.uint8)


def flow_colours(flow: NDArray[np.float32], *, fastest: float | None = None) -> Image:
    """(T,H,W,2) pixels to (T,H,W,3): hue is direction, saturation speed, white rest.

    fastest: pixels a frame from which on colours are full; without it nearly the fastest of the clip.
    """
    speed = np.linalg.norm(flow, axis=-1)
    hue = (np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1 * 179).astype(np.uint8)
    fastest = fastest or max(float(np.quantile(speed, 0.995)), 0.5)
    saturation = np.clip(speed / fastest * 255, 0, 255).astype(np.uint8)
    hsv = np.stack([hue, saturation, np.full_like(hue, 255)], axis=-1)
    colours = cv2.cvtColor(hsv.reshape(-1, 1, 3), cv2.COLOR_HSV2RGB).reshape(*flow.shape[:-1], 3)
    return colours.astype(np.uint8)


def id_colours(segmentation: NDArray[np.uint16]) -> Image:
    """(T,H,W) ids to colours: sky black, static world grey, objects distinct."""
    palette = np.array([[0, 0, 0], [120, 120, 120], [230, 80, 60], [60, 130, 230], [240, 190, 40], [90, 190, 90]])
    indices = np.where(segmentation < 2, segmentation, 2 + (segmentation.astype(int) - 2) % (len(palette) - 2))
    return palette[indices].astype(np.uint8)


def visibility_colours(visible: NDArray[np.bool_]) -> Image:
    """(T-1,H,W): white where the point is seen in the next frame too."""
    return np.repeat(np.where(visible, 255, 0).astype(np.uint8)[..., None], 3, axis=-1)


def _enlarge(image: Image, scale: int) -> Image:
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def _text(text: str, width: int) -> Image:
    lines = textwrap.wrap(text, width // 7)[:3]
    canvas: Image = np.full((TEXT_LINE * 3 + 6, width, 3), 255, np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(
            canvas, line, (2, TEXT_LINE * (number + 1)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA
        )
    return canvas
