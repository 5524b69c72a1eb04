"""Scenes and motions made by hand, whose geometry is known in closed form."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from components.simulation.scene import (
    Body,
    Camera,
    Captions,
    Environment,
    FloatArray,
    Light,
    Motion,
    Pattern,
    Scene,
    Shape,
    Texture,
)

NOISE = Texture(pattern=Pattern.NOISE, colour=(0.75, 0.2, 0.12), second_colour=(0.9, 0.75, 0.5), scale=0.5)
CHECKER = Texture(pattern=Pattern.CHECKER, colour=(0.55, 0.55, 0.55), second_colour=(0.3, 0.3, 0.32), scale=1.0)
PLAIN = Texture(pattern=Pattern.PLAIN, colour=(0.5, 0.5, 0.5), second_colour=(0.5, 0.5, 0.5))


@dataclass(frozen=True, kw_only=True)
class Part:
    """A body's mesh in its own coordinates, and its pose (T,7) or (1,7) where it stands still."""

    body: Body
    vertices: FloatArray
    normals: FloatArray
    faces: NDArray[np.int64]
    poses: FloatArray


def camera(
    size: tuple[int, int] = (48, 64),
    *,
    frames: int,
    eye: Sequence[float] = (0, -5, 1.5),
    target: Sequence[float] = (0, 0, 0.6),
) -> Camera:
    """A still camera that looks from `eye` at `target`, 50 degrees high; size (height, width)."""
    return moving_camera(size, np.repeat(look_at(eye, target)[None], frames, axis=0))


def moving_camera(size: tuple[int, int], extrinsics: FloatArray) -> Camera:
    height, width = size
    focal = height / 2 / np.tan(np.radians(25))
    intrinsics = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]])
    return Camera(height=height, width=width, intrinsics=intrinsics, extrinsics=extrinsics)


def look_at(eye: Sequence[float], target: Sequence[float]) -> FloatArray:
    forward = np.asarray(target, float) - np.asarray(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    extrinsics = np.eye(4)
    extrinsics[:3, :3], extrinsics[:3, 3] = rotation, -rotation @ np.asarray(eye, float)
    return extrinsics


def poses(positions: ArrayLike, rotation_vectors: ArrayLike | None = None) -> FloatArray:
    """(T,7) from positions (T,3) and rotation vectors (T,3)."""
    places = np.atleast_2d(np.asarray(positions, float))
    turns = np.zeros_like(places) if rotation_vectors is None else np.asarray(rotation_vectors, float)
    return np.concatenate([places, Rotation.from_rotvec(turns).as_quat()], axis=1)


def _body(name: str, shape: Shape, texture: Texture, mass: float) -> Body:
    return Body(name=name, shape=shape, size=(1, 1, 1), texture=texture, position=(0, 0, 0), mass=mass)


def box(
    half: Sequence[float], track: FloatArray, *, texture: Texture = NOISE, mass: float = 1.0, name: str = "box"
) -> Part:
    """A box of split vertices: each face has its own normal."""
    vertices: list[FloatArray] = []
    normals: list[FloatArray] = []
    faces: list[tuple[int, int, int]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            one, two = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
            start = 4 * len(faces) // 2
            vertices += [normal + a * one + b * two * sign for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            normals += [normal] * 4
            faces += [(start, start + 1, start + 2), (start, start + 2, start + 3)]
    body = _body(name, Shape.BOX, texture, mass)
    corners = np.array(vertices) * np.asarray(half, float)
    return Part(body=body, vertices=corners, normals=np.array(normals), faces=np.array(faces), poses=track)


def sphere(
    radius: float,
    track: FloatArray,
    *,
    texture: Texture = NOISE,
    mass: float = 1.0,
    rings: int = 24,
    name: str = "ball",
) -> Part:
    """A sphere of rings x 2 rings quadrilaterals around its z axis."""
    polar, turn = np.meshgrid(np.linspace(0, np.pi, rings + 1), np.linspace(0, 2 * np.pi, 2 * rings + 1), indexing="ij")
    normals = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar)], axis=-1)
    columns = 2 * rings + 1
    first = (np.arange(rings)[:, None] * columns + np.arange(columns - 1)).ravel()
    upper = np.stack([first, first + columns, first + 1], axis=1)
    lower = np.stack([first + 1, first + columns, first + columns + 1], axis=1)
    faces = np.concatenate([upper[columns - 1 :], lower[: -(columns - 1)]])  # without the flat ones at the poles
    normals = normals.reshape(-1, 3)
    body = _body(name, Shape.SPHERE, texture, mass)
    return Part(body=body, vertices=normals * radius, normals=normals, faces=faces, poses=track)


def floor(*, texture: Texture = CHECKER, half: float = 20.0) -> Part:
    """Static ground with its top at z = 0."""
    return box((half, half, 0.5), poses([0, 0, -0.5]), texture=texture, mass=0.0, name="floor")


def scene(parts: Sequence[Part], view: Camera, *, lights: Sequence[Light] | None = None) -> tuple[Scene, Motion]:
    """A scene of these parts, and the motion that their poses say."""
    frames = len(view.extrinsics)
    environment = Environment(
        lights=tuple(lights or (Light(direction=(-0.5, -0.6, 1.0)),)),
        ambient=0.4,
        horizon_colour=(0.75, 0.82, 0.9),
        zenith_colour=(0.25, 0.45, 0.75),
    )
    made = Scene(
        category="rigid",
        family="test",
        bodies=tuple(part.body for part in parts),
        environment=environment,
        camera=view,
        captions=Captions(caption="", caption_initial=""),
        frames=frames,
        fps=16,
    )
    return made, _motion(parts, frames)


def _motion(parts: Sequence[Part], frames: int) -> Motion:
    vertices, normals, faces, bodies, following = [], [], [], [], 0
    for index, part in enumerate(parts):
        track = np.broadcast_to(part.poses, (frames, 7))
        turns = Rotation.from_quat(track[:, 3:]).as_matrix()
        vertices.append(part.vertices @ turns.transpose(0, 2, 1) + track[:, None, :3])
        normals.append(part.normals @ turns.transpose(0, 2, 1))
        faces.append(np.asarray(part.faces) + following)
        bodies.append(np.full(len(part.faces), index))
        following += len(part.vertices)
    tracks = [np.broadcast_to(part.poses, (frames, 7)) for part in parts if part.body.dynamic]
    return Motion(
        vertices=np.concatenate(vertices, axis=1),
        normals=np.concatenate(normals, axis=1),
        reference=np.concatenate([part.vertices for part in parts]),
        faces=np.concatenate(faces).astype(np.int32),
        face_body=np.concatenate(bodies).astype(np.int32),
        poses=np.stack(tracks, axis=1) if tracks else np.zeros((frames, 0, 7)),
        velocities=np.zeros((frames, len(tracks), 6)),
    )


def tumbling(size: tuple[int, int] = (64, 64), *, frames: int = 17, rings: int = 24) -> tuple[Scene, Motion]:
    """A tumbling box and a rolling ball over a checkered floor."""
    time = np.arange(frames)[:, None] / 16
    ball = np.array([[-0.9, 0.5, 0.4]]) + time * [1.1, 0, 0]
    crate = np.array([[0.7, -0.3, 1.3]]) + time * [-0.5, 0.2, 0] - 0.5 * time**2 * [0, 0, 1.6]
    green = Texture(pattern=Pattern.CHECKER, colour=(0.05, 0.45, 0.25), second_colour=(0.8, 0.85, 0.3), scale=0.5)
    parts = [
        floor(),
        sphere(0.4, poses(ball, time * [0, 1.1 / 0.4, 0]), rings=rings),
        box((0.3, 0.3, 0.3), poses(crate, time * [1.2, 0.8, 2.0]), texture=green),
    ]
    return scene(parts, camera(size, frames=frames))
