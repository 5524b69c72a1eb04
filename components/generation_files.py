"""What `phys4d generate` leaves: a folder with video, depth, motion and the points of each frame, whole or not at all.

    rgb.mp4          the video
    depth.npz        depth (T,H,W) float32 metres; valid (T,H,W) bool; intrinsics (3,3)
    motion.npz       flow (T-1,H,W,2) float32 px; depth_change (T-1,H,W) float32 m; visibility (T-1,H,W),
                     foreground (T,H,W) float32 in [0,1]
    points/0000.ply  coloured points of a frame in camera coordinates, metres: x right, y down, z forward
    preview.png      rgb, depth, flow and foreground over time
    generation.json  what it was made from

Legend: B samples, T frames, H, W height and width.
"""

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from components.canonical import canonical_json
from components.errors import ParametersError
from components.files import move_folder
from components.geometry import pixel_grid, unproject
from components.simulation.preview import depth_colours, flow_colours

if TYPE_CHECKING:
    from components.generate import Generated

DESCRIPTION = "generation.json"
NAMES = {"rgb.mp4", "depth.npz", "motion.npz", "points", "preview.png", DESCRIPTION}
POINTS_NAME = re.compile(r"\d{4,}\.ply")
QUALITY = "12"  # of H.264, 0 lossless to 51: no visible loss
COLUMNS = 6  # of the preview
TILE = 128  # pixels: the least height of a tile of the preview

Image = NDArray[np.uint8]


def write_generation(
    folder: Path,
    generated: "Generated",
    *,
    sample: int,
    intrinsics: NDArray[np.floating[Any]],
    far: float,
    fps: int,
    description: Mapping[str, object],
    overwrite: bool,
) -> None:
    """Write sample `sample` of `generated` into `folder`.

    intrinsics: (3,3) of the generated size. far: metres at which a depth means that nothing was hit; half of it and
    more is neither `valid` nor a point. description: what the sample was made from. overwrite: replace an earlier
    generation; a folder that holds anything else is never touched.
    """
    target = free_folder(folder, overwrite=overwrite)
    work = target.with_name(f".{target.name}.part")
    shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
    try:
        work.mkdir(parents=True)
        rgb = generated.rgb[sample]
        write_video(work / "rgb.mp4", rgb, fps=fps)
        (work / DESCRIPTION).write_text(canonical_json(description), encoding="utf-8")
        rows = [rgb]
        if generated.depth is None:
            sys.stderr.write(f"{folder}: the model has no heads, so there is neither depth nor motion\n")
        else:
            rows += _write_4d(work, generated, sample, intrinsics, far)
        _write_preview(work / "preview.png", rows)
        move_folder(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def free_folder(folder: Path, *, overwrite: bool) -> Path:
    """Where `write_generation` would write, absolute; ParametersError when that holds what must not be lost.

    For a caller who wants to know before a long computation.
    """
    target = folder.resolve()
    if target.exists() and not target.is_dir():
        raise ParametersError(f"--out {folder} is a file, expected a folder")
    nearest = next(parent for parent in (target, *target.parents) if parent.exists())
    if not nearest.is_dir():
        raise ParametersError(f"--out {folder}: {nearest} is a file, expected a folder")
    if target == Path.cwd() or target in Path.cwd().parents:
        raise ParametersError(f"--out {folder} holds the folder you are in: name a new one")
    found = {path.name for path in target.iterdir()} if target.exists() else set()
    others = _not_generated(target, found)
    if others:
        raise ParametersError(f"--out {folder} holds {others[0]}, which is of no generation: name another folder")
    if found and DESCRIPTION not in found:
        raise ParametersError(
            f"--out {folder} holds {min(found)} and no {DESCRIPTION}, so it may be yours: name another folder"
        )
    if found and not overwrite:
        raise ParametersError(f"--out {folder} holds an earlier generation: name another folder, or give --force")
    return target


def _not_generated(folder: Path, found: set[str]) -> list[str]:
    """What of the names `found` in a folder, and below its points, `write_generation` does not write, sorted."""
    others = found - NAMES
    points = folder / "points"
    if points.is_symlink() or points.is_file():
        others.add("points")
    elif points.is_dir():
        others |= {
            f"points/{path.name}"
            for path in points.iterdir()
            if not POINTS_NAME.fullmatch(path.name) or not path.is_file()
        }
    return sorted(others)


def _write_4d(
    work: Path, generated: "Generated", sample: int, intrinsics: NDArray[np.floating[Any]], far: float
) -> list[Image]:
    fields = ("depth", "foreground", "flow", "depth_change", "visibility")
    arrays = {name: np.asarray(getattr(generated, name)[sample], np.float32) for name in fields}
    depth, rgb = arrays.pop("depth"), generated.rgb[sample]
    with np.errstate(invalid="ignore"):
        valid = np.isfinite(depth) & (depth > 0) & (depth < far / 2)
    np.savez_compressed(work / "depth.npz", depth=depth, valid=valid, intrinsics=np.asarray(intrinsics, np.float64))
    np.savez_compressed(work / "motion.npz", allow_pickle=False, **arrays)
    (work / "points").mkdir()
    pixels = pixel_grid(*depth.shape[1:])
    for frame, seen in enumerate(valid):
        write_points(
            work / "points" / f"{frame:04d}.ply",
            unproject(pixels[seen], depth[frame][seen], intrinsics, np.eye(4)),
            rgb[frame][seen],
            comment=f"frame {frame} of {len(depth)}; metres, camera coordinates, x right, y down, z forward",
        )
    grey = np.clip(arrays["foreground"] * 255, 0, 255).astype(np.uint8)
    return [depth_colours(depth, valid), flow_colours(arrays["flow"]), np.repeat(grey[..., None], 3, axis=-1)]


def write_points(path: Path, points: NDArray[np.floating[Any]], colours: NDArray[np.uint8], *, comment: str) -> None:
    """Write points (N,3) and their colours (N,3) as a binary PLY file."""
    fields = [(name, "<f4") for name in "xyz"] + [(name, "u1") for name in ("red", "green", "blue")]
    vertices = np.empty(len(points), dtype=fields)
    for column, (name, _) in enumerate(fields):
        vertices[name] = points[:, column] if column < 3 else colours[:, column - 3]
    kinds = {"<f4": "float", "u1": "uchar"}
    header = ["ply", "format binary_little_endian 1.0", f"comment {comment}", f"element vertex {len(vertices)}"]
    header += [f"property {kinds[kind]} {name}" for name, kind in fields]
    path.write_bytes("\n".join([*header, "end_header", ""]).encode() + vertices.tobytes())


def write_video(path: Path, frames: NDArray[np.uint8], *, fps: int) -> None:
    """Write frames (T,H,W,3) as H.264 at high quality, or as MPEG-4 where there is no H.264 encoder.

    The encoders take even sizes only: the last column or row of an odd one is doubled.
    """
    odd = [size % 2 for size in frames.shape[1:3]]
    even = np.pad(frames, ((0, 0), (0, odd[0]), (0, odd[1]), (0, 0)), mode="edge")
    codec, options = _encoder()
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact", "movflags": "+faststart"}) as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.height, stream.width, stream.pix_fmt = even.shape[1], even.shape[2], "yuv420p"
        stream.codec_context.thread_count = 1  # more would change the bytes
        for image in even:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode(None))


def _encoder() -> tuple[str, dict[str, str]]:
    try:
        av.codec.Codec("libx264", "w")
    except av.codec.codec.UnknownCodecError:
        return "mpeg4", {"qscale": "2", "flags": "+qscale"}
    return "libx264", {"crf": QUALITY}


def _write_preview(path: Path, rows: list[Image]) -> None:
    """A row for each field (T or T-1,H,W,3), columns over time; motion is that of the step that follows."""
    frames = np.linspace(0, max(len(rows[0]) - 2, 0), COLUMNS).round().astype(int)
    scale = max(1, -(-TILE // rows[0].shape[1]))
    tiles = np.concatenate([np.concatenate(list(row[frames]), axis=1) for row in rows])
    enlarged = tiles.repeat(scale, axis=0).repeat(scale, axis=1)
    _, content = cv2.imencode(".png", cv2.cvtColor(enlarged, cv2.COLOR_RGB2BGR))
    path.write_bytes(content.tobytes())
