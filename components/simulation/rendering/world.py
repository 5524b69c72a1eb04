"""A scene and its motion on the device, as the kernels want them."""

from dataclasses import dataclass

import numpy as np
import warp as wp
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.geometry import project
from components.simulation.rendering.kernels_rays import Cameras, Surfaces
from components.simulation.rendering.kernels_textures import CHECKER, NOISE, PLAIN, STRIPES, Look
from components.simulation.scene import Camera, FloatArray, Motion, Pattern, Scene

MOST_LIGHTS = 3
_ANYWHERE = 1e30
_NEAR = 1e-2  # metres: a box that comes closer to the camera may be anywhere in the picture
_ALMOST_ZERO = 1e-20  # a ray's slab test divides by every component
_PATTERNS = {Pattern.PLAIN: PLAIN, Pattern.CHECKER: CHECKER, Pattern.STRIPES: STRIPES, Pattern.NOISE: NOISE}


@dataclass(kw_only=True, eq=False)
class World:
    """Everything the kernels read. The moving mesh stands at one frame at a time: see `move_to`.

    Its BVH is refitted from frame to frame: a twentieth of the cost of building it (5,000 triangles: .07 against 1.3
    ms), and rays through a tree of their own were not measurably faster from 64 x 64 to 256 x 256. Faces that never
    move are in a second mesh, whose rays a still camera follows once for the whole clip. Where particles mix, a tree
    that is only refitted becomes useless; their mesh is built anew at every frame.
    """

    surfaces: Surfaces
    cameras: Cameras
    look: Look
    points: wp.array  # (T,V) vec3, float32: what the moving mesh is refitted to
    still: wp.Mesh | None
    moving: wp.Mesh | None
    frames: int
    device: str
    mixes: bool  # whether particles move past each other

    def move_to(self, frame: int) -> None:
        """Put everything that moves where it is at a frame."""
        if self.moving is None:
            return
        if self.mixes:
            self.moving = wp.Mesh(points=self.points[frame], indices=self.moving.indices)
            self.surfaces.moving_mesh = wp.uint64(self.moving.id)
        else:
            self.moving.points = self.points[frame]  # refits


def upload(scene: Scene, motion: Motion, device: str) -> World:
    """Copy a scene to the device. Raises Phys4dError where motion and scene do not fit the renderer."""
    _check(scene, motion)
    moves = _moving_faces(motion)
    points = wp.array(motion.vertices.astype(np.float32), dtype=wp.vec3, device=device)
    still_faces, moving_faces = np.flatnonzero(~moves), np.flatnonzero(moves)
    still = _mesh(points, motion.faces[still_faces], device)
    moving = _mesh(points, motion.faces[moving_faces], device)

    surfaces = _surfaces(scene, motion, moves, device)
    surfaces.still_mesh = wp.uint64(still.id if still else 0)
    surfaces.moving_mesh = wp.uint64(moving.id if moving else 0)
    surfaces.still_faces = wp.array(still_faces, dtype=wp.int32, device=device)
    surfaces.moving_faces = wp.array(moving_faces, dtype=wp.int32, device=device)
    return World(
        surfaces=surfaces,
        cameras=_cameras(scene.camera, device),
        look=_look(scene, device),
        points=points,
        still=still,
        moving=moving,
        frames=len(motion.vertices),
        device=device,
        mixes=any(thing.kind == "particles" for thing in scene.bodies),
    )


def _check(scene: Scene, motion: Motion) -> None:
    frames = len(motion.vertices)
    if len(scene.camera.extrinsics) != frames:
        raise Phys4dError(
            f"the camera has extrinsics for {len(scene.camera.extrinsics)} frames and the motion has {frames}: "
            "expected one camera per frame"
        )
    if not 1 <= len(scene.environment.lights) <= MOST_LIGHTS:
        raise Phys4dError(f"the scene has {len(scene.environment.lights)} lights, expected 1 to {MOST_LIGHTS}")
    if not np.isfinite(motion.vertices).all():
        frame = int(np.argwhere(~np.isfinite(motion.vertices))[0][0])
        raise Phys4dError(f"the motion has vertices that are not finite from frame {frame} on: reject the simulation")


def _surfaces(scene: Scene, motion: Motion, moves: NDArray[np.bool_], device: str) -> Surfaces:
    surfaces = Surfaces()
    surfaces.vertices = wp.array(motion.vertices, dtype=wp.vec3d, device=device)
    surfaces.normals = wp.array(motion.normals.astype(np.float32), dtype=wp.vec3, device=device)
    surfaces.reference = wp.array(motion.reference.astype(np.float32), dtype=wp.vec3, device=device)
    heat = np.empty((0, 0)) if motion.heat is None else motion.heat
    surfaces.heat = wp.array(heat.astype(np.float32), dtype=wp.float32, ndim=2, device=device)
    surfaces.faces = wp.array(motion.faces, dtype=wp.vec3i, device=device)
    surfaces.body = wp.array(motion.face_body, dtype=wp.int32, device=device)
    instances = np.asarray(scene.instance_ids, np.uint16)[motion.face_body]
    surfaces.instance = wp.array(instances, dtype=wp.uint16, device=device)
    surfaces.moves = wp.array(moves, dtype=wp.bool, device=device)
    boxes = _moving_boxes(motion, np.flatnonzero(moves))
    surfaces.lower = wp.array(boxes[:, 0].astype(np.float32), dtype=wp.vec3, device=device)
    surfaces.upper = wp.array(boxes[:, 1].astype(np.float32), dtype=wp.vec3, device=device)
    surfaces.windows = wp.array(_windows(boxes, scene.camera).astype(np.float32), dtype=wp.vec4, device=device)
    return surfaces


def _moving_faces(motion: Motion) -> NDArray[np.bool_]:
    """Faces of which a vertex, a normal or the heat ever differs from frame 0."""
    moved = (motion.vertices != motion.vertices[0]).any(axis=(0, 2))
    moved |= (motion.normals != motion.normals[0]).any(axis=(0, 2))
    if motion.heat is not None:
        moved |= (motion.heat != motion.heat[0]).any(axis=0)
    return np.asarray(moved[motion.faces].any(axis=1), np.bool_)


def _moving_boxes(motion: Motion, moving: NDArray[np.intp]) -> FloatArray:
    """Corners (T,2,3) of the box around all moving faces, a little enlarged; no extent where nothing moves."""
    if not len(moving):
        return np.zeros((len(motion.vertices), 2, 3))
    vertices = motion.vertices[:, np.unique(motion.faces[moving])]
    lower, upper = vertices.min(axis=1), vertices.max(axis=1)
    margin = 1e-3 * (1.0 + upper - lower)
    return np.stack([lower - margin, upper + margin], axis=1)


def _windows(boxes: FloatArray, camera: Camera) -> FloatArray:
    """Pixels (T,4) left, top, right, bottom that hold the boxes; all pixels where a corner is not before the camera."""
    corners = np.stack([boxes[:, [i, j, k], [0, 1, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)], axis=1)
    pixels, z = project(corners, camera.intrinsics, camera.extrinsics)
    windows = np.concatenate([pixels.min(axis=1) - 1.0, pixels.max(axis=1) + 1.0], axis=1)
    windows[(z < _NEAR).any(axis=1)] = [-_ANYWHERE, -_ANYWHERE, _ANYWHERE, _ANYWHERE]
    return windows


def _mesh(points: wp.array, faces: NDArray[np.int32], device: str) -> wp.Mesh | None:
    if not len(faces):
        return None
    return wp.Mesh(points=points[0], indices=wp.array(faces.ravel(), dtype=wp.int32, device=device))


def _cameras(camera: Camera, device: str) -> Cameras:
    extrinsics = np.asarray(camera.extrinsics, np.float64)
    rotations, translations = extrinsics[:, :3, :3], extrinsics[:, :3, 3]
    inverse = np.linalg.inv(np.asarray(camera.intrinsics, np.float64))
    centres = -(np.swapaxes(rotations, 1, 2) @ translations[..., None])[..., 0]
    cameras = Cameras()
    cameras.centres = wp.array(centres, dtype=wp.vec3d, device=device)
    cameras.rays = wp.array(np.swapaxes(rotations, 1, 2) @ inverse, dtype=wp.mat33d, device=device)
    cameras.projections = wp.array(camera.intrinsics @ rotations, dtype=wp.mat33d, device=device)
    cameras.width, cameras.height, cameras.far = camera.width, camera.height, camera.far
    cameras.still = bool((extrinsics == extrinsics[0]).all())
    return cameras


def _look(scene: Scene, device: str) -> Look:
    textures = [body.texture for body in scene.bodies]
    lights = np.array([light.direction for light in scene.environment.lights], np.float64)
    lights /= np.linalg.norm(lights, axis=1, keepdims=True)
    lights[lights == 0.0] = _ALMOST_ZERO
    look = Look()
    look.patterns = wp.array([_PATTERNS[texture.pattern] for texture in textures], dtype=wp.int32, device=device)
    look.colours = wp.array([texture.colour for texture in textures], dtype=wp.vec3, device=device)
    look.second_colours = wp.array([texture.second_colour for texture in textures], dtype=wp.vec3, device=device)
    look.periods = wp.array([texture.scale for texture in textures], dtype=wp.float32, device=device)
    look.inverse_lights = wp.array((1 / lights).astype(np.float32), dtype=wp.vec3, device=device)
    look.lights = wp.array(lights.astype(np.float32), dtype=wp.vec3, device=device)
    intensities = [light.intensity for light in scene.environment.lights]
    look.intensities = wp.array(intensities, dtype=wp.float32, device=device)
    look.ambient = scene.environment.ambient
    look.horizon = wp.vec3(*scene.environment.horizon_colour)
    look.zenith = wp.vec3(*scene.environment.zenith_colour)
    return look
