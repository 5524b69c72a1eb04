"""Splits and clips made up for the tests: small, and right by a formula."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from components.clip import Clip, ClipObject
from components.index import index_row, write_index
from components.shards import new_shard, shard_name
from tests.clips import make_clip

FAMILIES = ("drop", "ramp")
FOCAL, FLOOR, SPEED = 40.0, 8.0, 0.25  # pixels, metres, metres a frame


def write_split(folder: Path, clips: Sequence[Clip], *, each: int = 4) -> Path:
    """The clips as a split with `each` of them a shard."""
    rows = []
    for number, start in enumerate(range(0, len(clips), each)):
        with new_shard(folder / shard_name(number)) as shard:
            rows += [index_row(clip, shard.add(clip)) for clip in clips[start : start + each]]
    write_index(folder, rows)
    return folder


def damage(folder: Path, shard: int = 0) -> None:
    """Flip a byte in the first clip of a shard."""
    path = folder / shard_name(shard)
    content = bytearray(path.read_bytes())
    content[700] ^= 255
    path.write_bytes(content)


def clip_of(number: int, *, view: int = 0, take: int = 0, **meta: object) -> Clip:
    """Noise with the place `number` in a split; `meta` replaces fields of its meta."""
    clip = make_clip(f"train-rigid-{number:06d}-v{view}-t{take}", seed=number)
    return replace(clip, meta=replace(clip.meta, view=view, take=take, **cast("dict[str, Any]", meta)))


def drawn(number: int, *, take: int = 0, category: str = "rigid") -> Clip:
    """A clip of a family, with parameters as the generator leaves them."""
    rng = np.random.default_rng(number)
    family = FAMILIES[number % 2]
    parameters = {
        "category": category,
        "family": family,
        "gravity": [0.0, 0.0, -9.81],
        "configuration": {"angle": float(rng.uniform(5, 40)), "things": [{"density": float(rng.uniform(100, 900))}]},
        "surroundings": {
            "ambient": float(rng.uniform(0.3, 0.5)),
            "floor_pattern": str(rng.choice(["noise", "checker"])),
        },
        "initial_state": {"positions": []},
    }
    rejections = "ramp: overlap; drop: not seen" if number == 3 else ""
    attempts = 1 + len(rejections.split("; ")) if rejections else 1
    clip = clip_of(number, take=take, family=family, parameters=parameters, rejections=rejections, attempts=attempts)
    name = clip.meta.clip_id.replace("rigid", category)
    return replace(clip, meta=replace(clip.meta, category=category, clip_id=name))


def moving_square(
    *, kind: Literal["rigid", "deformable", "particles"] = "rigid", frames: int = 4, height: int = 24, width: int = 32
) -> Clip:
    """A square at half the floor's distance comes nearer and moves right, before a wall; a camera that stands still.

    The motion of every pixel is known by a formula: a point at (x, y, z) is seen at FOCAL (x, y) / z.
    """
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    intrinsics = np.array([[FOCAL, 0, centre[0]], [0, FOCAL, centre[1]], [0, 0, 1]])
    x, z = SPEED * np.arange(frames), FLOOR / 2 - SPEED * np.arange(frames)
    rays = (grid - centre) / FOCAL
    inside = np.stack([(np.abs(rays * z[t] - [x[t], 0]) < 0.7).all(axis=-1) for t in range(frames)])
    depth = np.where(inside, z[:, None, None], FLOOR)
    points = rays[None] * depth[..., None]
    following = (points[:-1] + np.array([SPEED, 0.0])) / (depth[:-1] - SPEED)[..., None] * FOCAL + centre
    flow = np.where(inside[:-1, ..., None], following - grid, 0.0)
    poses = np.zeros((frames, 1, 7))
    poses[:, 0, 0], poses[:, 0, 2], poses[:, 0, 6] = x, z, 1.0
    thing = ClipObject(id=2, name="square", kind=kind, category="rigid", dynamic=True, mass=1.0, material="rubber")
    return replace(
        make_clip(),
        rgb=np.repeat(np.where(inside, 200, 60).astype(np.uint8)[..., None], 3, axis=-1),
        depth=depth.astype(np.float32),
        valid=np.ones(depth.shape, np.bool_),
        flow=flow.astype(np.float32),
        depth_change=np.where(inside[:-1], -SPEED, 0).astype(np.float32),
        visible=_seen_again(inside, grid + flow),
        segmentation=np.where(inside, 2, 1).astype(np.uint16),
        intrinsics=intrinsics.astype(np.float32),
        extrinsics=np.tile(np.eye(4, dtype=np.float32), (frames, 1, 1)),
        tracks=np.zeros((frames, 4, 3), np.float32),
        tracks_visible=np.ones((frames, 4), np.bool_),
        poses=poses.astype(np.float32),
        velocities=np.zeros((frames, 1, 6), np.float32),
        objects=(thing,),
    )


def _seen_again(inside: NDArray[np.bool_], landing: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Points that land in the picture, those of the wall not behind the square."""
    height, width = inside.shape[1:]
    u, v = landing[..., 0].round().astype(int), landing[..., 1].round().astype(int)
    within = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    frames = np.arange(1, len(inside))[:, None, None]
    hidden = inside[frames, v.clip(0, height - 1), u.clip(0, width - 1)] & ~inside[:-1]
    return np.asarray(within & ~hidden, np.bool_)
