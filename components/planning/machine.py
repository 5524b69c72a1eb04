"""The memory that a machine has for a stage."""

from dataclasses import dataclass
from pathlib import Path

GIGA = 10**9
UNLIMITED = "max"  # what cgroup v2 writes where there is no limit
ACCELERATED = ("gpu", "cluster")  # profiles
LIMITS = ("memory.max", "memory/memory.limit_in_bytes")  # of cgroup v2 and v1


@dataclass(frozen=True, kw_only=True)
class Machine:
    """memory: bytes for what computes; of an accelerator, where `accelerated`.

    ram: bytes for data beside an accelerator, None where it is not told; without one all is in one memory.
    """

    memory: int
    accelerated: bool
    ram: int | None = None


def this_machine() -> Machine:
    """What is free now, where training would compute."""
    import torch

    from components.compute import device

    if device().type != "cuda":
        return Machine(memory=free_ram(), accelerated=False)
    free, _ = torch.cuda.mem_get_info()
    return Machine(memory=free, accelerated=True, ram=free_ram())


def free_ram(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of memory that can be had without swapping: what the kernel says, or the limit of a container."""
    lines = (line.split(":", 1) for line in (proc / "meminfo").read_text().splitlines())
    free = int(dict(lines)["MemAvailable"].split()[0]) * 1024
    texts = [(groups / name).read_text().strip() for name in LIMITS if (groups / name).is_file()]
    return min(free, *(int(text) for text in texts if text != UNLIMITED), free)


def described(memory: float, *, ram: float | None, profile: str) -> Machine:
    """A machine of `memory` GB. That is an accelerator's where `ram` GB are beside it, or where the profile is for one.

    Then only the RAM that is told counts.
    """
    accelerated = ram is not None or profile in ACCELERATED
    return Machine(memory=round(memory * GIGA), accelerated=accelerated, ram=None if ram is None else round(ram * GIGA))


def giga(value: int) -> str:
    """Bytes as GB, two digits below ten."""
    amount = value / GIGA
    return f"{amount:.2f}" if amount < 10 else f"{amount:.0f}"
