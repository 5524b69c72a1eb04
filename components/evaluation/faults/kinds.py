"""The faults: each makes of a clip one in which something is wrong, by a strength from 0 (nothing) to 1.

They are those that video models have: a film that stops, things that fall too slowly, vanish, tremble, sink into what
carries them, change places or swell, shadows that come late, depth that flickers. Every fault leaves frame 0 alone, and
the same seed plants the same fault. Legend: T frames, K objects.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.clip import Clip
from components.evaluation.consistency.arrays import Floats, MeasureError
from components.evaluation.consistency.observed import dynamic_ids
from components.evaluation.consistency.stability import free_flight
from components.evaluation.faults.moving import move_object

TREMBLE = 0.15  # metres, standard deviation of jitter of strength 1
SWELL = 0.5  # of its size, by which an object of strength 1 has grown at the end
FLICKER = 0.1  # of the depth, standard deviation over frames at strength 1
SHARE_LATE = 0.5  # of the clip, by which shadows of strength 1 lag


@dataclass(frozen=True, kw_only=True)
class Fault:
    """plant(clip, strength, rng) is the clip with the fault; objects: how many dynamic ones it needs."""

    name: str
    what: str
    plant: Callable[[Clip, float, np.random.Generator], Clip]
    objects: int = 1

    def fits(self, clip: Clip) -> bool:
        """Whether the clip has what the fault needs."""
        return len(dynamic_ids(clip)) >= self.objects


def freeze(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """The last `strength` of the clip stands still, as a still picture does: strength 1 is frame 0 for ever."""
    last = _kept(clip, strength) - 1
    held = np.minimum(np.arange(len(clip.rgb)), last)
    stills = {"flow": 0.0, "depth_change": 0.0, "visible": True}
    arrays: dict[str, Any] = {
        name: array[held] if len(array) == len(held) else array.copy() for name, array in _timed(clip).items()
    }
    for name, value in stills.items():
        arrays[name] = getattr(clip, name).copy()
        arrays[name][last:] = value
    arrays["velocities"][last + 1 :] = 0.0
    return replace(clip, **arrays)


def wrong_gravity(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """While they fall freely, objects fall `strength` too slowly: strength 1 takes gravity away."""
    gravity = np.asarray(clip.meta.parameters.get("gravity", (0.0, 0.0, -9.81)), np.float64)
    columns = {thing.id: number for number, thing in enumerate(clip.objects)}
    for one in dynamic_ids(clip).tolist():
        centres = clip.poses[:, [columns[one]], :3]
        free = (
            free_flight(centres, fps=clip.meta.fps, gravity=gravity)[:, 0]
            if len(centres) > 2
            else np.zeros(0, np.bool_)
        )
        clip = move_object(clip, one, _too_slow(free, -strength * gravity / clip.meta.fps**2, len(centres)))
    return clip


def vanish(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """The first object is gone in the last `strength` of the clip."""
    shown = np.arange(len(clip.rgb)) < _kept(clip, strength)
    return move_object(clip, int(dynamic_ids(clip)[0]), np.zeros((len(shown), 3)), shown=shown)


def jitter(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """Every object trembles, a new draw for every frame."""
    for one in dynamic_ids(clip).tolist():
        shake = strength * TREMBLE * rng.normal(size=(len(clip.rgb), 3))
        shake[0] = 0.0
        clip = move_object(clip, one, shake)
    return clip


def interpenetrate(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """Every object sinks until, where it is lowest, `strength` of its height is under the floor, and stays as deep."""
    for one in dynamic_ids(clip).tolist():
        heights = clip.tracks[:, clip.track_ids == one, 2].astype(np.float64)
        if not heights.size:
            raise MeasureError(
                f"clip {clip.meta.clip_id}: object {one} has no tracked points, expected some to know its height by"
            )
        lowest = int(heights.min(axis=1)[1:].argmin()) + 1 if len(heights) > 1 else 0
        depth = strength * (np.ptp(heights[0]) + max(float(heights[lowest].min()), 0.0))
        sunk = np.minimum(np.arange(len(heights)) / max(lowest, 1), 1.0)
        clip = move_object(clip, one, np.outer(sunk * depth, (0.0, 0.0, -1.0)))
    return clip


def swap_identities(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """In the last `strength` of the clip the first two objects change places: colour, id, tracks."""
    one, other = dynamic_ids(clip)[:2].tolist()
    start = _kept(clip, strength)
    segmentation, rgb = clip.segmentation.copy(), clip.rgb.copy()
    tracks, poses = clip.tracks.copy(), clip.poses.copy()
    here, there = (clip.segmentation[start:] == which for which in (one, other))
    segmentation[start:][here], segmentation[start:][there] = other, one
    colours = [clip.rgb[clip.segmentation == which].mean(axis=0) for which in (one, other)]
    for where, ratio in ((here, colours[1] / colours[0]), (there, colours[0] / colours[1])):
        rgb[start:][where] = np.clip(np.rint(clip.rgb[start:][where] * ratio), 0, 255).astype(np.uint8)
    own, others = (np.flatnonzero(clip.track_ids == which) for which in (one, other))
    count = min(len(own), len(others))
    tracks[start:, own[:count]], tracks[start:, others[:count]] = (
        clip.tracks[start:, others[:count]],
        clip.tracks[start:, own[:count]],
    )
    columns = [[thing.id for thing in clip.objects].index(which) for which in (one, other)]
    poses[start:, columns] = clip.poses[start:, columns[::-1]]
    visible = clip.visible.copy()
    if 0 < start < len(clip.rgb):
        visible[start - 1][np.isin(clip.segmentation[start - 1], (one, other))] = False
    return replace(clip, segmentation=segmentation, rgb=rgb, tracks=tracks, poses=poses, visible=visible)


def late_shadow(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """The world's pixels, and with them all shadows, are those of a while ago; objects are where they should be."""
    late = round(strength * SHARE_LATE * (len(clip.rgb) - 1))
    world, rgb = clip.segmentation <= 1, clip.rgb.copy()
    for frame in range(1, len(rgb)):
        missing = world[frame].copy()
        for past in range(max(frame - late, 0), frame):  # the latest it can be; where an object hid it then, sooner
            known = missing & world[past]
            rgb[frame][known] = clip.rgb[past][known]
            missing &= ~known
    return replace(clip, rgb=rgb)


def swell(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """Every object grows steadily, by half of its size at strength 1."""
    sizes = 1 + strength * SWELL * np.linspace(0, 1, len(clip.rgb))
    for one in dynamic_ids(clip).tolist():
        clip = move_object(clip, one, np.zeros((len(sizes), 3)), sizes=sizes)
    return clip


def flicker(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    """The depth of every frame is off by a factor of its own; the picture, and what moves in it, is right."""
    factors = np.exp(strength * FLICKER * rng.normal(size=len(clip.rgb)))
    factors[0] = 1.0
    return replace(clip, depth=(clip.depth * factors[:, None, None]).astype(np.float32))


FAULTS: tuple[Fault, ...] = (
    Fault(name="freeze", what="the last part of the clip stands still", plant=freeze),
    Fault(name="wrong_gravity", what="free objects fall too slowly", plant=wrong_gravity),
    Fault(name="vanish", what="an object is gone in the last part of the clip", plant=vanish),
    Fault(name="jitter", what="objects tremble", plant=jitter),
    Fault(name="interpenetrate", what="objects sink into the floor", plant=interpenetrate),
    Fault(name="swap_identities", what="two objects change places", plant=swap_identities, objects=2),
    Fault(name="late_shadow", what="shadows lag behind their objects", plant=late_shadow),
    Fault(name="swell", what="objects grow", plant=swell),
    Fault(name="flicker", what="depth is off by another factor in every frame", plant=flicker),
)


def _kept(clip: Clip, strength: float) -> int:
    """How many frames are left as they are: 1 at least."""
    return len(clip.rgb) - round(strength * (len(clip.rgb) - 1))


def _timed(clip: Clip) -> Mapping[str, NDArray[Any]]:
    """The arrays with a row for every frame."""
    return {name: array for name, array in clip.arrays().items() if name not in ("intrinsics", "track_ids")}


def _too_slow(free: NDArray[np.bool_], extra: Floats, frames: int) -> Floats:
    """The displacement (T,3) that adds `extra` (3,) to the second difference wherever it is free; contact stops it."""
    moved, pace = np.zeros((frames, 3)), np.zeros(3)
    if len(free) and free[0]:
        pace, moved[1] = extra / 2, extra / 2  # from rest the first step is half of what follows
    for step, falls in enumerate(free):
        pace = pace + extra if falls else np.zeros(3)
        moved[step + 2] = moved[step + 1] + pace
    return moved
