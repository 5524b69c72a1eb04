"""This machine: Python and the pinned packages, cores, memory, disk, accelerator, and the parameters themselves."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from components.checkout import read_checkout
from components.doctor.findings import Finding, bad, good, note
from components.planning.machine import GIGA, free_ram, giga

if TYPE_CHECKING:
    from components.params import Params

PINS = Path("constraints.txt")
LEAST_DISK = 10 * GIGA  # a laptop's whole run leaves less
PYTHON = (3, 11)
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)")


def look(root: Path, params: "Params") -> Iterator[Finding]:
    """All of it, in seconds."""
    yield _python()
    yield _packages(root / PINS)
    yield _git(root)
    yield _cores(params)
    yield good("memory", f"{giga(free_ram())} GB free; phys4d plan says what each stage needs")
    yield _disk(root)
    yield _accelerator()


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON:
        return good("python", found)
    return bad("python", f"{found}, expected 3.11", "make clean, then make setup PYTHON=python3.11")


def _packages(pins: Path) -> Finding:
    """Of the pinned packages those that are here in another version; not all pins have to be installed."""
    if not pins.is_file():
        return note("packages", f"no {pins.name} to hold them against")
    wrong, count = [], 0
    for name, wanted in PIN.findall(pins.read_text()):
        try:
            found = version(name)
        except PackageNotFoundError:
            continue
        count += 1
        if found.partition("+")[0] != wanted:
            wrong.append(f"{name} {found}, pinned {wanted}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return bad("packages", "; ".join(wrong[:3]) + more, f"pip install -c {pins.name} -e '.[dev]'")
    return good("packages", f"{count} as pinned")


def _git(root: Path) -> Finding:
    checkout = read_checkout(root)
    if checkout is None:
        return note("git", "no commit is checked out: runs and models will not say of which code they are")
    return good("git", checkout.commit[:12] + (", with changes" if checkout.changed else ""))


def _cores(params: "Params") -> Finding:
    there, wanted = len(os.sched_getaffinity(0)), params.resources.processes * params.resources.threads
    if wanted > there:
        remedy = f"lower resources.processes or resources.threads: {there} at most in all"
        return bad(
            "cores", f"{there}, of which resources wants {wanted}: several threads to a core are far slower", remedy
        )
    return good("cores", f"{there}, of which stages use {wanted}")


def _disk(root: Path) -> Finding:
    free = shutil.disk_usage(root).free
    if free < LEAST_DISK:
        return bad("disk", f"{giga(free)} GB free", "make room: dvc gc --workspace frees what nothing needs any more")
    return good("disk", f"{giga(free)} GB free")


def _accelerator() -> Finding:
    import torch

    from components.compute import has_fast_bfloat16

    if torch.cuda.is_available():
        free, whole = torch.cuda.mem_get_info()
        return good("accelerator", f"{torch.cuda.get_device_name()}, {giga(free)} of {giga(whole)} GB free")
    if (driver := _driver()) is not None:
        remedy = f"install the torch of that CUDA, or a newer driver ({driver})"
        return bad(
            "accelerator", f"NVIDIA's driver is here, but torch {torch.__version__} does not see a device", remedy
        )
    return note(
        "accelerator", f"none: the tiny twins alone; bfloat16 is {'fast' if has_fast_bfloat16() else 'not'} used"
    )


def _driver() -> str | None:
    """What NVIDIA's own tool says of its driver; None where there is none."""
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return result.stdout.strip() or None if result.returncode == 0 else None
