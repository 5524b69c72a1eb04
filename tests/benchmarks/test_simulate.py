"""The benchmark of the simulator: what it reports, and on what it measures. Never how fast."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from components.benchmarks.dense import with_triangles
from components.benchmarks.simulate import Figure, Load, scaling, simulate_benchmark, sized, table, to_json
from components.cli import app
from components.parameters.loader import load_params
from components.simulation.configuration import build_scene
from components.simulation.rendering.renderer import render
from tests.simulation.rendering.scenes import tumbling

LAPTOP = load_params(Path(__file__).parents[2] / "profiles" / "laptop.yaml")
TINY = Load(
    frames=5, size=32, clips=2, particles=500, triangles=3000, large=(36, 64), large_frames=2, repeats=1, scaled_clips=0
)


def test_every_figure_is_reported_beside_what_was_asked() -> None:
    figures = simulate_benchmark(LAPTOP, TINY)
    assert set(figures) == {
        "rigid_clip",
        "rigid_solver_share",
        "rigid_clip_size",
        "rigid_clip_size_largest",
        "fluid_clip",
        "fluid_solver_share",
        "fluid_clip_size",
        "triangles",
        *(
            f"renderer_{size}_{samples}{ratio}"
            for size in ("32x32", "36x64")
            for samples in ("1_sample", "4_samples")
            for ratio in ("", "_over_tiny_renderer")
        ),
    }
    assert all(figure.value > 0 for figure in figures.values())
    assert figures["triangles"].value >= 3000
    assert to_json(figures)["rigid_clip"]["asked"] == "at most 2.5"
    lines = table(figures).splitlines()
    assert len(lines) == 1 + len(figures)
    assert lines[0].split() == ["figure", "value", "unit", "asked"]


def test_a_bound_is_kept_or_missed() -> None:
    assert Figure(value=2.0, unit="s", most=2.5).verdict == "kept"
    assert Figure(value=2.6, unit="s", most=2.5).verdict == "missed"
    assert Figure(value=29.0, unit="frames/s", least=30.0).verdict == "missed"
    assert Figure(value=29.0, unit="frames/s").verdict == ""


def test_the_load_of_the_issue_is_the_default() -> None:
    params = sized(LAPTOP, Load())
    assert (params.video.frames, params.video.height, params.video.width) == (49, 256, 256)
    scene = build_scene(params, split="train", category="fluid", index=0, view=0, take=0, attempt=0)
    assert scene.family == "dam_break"
    counts = [len(thing.points) for thing in scene.bodies if hasattr(thing, "points")]
    assert counts == [pytest.approx(8000, rel=0.1)]


def test_more_triangles_are_the_same_surfaces() -> None:
    made, motion = tumbling((48, 48), frames=2, rings=6)
    dense = with_triangles(motion, 5 * len(motion.faces))
    assert 0 <= len(dense.faces) - 5 * len(motion.faces) <= 2
    assert with_triangles(motion, 1) is motion
    assert np.bincount(dense.face_body).min() > 0
    few, many = (render(made, one, samples_per_pixel=1) for one in (motion, dense))
    np.testing.assert_array_equal(many.segmentation, few.segmentation)
    np.testing.assert_allclose(many.depth, few.depth, atol=1e-4)
    np.testing.assert_allclose(many.flow, few.flow, atol=1e-3)


@pytest.mark.slow
def test_processes_are_compared_with_one() -> None:
    (name,) = figures = scaling(LAPTOP, Load(frames=5, size=32, scaled_clips=2))
    assert name == "2_processes_over_one"
    assert figures[name].value > 0


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_command_prints_a_table_or_one_object(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"rigid_clip": Figure(value=1.25, unit="s", most=2.5)}
    monkeypatch.setattr("components.benchmarks.simulate.simulate_benchmark", lambda params: found)
    result = CliRunner().invoke(app, ["bench", "simulate", *options])
    assert result.exit_code == 0
    if options:
        expected = {"value": 1.25, "unit": "s", "asked": "at most 2.5", "verdict": "kept"}
        assert json.loads(result.stdout) == {"rigid_clip": expected}
    else:
        assert result.stdout.splitlines()[1].split() == ["rigid_clip", "1.25", "s", "at", "most", "2.5", "kept"]
