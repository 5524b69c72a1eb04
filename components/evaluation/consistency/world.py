"""One video against the simulator's clip: every metric of `catalogue` that its readings allow.

What a metric needs and is not known, and what has nothing to measure, is not in the result: no figure is ever NaN.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from components.evaluation.consistency import depth as depths
from components.evaluation.consistency import flow as flows
from components.evaluation.consistency import long_horizon, pictures, points, shape, stability
from components.evaluation.consistency.alignment import moving_alignment_error, temporal_alignment_error
from components.evaluation.consistency.arrays import Floats, Measured, Sizes
from components.evaluation.consistency.observed import Observed, centres_of, points_by_object, surface_points
from components.evaluation.consistency.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.clip import Clip


def world_metrics(video: Observed, truth: Truth) -> dict[str, float]:
    """The metrics of `catalogue` by name, but the Frechet distance, which is one of sets of videos.

    MeasureError where a reading has another size than truth.
    """
    checked = _checked(video, truth.clip)
    found: dict[str, Measured] = {}
    for measure in (_depth, _shape, _points, _flow, _warp, _pictures):
        found |= measure(checked, truth)
    bodies = _bodies(checked, truth)
    if bodies:
        found |= _objects(bodies, truth) | _divergence(checked, truth, bodies)
    found |= _permanence(checked, truth)
    return {name: float(value) for name, value in found.items() if value is not None}


def _checked(video: Observed, clip: "Clip") -> Observed:
    """The readings as numpy, of the sizes of `clip`."""
    sizes = Sizes()
    sizes.mask("valid", clip.valid, "T", "H", "W")
    shapes: Mapping[str, tuple[int | str, ...]] = {
        "rgb": ("T", "H", "W", 3),
        "depth": ("T", "H", "W"),
        "flow": ("T-1", "H", "W", 2),
        "depth_change": ("T-1", "H", "W"),
        "tracks": ("T", clip.tracks.shape[1], 3),
    }
    known = {
        name: sizes.floats(name, getattr(video, name), *shape) for name, shape in shapes.items() if _has(video, name)
    }
    if video.segmentation is not None:
        return replace(video, **known, segmentation=sizes.integers("segmentation", video.segmentation, "T", "H", "W"))
    return replace(video, **known)


def _has(video: Observed, name: str) -> bool:
    return getattr(video, name) is not None


def _depth(video: Observed, truth: Truth) -> dict[str, Measured]:
    clip = truth.clip
    if video.depth is None:
        return {}
    fitted = depths.aligned(depths.disparity_of(video.depth), clip.depth, clip.valid)
    return {
        "depth_absrel": depths.abs_rel(video.depth, clip.depth, clip.valid),
        "depth_delta1": depths.delta1(video.depth, clip.depth, clip.valid),
        "depth_absrel_aligned": depths.abs_rel(fitted, clip.depth, clip.valid),
        "depth_delta1_aligned": depths.delta1(fitted, clip.depth, clip.valid),
        "moving_depth_absrel": depths.abs_rel(video.depth, clip.depth, clip.valid & truth.moving),
        "tae": temporal_alignment_error(video.depth, clip.valid, clip.intrinsics, clip.extrinsics),
        "moving_tae": moving_alignment_error(video.depth, clip.flow, clip.depth_change, truth.seen_moving),
    }


def _shape(video: Observed, truth: Truth) -> dict[str, Measured]:
    clip, found = truth.clip, dict[str, Measured]()
    if video.tracks is not None:
        each = [shape.volume_variation(video.tracks[:, clip.track_ids == one]) for one in truth.ids]
        defined = [value for value in each if value is not None]
        found["volume_variation"] = float(np.mean(defined)) if defined else None
    if video.depth is not None and video.segmentation is not None and len(truth.ids):
        areas = shape.depth_corrected_areas(video.depth, video.segmentation, truth.ids, clip.intrinsics)
        found["area_variation"] = shape.area_variation(areas, truth.areas)
    return found


def _points(video: Observed, truth: Truth) -> dict[str, Measured]:
    clip, size, found = truth.clip, truth.diameter, dict[str, Measured]()
    if video.depth is not None and video.segmentation is not None:
        cloud = surface_points(video.depth, np.isin(video.segmentation, truth.ids), clip)
        each = points.chamfer_per_frame(cloud, truth.points)
        joint = points.chamfer_joint(cloud, truth.points, fps=clip.meta.fps)
        for name, chamfer in (("chamfer", each), ("chamfer_joint", joint)):
            if chamfer is not None:
                found |= {f"{name}_l1": chamfer.l1, f"{name}_l2": chamfer.l2}
                found[f"{name}_l1_ratio"] = points.of_diameter(chamfer.l1, size)
    errors = None if video.tracks is None else points.track_errors(video.tracks, clip.tracks)
    for name, error in zip(("track_ade", "track_fde"), errors or (), strict=False):
        found |= {name: error, f"{name}_ratio": points.of_diameter(error, size)}
    return found


def _flow(video: Observed, truth: Truth) -> dict[str, Measured]:
    clip, found = truth.clip, dict[str, Measured]()
    if video.flow is None:
        return {}
    kinds = flows.flow_errors_by_kind(video.flow, clip.flow, visible=clip.visible, dynamic=truth.moving[:-1])
    for kind, errors in kinds.items():
        if errors is not None:
            found |= {f"{kind}_flow_epe": errors.epe, f"{kind}_flow_1px": errors.one_pixel}
            found[f"{kind}_flow_fl"] = errors.fl
    if video.depth is not None and video.depth_change is not None:
        camera, seen = (clip.intrinsics, clip.extrinsics), clip.visible & truth.moving[:-1]
        wanted = flows.scene_flow(clip.depth, clip.flow, clip.depth_change, *camera, where=seen)
        moved = flows.scene_flow(video.depth, video.flow, video.depth_change, *camera, where=seen)
        errors3d = flows.scene_flow_errors(moved, wanted, seen)
        if errors3d is not None:
            found["scene_flow_epe3d"] = errors3d.epe3d
            found |= {"scene_flow_acc3ds": errors3d.strict, "scene_flow_acc3dr": errors3d.relaxed}
    return found


def _warp(video: Observed, truth: Truth) -> dict[str, Measured]:
    clip, found = truth.clip, dict[str, Measured]()
    if video.depth is None:
        return {}
    found["depth_warp_l1"] = stability.depth_warp_l1(video.depth, clip.flow, clip.depth_change, truth.seen_surface)
    if video.flow is not None and video.depth_change is not None:
        seen = clip.visible & clip.valid[:-1]
        found["depth_warp_l1_own"] = stability.depth_warp_l1(
            video.depth, video.flow, video.depth_change, seen, segmentation=video.segmentation
        )
    return found


def _objects(bodies: dict[int, list[Floats]], truth: Truth) -> dict[str, Measured]:
    """What the bodies do: fall, keep their energy, go through one another."""
    clip, fps, gravity = truth.clip, truth.clip.meta.fps, truth.gravity
    solid = [thing.id for thing in clip.objects if thing.kind == "rigid" and thing.id in bodies]
    found = {"penetration_rate": long_horizon.penetration_rate(bodies, solid=solid)}
    if gravity is not None:
        centres = centres_of(bodies)
        masses = np.array([thing.mass for thing in clip.objects if thing.dynamic])
        energy = long_horizon.mechanical_energy(centres, masses, fps=fps, gravity=gravity)
        scale = float(masses.sum() * np.linalg.norm(gravity) * truth.diameter)
        found["inertial_residual"] = stability.inertial_residual(centres, truth.free, fps=fps, gravity=gravity)
        found["jerk"] = stability.jerk(centres, truth.free, fps=fps)
        found["energy_drift"] = long_horizon.energy_drift(energy, scale)
        found["energy_gain"] = long_horizon.energy_gain(energy, scale)
    return found


def _permanence(video: Observed, truth: Truth) -> dict[str, Measured]:
    if video.segmentation is None or not len(truth.ids):
        return {}
    areas, expected = (
        np.stack([(ids == one).sum(axis=(1, 2)) for one in truth.ids], axis=-1)
        for ids in (video.segmentation, truth.clip.segmentation)
    )
    return {"object_permanence": long_horizon.object_permanence(areas, expected)}


def _divergence(video: Observed, truth: Truth, bodies: dict[int, list[Floats]]) -> dict[str, Measured]:
    """By tracks where they are known, by centres of what is seen otherwise, truth and take 2 read in the same way.

    Centres begin where truth's do: the first frame is given, so what is wrong there is the instrument's depth.
    """
    clip, size, fps = truth.clip, truth.diameter, truth.clip.meta.fps
    wanted: Floats
    other: Floats | None
    if video.tracks is not None:
        tracks, wanted = video.tracks, clip.tracks.astype(np.float64)
        other = truth.take2.tracks.astype(np.float64) if truth.take2 is not None else None
    else:
        kept = np.isfinite(truth.seen_centres).all(axis=(0, 2))
        wanted = truth.seen_centres[:, kept]
        tracks = _begun_at(wanted[0], centres_of(bodies)[:, kept])
        other = truth.seen_centres_of_take2
        other = None if other is None else _begun_at(wanted[0], other[:, kept])
    found = {"divergence_time": long_horizon.divergence_time(tracks, wanted, fps=fps, size=size)}
    if other is not None and other.shape == wanted.shape:
        found["divergence_time_ratio"] = long_horizon.relative_divergence_time(
            tracks, wanted, other, fps=fps, size=size
        )
    return found


def _begun_at(start: Floats, centres: Floats) -> Floats:
    """Centres (T,K,3), moved so that in frame 0 they are at `start` (K,3); those not seen there are not moved."""
    offset = start - centres[0]
    return centres + np.where(np.isfinite(offset), offset, 0.0)


def _bodies(video: Observed, truth: Truth) -> dict[int, list[Floats]]:
    """Points of each dynamic object: tracked ones where they are known, those that are seen otherwise."""
    ids = truth.ids.tolist()
    if video.tracks is not None:
        return points_by_object(video.tracks, truth.clip.track_ids, ids)
    if video.depth is None or video.segmentation is None:
        return {}
    return {one: surface_points(video.depth, video.segmentation == one, truth.clip) for one in ids}


def _pictures(video: Observed, truth: Truth) -> dict[str, Measured]:
    if video.rgb is None:
        return {}
    found: dict[str, Measured] = {"psnr": pictures.psnr(video.rgb, truth.clip.rgb)}
    if min(truth.clip.rgb.shape[1:3]) >= pictures.WINDOW:
        found["ssim"] = pictures.ssim(video.rgb, truth.clip.rgb)
    return found
