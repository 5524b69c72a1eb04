"""Clips whose every figure is known: coloured discs on a grey wall, moved by whole pixels, before a pinhole camera."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.clip import Clip, ClipObject
from components.geometry import pixel_grid
from tests.clips import make_clip

FRAMES, SIDE, FOCAL = 9, 64, 60.0
WALL = 6.0  # metres
RED, GREEN, BLUE = (220, 30, 40), (40, 200, 50), (40, 60, 220)


@dataclass(frozen=True, kw_only=True)
class Disc:
    """A disc: where its centre begins, pixels a frame, metres a frame, and from which frame on it is gone."""

    colour: tuple[int, int, int] = RED
    centre: tuple[float, float] = (20.0, 24.0)
    step: tuple[float, float] = (3.0, 1.0)
    radius: float = 7.0
    depth: float = 4.0
    depth_step: float = 0.0
    gone: int = FRAMES
    dynamic: bool = True

    def pixels(self, frame: int) -> NDArray[np.bool_]:
        """Where it is (H,W)."""
        if frame >= self.gone:
            return np.zeros((SIDE, SIDE), np.bool_)
        away = pixel_grid(SIDE, SIDE) - np.array(self.centre) - frame * np.array(self.step)
        return np.asarray(np.linalg.norm(away, axis=-1) <= self.radius)


def wall(seed: int = 0) -> NDArray[np.uint8]:
    """A grey pattern (H,W,3)."""
    grey = np.random.default_rng(seed).integers(90, 150, (SIDE // 4, SIDE // 4)).repeat(4, 0).repeat(4, 1)
    return np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)


def film(discs: Sequence[Disc]) -> NDArray[np.uint8]:
    """The video (T,H,W,3): later discs are in front."""
    frames = np.repeat(wall()[None], FRAMES, axis=0)
    shade = np.random.default_rng(1).uniform(0.55, 1.0, (SIDE, SIDE)).repeat(4, 0).repeat(4, 1)
    for frame, picture in enumerate(frames):
        for disc in discs:
            left, top = (round(SIDE - frame * speed) for speed in disc.step)  # the pattern moves with the disc
            pattern = shade[top : top + SIDE, left : left + SIDE, None]
            picture[disc.pixels(frame)] = (np.array(disc.colour) * pattern)[disc.pixels(frame)]
    return frames


def visibility(segmentation: NDArray[np.uint16], flow: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the point's end (T-1,H,W) lies in the picture and is not covered by something else."""
    column, row = np.moveaxis(np.rint(pixel_grid(SIDE, SIDE) + flow).astype(int), -1, 0)
    inside = (column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE)
    step = np.arange(len(flow))[:, None, None]
    after = segmentation[1:][step, row.clip(0, SIDE - 1), column.clip(0, SIDE - 1)]
    return np.asarray(inside & (after == segmentation[:-1]))


def disc_clip(*discs: Disc, configuration: int = 0, take: int = 0) -> Clip:
    """The annotated clip of `film(discs)`; discs face the camera."""
    grid = (FRAMES, SIDE, SIDE)
    depth, segmentation = np.full(grid, WALL, np.float32), np.ones(grid, np.uint16)
    flow, change = np.zeros((FRAMES - 1, SIDE, SIDE, 2), np.float32), np.zeros((FRAMES - 1, SIDE, SIDE), np.float32)
    for number, disc in enumerate(discs):
        for frame in range(FRAMES):
            here = disc.pixels(frame)
            depth[frame][here], segmentation[frame][here] = disc.depth + frame * disc.depth_step, number + 2
            if frame < FRAMES - 1:
                flow[frame][here], change[frame][here] = disc.step, disc.depth_step
    identity = f"test-rigid-{configuration:06d}-v0-t{take}"
    clip = make_clip(
        identity,
        rgb=film(discs),
        depth=depth,
        valid=np.ones(grid, np.bool_),
        flow=flow,
        depth_change=change,
        visible=visibility(segmentation, flow),
        segmentation=segmentation,
        intrinsics=np.array([[FOCAL, 0, SIDE / 2 - 0.5], [0, FOCAL, SIDE / 2 - 0.5], [0, 0, 1]], np.float32),
        extrinsics=np.tile(np.eye(4, dtype=np.float32), (FRAMES, 1, 1)),
        tracks=np.zeros((FRAMES, 4, 3), np.float32),
        tracks_visible=np.ones((FRAMES, 4), np.bool_),
        poses=np.zeros((FRAMES, len(discs), 7), np.float32),
        velocities=np.zeros((FRAMES, len(discs), 6), np.float32),
    )
    objects = tuple(
        ClipObject(
            id=number + 2,
            name=f"disc {number}",
            kind="rigid",
            category="rigid",
            dynamic=disc.dynamic,
            mass=1.0,
            material="rubber",
        )
        for number, disc in enumerate(discs)
    )
    digest = hashlib.sha256(str(configuration).encode()).hexdigest()
    return replace(clip, objects=objects, meta=replace(clip.meta, configuration=digest, take=take, split="test"))
