"""What there is: the kernel's word or a container's limit, whichever is less; or what a machine is said to have."""

from pathlib import Path

import pytest

from components.planning.machine import Machine, described, free_ram, giga


def system(folder: Path, *, free: int, limits: dict[str, str]) -> tuple[Path, Path]:
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text(f"MemTotal: 99999 kB\nMemAvailable:   {free} kB\n")
    for name, text in limits.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return folder / "proc", folder / "groups"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 8000 * 1024),
        ({"memory.max": "max"}, 8000 * 1024),
        ({"memory.max": "1000000"}, 1_000_000),
        ({"memory.max": "9999999999"}, 8000 * 1024),
        ({"memory/memory.limit_in_bytes": "2000000"}, 2_000_000),
    ],
)
def test_the_least_of_what_is_free_and_what_is_allowed(tmp_path: Path, limits: dict[str, str], expected: int) -> None:
    assert free_ram(*system(tmp_path, free=8000, limits=limits)) == expected


def test_a_described_machine_has_an_accelerator_where_the_profile_is_for_one_or_ram_is_told_apart() -> None:
    assert described(16, ram=None, profile="laptop") == Machine(memory=16 * 10**9, accelerated=False)
    assert described(80, ram=None, profile="gpu") == Machine(memory=80 * 10**9, accelerated=True)
    apart = Machine(memory=80 * 10**9, accelerated=True, ram=512 * 10**9)
    assert described(80, ram=512, profile="laptop") == apart


@pytest.mark.parametrize(("value", "text"), [(1_234_000_000, "1.23"), (80_000_000_000, "80"), (4_000_000, "0.00")])
def test_bytes_are_gigabytes(value: int, text: str) -> None:
    assert giga(value) == text
