"""Every solver, and the renderer, in a process of its own: the same bytes."""

import hashlib
import json
import subprocess
import sys

import pytest

from components.simulation.rendering.renderer import render
from tests.simulation.families.chain import with_section
from tests.simulation.families.drawn import drawn
from tests.simulation.rendering.scenes import tumbling
from tests.simulation.rendering.test_picture import digest

SOLVED: tuple[
    tuple[str, str, dict[str, tuple[int, int]]], ...
] = (  # by each solver one family, with ranges of its own where the solver depends on them
    ("articulated", "see_saw", {}),
    ("deformable", "jelly", {}),
    ("fluid", "plunge", {}),
    ("garment", "catch", {}),
    ("granular", "collapse", {"grains": (300, 300)}),
    ("granular", "impact", {"grains": (1100, 1100)}),
    ("inflatable", "bounce", {}),
    ("rigid", "dominoes", {}),
    ("rope", "wrecking_ball", {}),
    ("thermodynamics", "bimetal", {}),
    ("thermodynamics", "melting", {}),
    ("thermodynamics", "plume", {}),
)


def fingerprints() -> dict[str, str]:
    """sha256 of the motion of a configuration of each, and of a picture."""
    found = {"picture": digest(render(*tumbling((40, 40), frames=3), samples_per_pixel=4))}
    for category, family, changes in SOLVED:
        motion = drawn(with_section(category, family, changes, frames=5), category, 1)[1]
        parts = [motion.vertices, motion.normals, motion.poses, motion.velocities]
        parts += [] if motion.heat is None else [motion.heat]
        found[f"{family} {changes}"] = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    return found


@pytest.mark.slow
def test_another_process_makes_the_same_bytes() -> None:
    program = "import json; from tests.simulation.test_other_process import fingerprints;"
    program += "print(json.dumps(fingerprints()))"
    other = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert json.loads(other.stdout.splitlines()[-1]) == fingerprints()
