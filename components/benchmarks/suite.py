"""What `phys4d bench` measures, on the laptop profile's own scenes."""

import os
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from components.benchmarks.renderer import renderer_speed
from components.shards import pack_clip, unpack_clip
from components.simulation.clips import KERNEL_CACHE, configuration_clips
from components.simulation.configuration import build_scene
from components.simulation.rendering.runtime import compile_kernels
from components.simulation.solvers import bullet

if TYPE_CHECKING:
    from components.params import Params

SAMPLES_PER_PIXEL = (1, 4)
CLIPS = 24
REPEATS = 3


def run_benchmarks(params: "Params") -> dict[str, Any]:
    """Figures of the renderer beside TinyRenderer, and of where a clip's time goes."""
    os.environ.setdefault("WARP_CACHE_PATH", str(KERNEL_CACHE.absolute()))
    compile_kernels()
    scene = build_scene(params, split="train", category="rigid", index=0, view=0, take=0, attempt=0)
    motion = bullet.simulate(scene)
    return {
        "renderer": {
            f"{samples}_samples_per_pixel": [
                asdict(speed) for speed in renderer_speed(scene, motion, samples_per_pixel=samples, repeats=REPEATS)
            ]
            for samples in SAMPLES_PER_PIXEL
        },
        "clips": clip_speed(params),
    }


def clip_speed(params: "Params") -> dict[str, float]:
    """One process, storage included: clips a second, and the shares of solving, packing and reading back in its time.

    The bound of storage is the clip's raw bytes: `compression` says how many times fewer are written.
    """
    solve, whole, pack, read, raw, packed = (0.0,) * 6
    for index in range(CLIPS):
        scene = build_scene(params, split="train", category="rigid", index=index, view=0, take=0, attempt=0)
        begin = perf_counter()
        bullet.simulate(scene)
        start = perf_counter()
        solve += start - begin
        clip = next(configuration_clips(params, split="train", category="rigid", index=index))
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
