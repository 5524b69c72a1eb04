"""Warp's set-up: quiet, on one device, kernels compiled once into a cache that every process shares."""

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import warp as wp

from components.errors import ParametersError
from components.simulation.quiet import hushed

DEFAULT_DEVICE = "cpu"


def prepare(device: str = DEFAULT_DEVICE, cache_dir: Path | None = None) -> None:
    """Start Warp, quietly, and check that `device` exists.

    cache_dir: where compiled kernels are kept; without it the environment's WARP_CACHE_PATH, else Warp's folder in the
    user's cache. The first call of a process decides. Raises ParametersError for a device that is not there.
    """
    wp.config.log_level = wp.LOG_WARNING  # otherwise Warp announces itself on stdout
    if cache_dir is not None:
        wp.config.kernel_cache_dir = str(cache_dir)
    try:
        with hushed():  # without an accelerator's driver it says so, whatever the device
            wp.init()
            wp.get_device(device)
    except (ValueError, RuntimeError) as error:  # unknown; no driver
        there = ", ".join(found.alias for found in wp.get_devices())
        raise ParametersError(f"simulation.device: {device} is not on this machine, expected one of {there}") from error


def compile_kernels(
    device: str = DEFAULT_DEVICE, cache_dir: Path | None = None, *, solvers: Iterable[ModuleType] = ()
) -> None:
    """Compile the renderer's kernels and those of `solvers` ahead, so that worker processes only load them."""
    from components.simulation.rendering import kernels_annotation, kernels_shading

    prepare(device, cache_dir)
    for module in (kernels_annotation, kernels_shading, *solvers):
        wp.load_module(module, device=device)
