"""From a scene and its motion to an annotated clip: pictures, dense annotation, tracks of material points.

Legend: T frames, N dynamic objects, P material points of all objects.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.clip import DEPTH_STEP, FLOW_STEP, Clip, ClipMeta, ClipObject, quantise
from components.errors import Phys4dError
from components.simulation.rendering.renderer import points_visible, render_world
from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.rendering.world import upload
from components.simulation.scene import FloatArray, Motion, Scene


@dataclass(frozen=True, kw_only=True, eq=False)
class MaterialPoints:
    """Points that keep their place on a surface. faces (P,); weights (P,3) of each face's corners; ids (P,)."""

    faces: NDArray[np.int32]
    weights: FloatArray
    ids: NDArray[np.uint16]

    def positions(self, motion: Motion) -> FloatArray:
        """World positions (T,P,3) over the motion."""
        corners = motion.vertices[:, motion.faces[self.faces]]
        return np.asarray(np.einsum("pk,tpkc->tpc", self.weights, corners), np.float64)


def sample_points(scene: Scene, motion: Motion, *, points_per_object: int, rng: np.random.Generator) -> MaterialPoints:
    """`points_per_object` material points on every dynamic body, uniform over its surface at frame 0."""
    faces, weights, ids = [], [], []
    for index, (body, instance) in enumerate(zip(scene.bodies, scene.instance_ids, strict=True)):
        if not body.dynamic:
            continue
        own = np.flatnonzero(motion.face_body == index)
        area = _areas(motion.vertices[0], motion.faces[own])
        if area.sum() <= 0.0:
            raise Phys4dError(f"body {body.name} has no surface at frame 0: expected faces with an area to track")
        faces.append(rng.choice(own, size=points_per_object, p=area / area.sum()))
        weights.append(_uniform_weights(points_per_object, rng))
        ids.append(np.full(points_per_object, instance))
    return MaterialPoints(
        faces=np.concatenate([np.zeros(0), *faces]).astype(np.int32),
        weights=np.concatenate([np.zeros((0, 3)), *weights]),
        ids=np.concatenate([np.zeros(0), *ids]).astype(np.uint16),
    )


def annotate(
    scene: Scene,
    motion: Motion,
    *,
    points_per_object: int,
    samples_per_pixel: int,
    rng: np.random.Generator,
    meta: ClipMeta,
    device: str = DEFAULT_DEVICE,
) -> Clip:
    """Render a motion and say what is true in it, as a valid Clip with rounded flow and depth.

    Raises Phys4dError where scene and motion do not fit, ClipError where the clip would break its contract.
    """
    prepare(device)
    world = upload(scene, motion, device)
    rendering = render_world(world, samples_per_pixel=samples_per_pixel)
    points = sample_points(scene, motion, points_per_object=points_per_object, rng=rng)
    clip = Clip(
        rgb=rendering.rgb,
        depth=quantise(rendering.depth, DEPTH_STEP),
        valid=rendering.valid,
        flow=quantise(rendering.flow, FLOW_STEP),
        depth_change=quantise(rendering.depth_change, DEPTH_STEP),
        visible=rendering.visible,
        segmentation=rendering.segmentation,
        intrinsics=scene.camera.intrinsics.astype(np.float32),
        extrinsics=scene.camera.extrinsics.astype(np.float32),
        tracks=points.positions(motion).astype(np.float32),
        tracks_visible=points_visible(world, points.faces, points.weights[:, :2]),
        track_ids=points.ids,
        poses=motion.poses.astype(np.float32),
        velocities=motion.velocities.astype(np.float32),
        objects=_objects(scene),
        meta=meta,
    )
    clip.validate()
    return clip


def _objects(scene: Scene) -> tuple[ClipObject, ...]:
    return tuple(
        ClipObject(
            id=instance,
            name=body.name,
            kind=body.kind,
            category=scene.category,
            dynamic=True,
            mass=body.mass,
            material=body.material,
        )
        for body, instance in zip(scene.bodies, scene.instance_ids, strict=True)
        if body.dynamic
    )


def _areas(vertices: FloatArray, faces: NDArray[np.int32]) -> FloatArray:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2, np.float64)


def _uniform_weights(count: int, rng: np.random.Generator) -> FloatArray:
    """Barycentric weights (count,3), uniform over a triangle: fold the unit square along its diagonal."""
    u, v = rng.random((2, count))
    outside = u + v > 1
    u, v = np.where(outside, 1 - u, u), np.where(outside, 1 - v, v)
    return np.stack([u, v, 1 - u - v], axis=1)
