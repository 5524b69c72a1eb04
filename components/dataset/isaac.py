"""Clips in the layout of a loader for Isaac Sim's annotators: a folder a clip, a file a frame and field.

Legend: T frames, H, W.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from components.canonical import canonical_json
from components.clip import Clip
from components.dataset.backward import motion_into
from components.dataset.splits import Damages, Split, Tick, located
from components.errors import ClipError, Phys4dError
from components.geometry import FloatArray, pixel_grid
from components.index import IndexRow
from components.shards import read_clip

CHANNELS = 4  # of motion: x, y and two that are always 0
README = """\
# Simulated clips in the layout of Isaac Sim's annotators

Made by `phys4d dataset export --format isaac`. One folder a clip{below}:

| file | content |
|---|---|
| `rgb/step_XXXX.png` | frame, 8-bit sRGB |
| `motion_vectors/step_XXXX.npy` | float32 (H, W, 4): motion x, motion y, 0, 0 |
| `motion_known/step_XXXX.png` | 255 where the motion is known, 0 elsewhere |
| `distance_to_camera/step_XXXX.npy` | float32 (H, W): metres from the camera's centre to the surface, along the ray |
| `caption.txt`, `caption_initial.txt` | what is there at first; the latter also what moves, where to, how fast |
| `metadata.json` | camera, objects, parameters: everything else that the clip says of itself |

Motion of step k is that from frame k-1 to frame k, on the pixel grid of frame k: the surface that frame k shows at
pixel q was at q - motion in frame k-1. x is positive to the right, y downwards; the unit is the pixel. Step 0 has
nothing before it: 0 everywhere, known nowhere. It is exact on rigid surfaces, also where frame k-1 did not show them;
on what deforms, and on particles, it is interpolated from the motion of visible points, and unknown (0) elsewhere.

**Sign and unit are unverified against Isaac.** This project had no Isaac Sim to compare with. Isaac's annotator of the
same name has been described with the opposite sign; compare one clip of your own before you mix both kinds of data.

Where nothing was hit (sky) the distance is that of the far plane, {far:g} m of z-depth, not infinity.
The camera is a pinhole in OpenCV's axes (x right, y down, z forward), pixel centres at integer coordinates:
`intrinsics` (3,3) and `extrinsics` (T,4,4), world to camera, are in `metadata.json`.
"""


def export_isaac(splits: tuple[Split, ...], out: Path, damages: Damages, progress: Tick) -> list[IndexRow]:
    """Write every clip of the splits below `out`, in a folder a split where there are several; the rows written."""
    total, far = sum(len(split.rows) for split in splits), 0.0
    written: list[IndexRow] = []
    for done, (split, row) in enumerate(located(splits), start=1):
        try:
            clip = read_clip(split.folder, row.extent)
        except ClipError as error:
            damages.meet(error)
        else:
            write_clip((out / split.name if len(splits) > 1 else out) / row.clip_id, clip)
            written.append(row)
            far = max(far, float(clip.depth[~clip.valid].max(initial=0.0)))
        progress(done, total)
    if not written:
        raise Phys4dError(f"all {total} clips are damaged: nothing was exported; restore the shards")
    below = ", below a folder a split" if len(splits) > 1 else ""
    (out / "README.md").write_text(README.format(below=below, far=far), encoding="utf-8")
    return written


def write_clip(folder: Path, clip: Clip) -> None:
    """Write one clip into the new `folder`."""
    names = ("rgb", "motion_vectors", "motion_known", "distance_to_camera")
    for name in names:
        (folder / name).mkdir(parents=True)
    for frame, rgb in enumerate(clip.rgb):
        step = f"step_{frame:04d}"
        motion, known = motion_vectors(clip, frame)
        _write_png(folder / "rgb" / f"{step}.png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        np.save(folder / "motion_vectors" / f"{step}.npy", motion, allow_pickle=False)
        _write_png(folder / "motion_known" / f"{step}.png", np.where(known, 255, 0).astype(np.uint8))
        distance = radial_depth(clip.depth[frame], clip.intrinsics).astype(np.float32)
        np.save(folder / "distance_to_camera" / f"{step}.npy", distance, allow_pickle=False)
    (folder / "caption.txt").write_text(clip.meta.caption + "\n", encoding="utf-8")
    (folder / "caption_initial.txt").write_text(clip.meta.caption_initial + "\n", encoding="utf-8")
    camera = {"intrinsics": clip.intrinsics.tolist(), "extrinsics": clip.extrinsics.tolist()}
    description = f'{{"camera":{canonical_json(camera)},"clip":{clip.description()}}}\n'
    (folder / "metadata.json").write_text(description, encoding="utf-8")


def motion_vectors(clip: Clip, frame: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Motion (H,W,4) from the frame before to `frame` on the grid of `frame`, and where (H,W) it is known."""
    vectors = np.zeros((*clip.depth.shape[1:], CHANNELS), np.float32)
    if frame == 0:
        return vectors, np.zeros(vectors.shape[:2], np.bool_)
    vectors[..., :2], known = motion_into(clip, frame)
    return vectors, known


def radial_depth(depth: ArrayLike, intrinsics: ArrayLike) -> FloatArray:
    """Distance (...,H,W) from the camera's centre of what lies at z-depth `depth` (...,H,W), in its unit."""
    depth = np.asarray(depth, np.float64)
    return np.asarray(depth * ray_lengths(depth.shape[-2], depth.shape[-1], intrinsics), np.float64)


def ray_lengths(height: int, width: int, intrinsics: ArrayLike) -> FloatArray:
    """Length (H,W) of the ray through each pixel's centre, from the camera's centre to z = 1."""
    grid = pixel_grid(height, width)
    rays = np.concatenate([grid, np.ones((height, width, 1))], axis=-1) @ np.linalg.inv(np.asarray(intrinsics)).T
    return np.asarray(np.linalg.norm(rays, axis=-1), np.float64)


def _write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    _, content = cv2.imencode(".png", picture)
    path.write_bytes(content.tobytes())
