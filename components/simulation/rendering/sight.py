"""Which things a camera ever sees: rays decide, as they do in the annotation.

Legend: T frames, V vertices, R rays, F faces.
"""

import numpy as np
import warp as wp
from numpy.typing import NDArray

from components.geometry import pixel_grid, project, unproject
from components.simulation.rendering.kernels_annotation import find_faces
from components.simulation.rendering.runtime import DEFAULT_DEVICE, prepare
from components.simulation.scene import Camera, FloatArray, Motion, Scene, Thing

AIMS = 64  # faces of each thing at whose middles rays are aimed: nearly always one of them is seen in the first frame


def unseen_things(scene: Scene, motion: Motion, device: str = DEFAULT_DEVICE) -> list[Thing]:
    """The dynamic things that no ray of `scene.camera` meets first in any frame.

    Rays go to the middles of some of a thing's faces, so that what is thinner than a pixel is seen too; where none of
    these reach it, through the centres of all pixels, so that what has a pixel in the segmentation is never unseen.
    """
    prepare(device)
    camera, rng = scene.camera, np.random.default_rng(0)
    aims = {
        index: rng.choice(np.flatnonzero(motion.face_body == index), size=AIMS)
        for index, thing in enumerate(scene.bodies)
        if thing.dynamic
    }
    indices = wp.array(motion.faces.ravel(), dtype=wp.int32, device=device)
    for frame, vertices in enumerate(motion.vertices):
        if not aims:
            break
        mesh = wp.Mesh(points=wp.array(vertices.astype(np.float32), dtype=wp.vec3, device=device), indices=indices)
        middles = vertices[motion.faces[np.concatenate(list(aims.values()))]].mean(axis=1)
        met = motion.face_body[_faces_at(_in_picture(middles, camera, frame), mesh, camera, frame)]
        if not set(aims) <= set(met.tolist()):
            pixels = pixel_grid(camera.height, camera.width).reshape(-1, 2)
            met = np.append(met, motion.face_body[_faces_at(pixels, mesh, camera, frame)])
        aims = {index: faces for index, faces in aims.items() if index not in met}
    return [scene.bodies[index] for index in aims]


def _in_picture(points: FloatArray, camera: Camera, frame: int) -> FloatArray:
    """Pixels (R,2) of those points that lie within the picture."""
    pixels, depth = project(points, camera.intrinsics, camera.extrinsics[frame])
    inside = (pixels >= -0.5) & (pixels < (camera.width - 0.5, camera.height - 0.5))
    return np.asarray(pixels[inside.all(axis=1) & (depth > 0.0)], np.float64)


def _faces_at(pixels: FloatArray, mesh: wp.Mesh, camera: Camera, frame: int) -> NDArray[np.int32]:
    """The faces that the rays through pixels (R,2) meet first, of those that meet any."""
    extrinsics = camera.extrinsics[frame]
    centre = -extrinsics[:3, :3].T @ extrinsics[:3, 3]
    directions = unproject(pixels, np.ones(len(pixels)), camera.intrinsics, extrinsics) - centre
    rays = wp.array(directions.astype(np.float32), dtype=wp.vec3, device=mesh.device)
    faces = wp.empty(len(pixels), dtype=wp.int32, device=mesh.device)
    inputs = [wp.uint64(mesh.id), wp.vec3(*centre), rays, camera.far, faces]
    wp.launch(find_faces, dim=len(pixels), inputs=inputs, device=mesh.device)
    found: NDArray[np.int32] = faces.numpy()
    return found[found >= 0]
