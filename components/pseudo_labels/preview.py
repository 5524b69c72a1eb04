"""A picture of labelled videos, one block a clip: rows rgb, depth, flow and confidence; columns frames in time."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from components.files import write_atomically
from components.pseudo_labels.storage import LabelledVideo
from components.simulation.preview import flow_colours

Image = NDArray[np.uint8]  # H,W,3 RGB

COLUMNS = 6
TILE = 128  # pixels: the least height of one tile
MARGIN = 10
LINE = 20  # pixels
BLACK, RED = (0, 0, 0), (190, 20, 20)


def write_label_preview(clips: Sequence[LabelledVideo], *, warning: str, out: Path) -> None:
    """Draw clips into `out`, a .png or .jpg, two beside each other; a warning stands above them in red."""
    blocks = [_block(clip) for clip in clips]
    height = max(block.shape[0] for block in blocks)
    blocks = [np.pad(block, ((0, height - block.shape[0]), (0, 0), (0, 0)), constant_values=255) for block in blocks]
    if len(blocks) % 2:
        blocks.append(np.full_like(blocks[-1], 255))
    rows = [np.concatenate(blocks[start : start + 2], axis=1) for start in range(0, len(blocks), 2)]
    if warning:
        rows.insert(0, _text(f"Warning: {warning}", rows[0].shape[1], RED))
    _, content = cv2.imencode(out.suffix, cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))
    write_atomically(out, content.tobytes())


def depth_colours(clip: LabelledVideo) -> Image:
    """Depth (T,H,W) of any kind as colours (T,H,W,3): near is bright, one scale for the whole clip."""
    near = clip.depth.astype(np.float64) * (1 if clip.depth_kind == "affine_disparity" else -1)
    if clip.depth_kind == "metric":
        near = 1 / np.maximum(clip.depth, 1e-3)
    low, high = np.nanquantile(near, (0.01, 0.99))
    grey = np.clip((near - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    colours = cv2.applyColorMap(grey.reshape(-1, 1), cv2.COLORMAP_INFERNO)[..., ::-1]
    return np.asarray(colours.reshape(*grey.shape, 3), np.uint8)


def _block(clip: LabelledVideo) -> Image:
    """One clip: its caption, then its rows; motion is that of the step that follows."""
    frames = np.linspace(0, len(clip.rgb) - 2, COLUMNS).round().astype(int)
    confidence = np.repeat((clip.confidence * 255).astype(np.uint8)[..., None], 3, axis=-1)
    rows = [field[frames] for field in (clip.rgb, depth_colours(clip), flow_colours(clip.flow), confidence)]
    scale = max(1, -(-TILE // clip.rgb.shape[1]))
    tiles = [np.concatenate([image.repeat(scale, 0).repeat(scale, 1) for image in row], axis=1) for row in rows]
    names = "rows: rgb, depth (near is bright), flow (hue is direction), confidence of flow"
    width = tiles[0].shape[1]
    texts = [_text(line, width, BLACK) for line in (f"{clip.clip_id}: {clip.caption}", names)]
    picture = np.concatenate([*texts, *tiles])
    return np.pad(picture, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), constant_values=255)


def _text(text: str, width: int, colour: tuple[int, int, int]) -> Image:
    lines = textwrap.wrap(text.encode("ascii", "replace").decode(), width // 8)
    canvas: Image = np.full((LINE * len(lines) + 8, width, 3), 255, np.uint8)
    for number, line in enumerate(lines, 1):
        place = (4, LINE * number)
        cv2.putText(canvas, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    return canvas
