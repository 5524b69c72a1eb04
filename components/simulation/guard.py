"""The guard every motion passes before it is rendered: what fails is rejected with its cause and drawn again."""

from enum import StrEnum

import numpy as np

from components.errors import Phys4dError
from components.geometry import project
from components.simulation.rendering.runtime import DEFAULT_DEVICE
from components.simulation.rendering.sight import unseen_things
from components.simulation.rotations import matrices
from components.simulation.scene import Body, Camera, FloatArray, Motion, Scene, Shape

BOUNDS = ((-20.0, -20.0, -0.5), (20.0, 20.0, 20.0))  # metres
MAX_SPEED = 100.0  # m/s: no scene comes near it, a solver gone wrong does; quality.max_speed judges what is plausible
PENETRATION = 0.02  # metres: Bullet lets a fast body in by less than one step's way
OVERLAP = 4e-3  # metres, at frame 0: meshes of round shapes stand out by .3 % of the radius
SLACK = 2e-3  # metres beyond free fall in the first interval of a scene at rest
MIN_MOTION = 0.1  # pixels over a whole clip, whatever its size: such a clip looks like a still picture
PLACES = 500  # vertices, at most about twice as many, that are followed of each thing through a view
NEAR = 1e-2  # metres before the camera
BEHIND = -1e6  # pixels: where all that is nearer lies, far from every picture


class Cause(StrEnum):
    """Why a motion is rejected."""

    NON_FINITE = "non-finite"
    OUT_OF_BOUNDS = "out of bounds"
    TOO_FAST = "too fast"
    OVERLAP = "overlap at frame 0"
    PENETRATION = "penetration"
    JUMP = "jump at frame 0"
    NEVER_VISIBLE = "never visible"
    NO_VISIBLE_MOTION = "no visible motion"


class RejectedError(Phys4dError):
    """A motion that must not become a clip; `cause` says why, the message where."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(f"{cause}: {detail}")
        self.cause = cause


def guard(scene: Scene, motion: Motion) -> None:
    """Raise RejectedError with the first cause found; return when the motion may become a clip."""
    _check_numbers(scene, motion)
    _check_contacts(scene, motion)
    if not any(any(body.velocity) or any(body.angular_velocity) for body in scene.bodies):
        _check_first_interval(scene, motion)


def guard_view(scene: Scene, motion: Motion, device: str = DEFAULT_DEVICE) -> None:
    """Raise RejectedError where the camera of `scene` never sees one of its things, or sees none move.

    For motions that `guard` let through. What others hide in every frame is never seen. A way in pixels is that of a
    point through the picture, hidden or not, while the camera stands still: an orbit moves nothing.
    """
    unseen = unseen_things(scene, motion, device)
    if unseen:
        names = " and ".join(thing.name for thing in unseen)
        where = f"the camera sees {names} in none of {scene.frames} frames, expected one"
        raise RejectedError(Cause.NEVER_VISIBLE, where)
    moving = [index for index, thing in enumerate(scene.bodies) if thing.dynamic]
    farthest = max((_way(motion, index, scene.camera) for index in moving), default=0.0)
    if farthest < MIN_MOTION:
        raise RejectedError(
            Cause.NO_VISIBLE_MOTION,
            f"nothing moves by more than {farthest:.3f} pixels in {scene.frames} frames of "
            f"{scene.camera.height}x{scene.camera.width}, expected {MIN_MOTION}",
        )


def _way(motion: Motion, index: int, camera: Camera) -> float:
    """Pixels to the farthest place that a vertex of a thing comes to, of those that are ever in the picture."""
    corners = _corners(motion, index)
    corners = corners[:, :: max(1, corners.shape[1] // PLACES)]
    pixels = _pixels(corners, camera)
    still = (camera.extrinsics == camera.extrinsics[0]).all()
    unmoved = pixels[:1] if still else _pixels(np.broadcast_to(corners[:1], corners.shape), camera)
    shown = ((pixels >= -0.5) & (pixels <= (camera.width - 0.5, camera.height - 0.5))).all(axis=-1).any(axis=0)
    return float(np.linalg.norm(pixels - unmoved, axis=-1)[:, shown].max(initial=0.0))


def _pixels(points: FloatArray, camera: Camera) -> FloatArray:
    """Where points (T,V,3) are in the picture (T,V,2); BEHIND where they are not before the camera."""
    pixels, depth = project(points, camera.intrinsics, camera.extrinsics)
    return np.where((depth > NEAR)[..., None], pixels, BEHIND)


def _check_numbers(scene: Scene, motion: Motion) -> None:
    for name in ("vertices", "normals", "poses", "velocities"):
        if not np.isfinite(getattr(motion, name)).all():
            raise RejectedError(Cause.NON_FINITE, f"{name} hold numbers that are not finite")
    for index, thing in enumerate(scene.bodies):
        corners = _corners(motion, index) if thing.dynamic else np.empty((0, 0, 3))
        outside = (corners < BOUNDS[0]) | (corners > BOUNDS[1])
        if outside.any():
            frame, corner, _ = np.argwhere(outside)[0]
            where = f"at {np.round(corners[frame, corner], 2)} m in frame {frame}"
            raise RejectedError(Cause.OUT_OF_BOUNDS, f"{thing.name} is {where}")
    fastest = float(np.linalg.norm(motion.velocities[..., :3], axis=-1).max(initial=0.0))
    if fastest > MAX_SPEED:
        raise RejectedError(Cause.TOO_FAST, f"{fastest:.1f} m/s, expected at most {MAX_SPEED} m/s")


def _corners(motion: Motion, index: int) -> FloatArray:
    """The vertices (T,V,3) of the thing `index` of a scene."""
    return motion.vertices[:, np.unique(motion.faces[motion.face_body == index])]


def _check_contacts(scene: Scene, motion: Motion) -> None:
    columns = {index: column for column, index in enumerate(i for i, body in enumerate(scene.bodies) if body.dynamic)}
    for index in columns:
        corners = _corners(motion, index)
        own = scene.bodies[index]
        for other, body in enumerate(scene.bodies):
            joined = own.assembly and own.assembly == body.assembly
            if other == index or joined or not isinstance(body, Body):
                continue
            fixed = np.array([[*body.position, *body.orientation]])
            depths = penetration(corners, body, motion.poses[:, columns[other]] if body.dynamic else fixed)
            for cause, depth, limit in (
                (Cause.OVERLAP, depths[0], OVERLAP),
                (Cause.PENETRATION, depths.max(), PENETRATION),
            ):
                if depth > limit:
                    names = f"{own.name} is {depth * 1000:.1f} mm inside {body.name}"
                    raise RejectedError(cause, f"{names}, expected at most {limit * 1000:.0f} mm")


def penetration(points: FloatArray, body: Body, poses: FloatArray) -> FloatArray:
    """Metres (T,) by which the deepest of `points` (T,V,3) lies inside a body with `poses` (T or 1,7); 0 outside."""
    local = (points - poses[:, None, :3]) @ matrices(poses[:, 3:])
    if body.shape is Shape.SPHERE:
        inside = body.size[0] - np.linalg.norm(local, axis=-1)
    elif body.shape is Shape.BOX:
        inside = (np.array(body.size) - np.abs(local)).min(axis=-1)
    else:
        side = body.size[0] - np.hypot(local[..., 0], local[..., 1])
        inside = np.minimum(side, body.size[1] / 2 - np.abs(local[..., 2]))
    return np.asarray(np.maximum(inside.max(axis=-1), 0.0), np.float64)


def _check_first_interval(scene: Scene, motion: Motion) -> None:
    """From rest nothing moves further than in free fall."""
    moved = np.linalg.norm(motion.poses[1, :, :3] - motion.poses[0, :, :3], axis=-1)
    limit = float(np.linalg.norm(scene.gravity)) / 2 / scene.fps**2 + SLACK
    if (moved > limit).any():
        raise RejectedError(
            Cause.JUMP, f"{moved.max() * 1000:.1f} mm in one frame from rest, expected at most {limit * 1000:.1f} mm"
        )
