"""Where this user's copy of Physics-IQ lies: below $XDG_CACHE_HOME/phys4d or ~/.cache/phys4d, whatever the project."""

import os
from pathlib import Path

TESTING = Path("split-videos/testing")  # of the benchmark: the real videos, a folder for each frame rate


def benchmark_folder() -> Path:
    """What is downloaded, in the benchmark's own folders."""
    return _cache() / "physics-iq"


def real_folder() -> Path:
    """The downloaded real videos."""
    return benchmark_folder() / TESTING


def results_folder() -> Path:
    """What was measured of finished cases."""
    return _cache() / "physics-iq-results"


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "phys4d"
