"""How fast the renderer is, beside another that draws the same triangles from the same cameras in the same run."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from components.geometry import resize_intrinsics
from components.simulation.rendering.renderer import render
from components.simulation.rendering.runtime import DEFAULT_DEVICE, compile_kernels
from components.simulation.scene import Camera, FloatArray, Motion, Scene

SIZES = (64, 128, 256, 480)
_NEAR = 0.05
_TO_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])  # OpenCV looks along +z with y down, OpenGL along -z with y up


@dataclass(frozen=True, kw_only=True)
class RendererSpeed:
    """Frames per second of pictures `size` pixels high; `ratio`: ours over TinyRenderer's."""

    size: int
    triangles: int
    frames_per_second: float
    tiny_renderer_frames_per_second: float
    ratio: float


def renderer_speed(
    scene: Scene,
    motion: Motion,
    *,
    sizes: Sequence[int] = SIZES,
    samples_per_pixel: int,
    repeats: int,
    device: str = DEFAULT_DEVICE,
) -> tuple[RendererSpeed, ...]:
    """Time a whole clip with `render` and with PyBullet's TinyRenderer, the best of `repeats` each, in turns.

    Ours gives shaded RGB with shadows at samples_per_pixel, depth, flow, depth change, visibility and ids, upload and
    BVH included; TinyRenderer gives RGB without shadows, depth and ids at one sample per pixel. Both on one core when
    the device is "cpu".

    The bound: at 4 samples per pixel and one light, 10 rays belong to a pixel (centre, visibility, 4 views, 4 shadows).
    Against 5,000 moving triangles that cover 4 % of the picture one ray took 25 to 29 ns in the mean on one core (16
    to 20 where it misses, 140 to 190 where it hits): 270 ns per pixel with nothing shaded. The renderer, which does not
    cast what cannot hit, took 310 ns per pixel at 256 x 256 with shading and annotation.
    """
    compile_kernels(device)
    return tuple(
        compare(
            replace(scene, camera=resized(scene.camera, size, size)),
            motion,
            samples_per_pixel=samples_per_pixel,
            repeats=repeats,
            device=device,
        )
        for size in sizes
    )


def compare(
    scene: Scene, motion: Motion, *, samples_per_pixel: int, repeats: int, device: str = DEFAULT_DEVICE
) -> RendererSpeed:
    """`renderer_speed` at the size of the scene's own camera, the kernels compiled before."""

    def ours() -> None:
        render(scene, motion, samples_per_pixel=samples_per_pixel, device=device)

    with _tiny_renderer(scene, motion) as theirs:
        seconds = _best(ours, theirs, repeats=repeats)
    frames = len(motion.vertices)
    return RendererSpeed(
        size=scene.camera.height,
        triangles=len(motion.faces),
        frames_per_second=frames / seconds[0],
        tiny_renderer_frames_per_second=frames / seconds[1],
        ratio=seconds[1] / seconds[0],
    )


def _best(*programs: Callable[[], None], repeats: int) -> list[float]:
    """The least seconds of each program; they take turns, so that a busy machine slows all of them."""
    best = [math.inf] * len(programs)
    for _ in range(repeats):
        for index, program in enumerate(programs):
            start = perf_counter()
            program()
            best[index] = min(best[index], perf_counter() - start)
    return best


def resized(camera: Camera, height: int, width: int) -> Camera:
    """The same camera with height x width pixels: the picture's middle where it was, as many degrees high."""
    intrinsics = resize_intrinsics(camera.intrinsics, height / camera.height)
    intrinsics[0, 2] += (width - camera.width * height / camera.height) / 2
    return replace(camera, height=height, width=width, intrinsics=intrinsics)


@contextmanager
def _tiny_renderer(scene: Scene, motion: Motion) -> Iterator[Callable[[], None]]:
    """A program that draws the whole motion with PyBullet's software renderer."""
    import pybullet

    client = pybullet.connect(pybullet.DIRECT)
    try:
        bodies = _add_bodies(scene, motion, client)
        camera = scene.camera
        projection = _projection(camera).T.ravel().tolist()
        views = [(_TO_OPENGL @ extrinsics).T.ravel().tolist() for extrinsics in camera.extrinsics]

        def draw() -> None:
            for frame, view in enumerate(views):
                for column, body in enumerate(bodies):
                    pose = motion.poses[frame, column]
                    pybullet.resetBasePositionAndOrientation(body, pose[:3], pose[3:], physicsClientId=client)
                pybullet.getCameraImage(
                    camera.width,
                    camera.height,
                    view,
                    projection,
                    shadow=0,
                    renderer=pybullet.ER_TINY_RENDERER,
                    physicsClientId=client,
                )

        yield draw
    finally:
        pybullet.disconnect(client)


def _add_bodies(scene: Scene, motion: Motion, client: int) -> list[int]:
    """The motion's own triangles at frame 0 as visual shapes; the dynamic bodies' handles in the order of its poses."""
    import pybullet
    from scipy.spatial.transform import Rotation

    dynamic: list[int] = []
    for index, body in enumerate(scene.bodies):
        faces = motion.faces[motion.face_body == index]
        used, indices = np.unique(faces, return_inverse=True)
        vertices, normals = motion.vertices[0, used], motion.normals[0, used]
        if body.dynamic:
            pose = motion.poses[0, len(dynamic)]
            back = Rotation.from_quat(pose[3:]).inv()
            vertices, normals = back.apply(vertices - pose[:3]), back.apply(normals)
        shape = pybullet.createVisualShape(
            pybullet.GEOM_MESH,
            vertices=vertices.tolist(),
            indices=indices.ravel().tolist(),
            normals=normals.tolist(),
            rgbaColor=(*body.texture.colour, 1.0),
            physicsClientId=client,
        )
        handle = pybullet.createMultiBody(baseVisualShapeIndex=shape, physicsClientId=client)
        if body.dynamic:
            dynamic.append(handle)
    return dynamic


def _projection(camera: Camera) -> FloatArray:
    """OpenGL's projection matrix of a pinhole camera whose pixel centres are at integers."""
    (fx, skew, cx), (_, fy, cy) = camera.intrinsics[0], camera.intrinsics[1]
    width, height, far = camera.width, camera.height, camera.far
    return np.array(
        [
            [2 * fx / width, -2 * skew / width, 1 - 2 * (cx + 0.5) / width, 0],
            [0, 2 * fy / height, 2 * (cy + 0.5) / height - 1, 0],
            [0, 0, -(far + _NEAR) / (far - _NEAR), -2 * far * _NEAR / (far - _NEAR)],
            [0, 0, -1, 0],
        ]
    )
