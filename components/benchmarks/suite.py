"""What `phys4d bench` measures, on scenes of the split train of the laptop profile.

The renderer is timed on the scene with the most triangles among the first configurations (balls have the most), storage
and solver on the first configurations as they come.
"""

import os
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from components.benchmarks.renderer import renderer_speed
from components.shards import pack_clip, unpack_clip
from components.simulation.clips import KERNEL_CACHE, configuration_clips
from components.simulation.configuration import build_scene
from components.simulation.families import load_category
from components.simulation.meshes import shape_mesh
from components.simulation.rendering.runtime import compile_kernels
from components.simulation.scene import Scene, rigid_bodies

if TYPE_CHECKING:
    from components.params import Params

SAMPLES_PER_PIXEL = (1, 4)
CATEGORY = "rigid"
CANDIDATES = 32  # configurations among which the renderer's scene is chosen
CLIPS = 24
REPEATS = 3


def run_benchmarks(params: "Params") -> dict[str, Any]:
    """Figures of the renderer beside TinyRenderer, and of where a clip's time goes."""
    os.environ.setdefault("WARP_CACHE_PATH", str(KERNEL_CACHE.absolute()))
    compile_kernels(params.simulation.device)
    index = busiest(params)
    scene = train_scene(params, index)
    motion = load_category(CATEGORY).simulate(scene, params.simulation.device)
    return {
        "scene": {
            "configuration": index,
            "family": scene.family,
            "objects": [body.name for body in scene.bodies if body.dynamic],
            "triangles": triangles(scene),
        },
        "renderer": {
            f"{samples}_samples_per_pixel": [
                asdict(speed) for speed in renderer_speed(scene, motion, samples_per_pixel=samples, repeats=REPEATS)
            ]
            for samples in SAMPLES_PER_PIXEL
        },
        "clips": clip_speed(params),
    }


def train_scene(params: "Params", index: int) -> Scene:
    """Configuration `index` of train."""
    return build_scene(params, split="train", category=CATEGORY, index=index, view=0, take=0, attempt=0)


def triangles(scene: Scene) -> int:
    """Triangles of all bodies, the floor included."""
    return sum(len(shape_mesh(body.shape, body.size).faces) for body in rigid_bodies(scene))


def busiest(params: "Params") -> int:
    """The first of the CANDIDATES configurations whose scene has the most triangles."""
    return max(range(CANDIDATES), key=lambda index: triangles(train_scene(params, index)))


def clip_speed(params: "Params") -> dict[str, float]:
    """One process, storage included: clips a second, and the shares of solving, packing and reading back in its time.

    The bound of storage is the clip's raw bytes: `compression` says how many times fewer are written.
    """
    solve, whole, pack, read, raw, packed = (0.0,) * 6
    for index in range(CLIPS):
        scene = train_scene(params, index)
        begin = perf_counter()
        load_category(CATEGORY).simulate(scene, params.simulation.device)
        start = perf_counter()
        solve += start - begin
        clip = next(configuration_clips(params, split="train", category=CATEGORY, index=index))
        made = perf_counter()
        content = pack_clip(clip)
        written = perf_counter()
        unpack_clip(content, clip_id=clip.meta.clip_id, source=Path())
        read += perf_counter() - written
        pack += written - made
        whole += written - start
        raw += sum(array.nbytes for array in clip.arrays().values())
        packed += len(content)
    return {
        "clips_per_second": CLIPS / whole,
        "solver_share": solve / whole,
        "packing_share": pack / whole,
        "reading_over_making": read / whole,
        "compression": raw / packed,
        "kilobytes_a_clip": packed / CLIPS / 1000,
    }
