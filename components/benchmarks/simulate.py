"""What `phys4d bench simulate` measures: the figures of the simulator, each beside what was asked of it.

Everything runs on one core but `scaling`. Kernels are compiled, and libraries loaded, before anything is timed.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from components.benchmarks.dense import with_triangles
from components.benchmarks.renderer import compare, resized
from components.benchmarks.suite import busiest, train_scene
from components.clip import Clip
from components.index import index_row
from components.shards import new_shard, shard_name
from components.simulation.clips import KERNEL_CACHE, configuration_clips
from components.simulation.configuration import build_scene
from components.simulation.families import load_category
from components.simulation.rendering.runtime import compile_kernels
from components.simulation.workers import worker_pool

if TYPE_CHECKING:
    from components.params import Params

MEGABYTE = 1e6
SPLIT = "train"
DAM_BREAK = "dam_break"  # the family whose whole volume moves


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much is measured. large: height and width; large_frames: fewer, as they are slow; scaled_clips 0: skipped."""

    frames: int = 49
    size: int = 256
    clips: int = 6
    particles: int = 8000
    fluid_clips: int = 1
    triangles: int = 61_000
    large: tuple[int, int] = (1080, 1920)
    large_frames: int = 6
    repeats: int = 2
    scaled_clips: int = 24  # so many that what one process does while the other has ended counts little
    processes: int = 2


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure. least, most: what was asked of it on an idle machine, where something was."""

    value: float
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def asked(self) -> str:
        """The bound in words."""
        parts = [("at least", self.least), ("at most", self.most)]
        return ", ".join(f"{word} {bound:g}" for word, bound in parts if bound is not None)

    @property
    def verdict(self) -> str:
        """Whether the bound is kept; nothing where there is none."""
        if not self.asked:
            return ""
        kept = (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)
        return "kept" if kept else "missed"


def simulate_benchmark(params: "Params", load: Load | None = None) -> dict[str, Figure]:
    """The figures by name, in the order of the table; `params`: the laptop's, of which `load` changes sizes."""
    load = load or Load()
    os.environ.setdefault("WARP_CACHE_PATH", str(KERNEL_CACHE.absolute()))
    solvers = [module for name in ("rigid", "fluid") for module in load_category(name).kernels]
    compile_kernels(params.simulation.device, solvers=solvers)
    figures = dict(_clip_figures(params, load))
    figures |= dict(_renderer_figures(params, load))
    return figures | (scaling(params, load) if load.scaled_clips else {})


def table(figures: Mapping[str, Figure]) -> str:
    """The figures in columns: name, value, unit, what was asked, whether it is kept."""
    cells = [("figure", "value", "unit", "asked", "")]
    cells += [(name, _written(f.value), f.unit, f.asked, f.verdict) for name, f in figures.items()]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    padded = [[text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in cells]
    return "\n".join("  ".join(row).rstrip() for row in padded)


def _written(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def sized(params: "Params", load: Load) -> "Params":
    """Clips of the load's size at the laptop's frame rate; liquids are one family with the load's particles."""
    video = params.video.model_copy(update={"frames": load.frames, "height": load.size, "width": load.size})
    fluid = params.simulation.fluid.model_copy(
        update={"particles": (load.particles, load.particles), "families": {DAM_BREAK: 1.0}}
    )
    simulation = params.simulation.model_copy(update={"fluid": fluid})
    return params.model_copy(update={"video": video, "simulation": simulation})


def _clip_figures(params: "Params", load: Load) -> Iterator[tuple[str, Figure]]:
    made = sized(params, load)
    write_clips(sized(params, replace(load, frames=5, size=32, particles=500)), "rigid", range(1))  # loads libraries
    seconds, kept = write_clips(made, "rigid", range(load.clips))
    yield "rigid_clip", Figure(value=seconds / load.clips, unit="s", most=2.5)
    yield "rigid_solver_share", Figure(value=_solving(made, "rigid", range(load.clips)) / seconds, unit="of the clip")
    yield "rigid_clip_size", Figure(value=sum(kept) / len(kept) / MEGABYTE, unit="MB", most=20.0)
    yield "rigid_clip_size_largest", Figure(value=max(kept) / MEGABYTE, unit="MB", most=20.0)
    seconds, kept = write_clips(made, "fluid", range(load.fluid_clips))
    yield "fluid_clip", Figure(value=seconds / load.fluid_clips, unit="s", most=20.0)
    solving = _solving(made, "fluid", range(load.fluid_clips))
    yield "fluid_solver_share", Figure(value=solving / seconds, unit="of the clip")
    yield "fluid_clip_size", Figure(value=sum(kept) / len(kept) / MEGABYTE, unit="MB", most=20.0)


def write_clips(params: "Params", category: str, indices: Sequence[int]) -> tuple[float, list[int]]:
    """Seconds for one shard of these configurations, all that `phys4d simulate` does for it, and bytes of each clip."""
    sizes = []
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        with new_shard(Path(folder) / shard_name(0)) as shard:
            for index in indices:
                for clip in _clips(params, category, index):
                    sizes.append(index_row(clip, shard.add(clip)).size)
        return perf_counter() - start, sizes


def _clips(params: "Params", category: str, index: int) -> Iterator[Clip]:
    return configuration_clips(params, split=SPLIT, category=category, index=index)


def _solving(params: "Params", category: str, indices: Sequence[int]) -> float:
    """Seconds of the solver alone."""
    total = 0.0
    for index in indices:
        scene = build_scene(params, split=SPLIT, category=category, index=index, view=0, take=0, attempt=0)
        start = perf_counter()
        load_category(category).simulate(scene, params.simulation.device)
        total += perf_counter() - start
    return total


def _renderer_figures(params: "Params", load: Load) -> Iterator[tuple[str, Figure]]:
    made = sized(params, load)
    scene = train_scene(made, busiest(params))
    motion = with_triangles(load_category("rigid").simulate(scene), load.triangles)
    yield "triangles", Figure(value=len(motion.faces), unit="")
    height, width = load.large
    few = replace(scene, camera=replace(scene.camera, extrinsics=scene.camera.extrinsics[: load.large_frames]))
    parts = ("vertices", "normals", "poses", "velocities")
    brief = replace(motion, **{name: getattr(motion, name)[: load.large_frames] for name in parts})
    large = replace(few, camera=resized(few.camera, height, width))
    samples_per_pixel = sorted({1, params.simulation.samples_per_pixel})  # as TinyRenderer has, and as clips are made
    for size, view, seen, least in (
        (f"{load.size}x{load.size}", scene, motion, 30.0),
        (f"{height}x{width}", large, brief, 1.5),
    ):
        for samples in samples_per_pixel:
            name = f"renderer_{size}_{samples}_{'sample' if samples == 1 else 'samples'}"
            speed = compare(view, seen, samples_per_pixel=samples, repeats=load.repeats)
            yield name, Figure(value=speed.frames_per_second, unit="frames/s", least=least)
            yield f"{name}_over_tiny_renderer", Figure(value=speed.ratio, unit="times")


def scaling(params: "Params", load: Load) -> dict[str, Figure]:
    """Clips a second of some processes over those of one, both in worker processes that have everything loaded."""
    one, all_of_them = (_seconds_in(params, load, processes) for processes in (1, load.processes))
    name = f"{load.processes}_processes_over_one"
    return {name: Figure(value=one / all_of_them, unit="times", least=0.9 * load.processes)}


def _seconds_in(params: "Params", load: Load, processes: int) -> float:
    """Seconds in which worker processes make the load's scaled clips, a shard each."""
    small, made = sized(params, replace(load, frames=5, size=32)), sized(params, load)
    with worker_pool(processes) as (pool, _):
        list(
            pool.map(write_clips, [small] * processes, ["rigid"] * processes, [range(1)] * processes)
        )  # load libraries
        start = perf_counter()
        shards = [range(index, index + 1) for index in range(load.scaled_clips)]
        list(pool.map(write_clips, [made] * len(shards), ["rigid"] * len(shards), shards))
        return perf_counter() - start


def to_json(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """The figures as a document."""
    return {
        name: {"value": figure.value, "unit": figure.unit, "asked": figure.asked, "verdict": figure.verdict}
        for name, figure in figures.items()
    }
