"""Discs that are solid: with the pose and the tracked points of a ball where each disc is drawn."""

from dataclasses import replace

import numpy as np

from components.clip import Clip
from components.geometry import unproject
from tests.evaluation.scenes import BLUE, FRAMES, Disc, disc_clip

POINTS = 40
PAIR = (Disc(), Disc(centre=(44, 48), step=(-1, -1), colour=BLUE, radius=6))


def solid_clip(*discs: Disc, configuration: int = 0, take: int = 0) -> Clip:
    """`disc_clip` with poses and tracks; the disc's centre is the ball's."""
    clip = disc_clip(*discs, configuration=configuration, take=take)
    ball = np.random.default_rng(0).normal(size=(POINTS, 3))
    ball *= 0.4 / np.linalg.norm(ball, axis=1, keepdims=True)
    poses = np.zeros((FRAMES, len(discs), 7), np.float32)
    poses[..., 6] = 1
    for column, disc in enumerate(discs):
        for frame in range(FRAMES):
            pixel, z = np.array(disc.centre) + frame * np.array(disc.step), disc.depth + frame * disc.depth_step
            poses[frame, column, :3] = unproject(pixel, z, clip.intrinsics, clip.extrinsics[frame])
    tracks = np.concatenate([poses[:, None, column, :3] + ball for column in range(len(discs))], axis=1)
    return replace(
        clip,
        poses=poses,
        tracks=tracks.astype(np.float32),
        tracks_visible=np.ones(tracks.shape[:2], np.bool_),
        track_ids=np.repeat([thing.id for thing in clip.objects], POINTS).astype(np.uint16),
        meta=replace(clip.meta, parameters={"gravity": [0.0, 0.0, -9.81]}),
    )
