"""Small synthetic clips for tests of storage and gates: right by the contract, cheap to make."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from components.clip import Clip, ClipMeta, ClipObject


def make_clip(clip_id: str = "train-rigid-000000-v0-t0", *, seed: int = 0, **fields: NDArray[Any]) -> Clip:
    """A valid clip of noise, 5 frames of 6x8; `fields` replace arrays."""
    rng = np.random.default_rng(seed)
    frames, height, width, points = 5, 6, 8, 4
    grid = (frames, height, width)
    meta = ClipMeta(
        clip_id=clip_id,
        split="train",
        category="rigid",
        family="drop",
        configuration=f"{seed:064x}",
        view=0,
        take=0,
        seed=seed,
        attempts=1,
        rejections="",
        fps=16,
        caption="A red rubber ball hangs above a grey floor.",
        caption_initial="A red rubber ball hangs at rest above a grey floor.",
        parameters={"radius": 0.4},
        solver="none",
        versions={"numpy": "2"},
        future_determined=True,
        approximate=False,
    )
    clip = Clip(
        rgb=rng.integers(0, 256, (*grid, 3), dtype=np.uint8),
        depth=rng.uniform(1, 9, grid).astype(np.float32),
        valid=np.ones(grid, dtype=np.bool_),
        flow=rng.normal(size=(frames - 1, height, width, 2)).astype(np.float32),
        depth_change=rng.normal(size=(frames - 1, height, width)).astype(np.float32),
        visible=rng.random((frames - 1, height, width)) < 0.9,
        segmentation=rng.integers(0, 3, grid).astype(np.uint16),
        intrinsics=np.eye(3, dtype=np.float32),
        extrinsics=np.tile(np.eye(4, dtype=np.float32), (frames, 1, 1)),
        tracks=rng.normal(size=(frames, points, 3)).astype(np.float32),
        tracks_visible=np.ones((frames, points), dtype=np.bool_),
        track_ids=np.full(points, 2, dtype=np.uint16),
        poses=rng.normal(size=(frames, 1, 7)).astype(np.float32),
        velocities=rng.normal(size=(frames, 1, 6)).astype(np.float32),
        objects=(
            ClipObject(id=2, name="ball", kind="rigid", category="rigid", dynamic=True, mass=1.0, material="rubber"),
        ),
        meta=meta,
    )
    return replace(clip, **cast("dict[str, Any]", fields))
