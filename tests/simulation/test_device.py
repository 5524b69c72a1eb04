"""The device of params.yaml is that of Warp's solvers and of the renderer, and of nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.clip import Clip
from components.errors import ExitCode, ParametersError
from components.params import Params
from components.simulation import clips as clips_module
from components.simulation.annotate import annotate
from components.simulation.clips import configuration_clips
from components.simulation.families import load_category
from components.simulation.generate import generate_split
from components.simulation.scene import Motion, Scene
from tests.simulation.families.chain import first_scene, with_section
from tests.simulation.test_parts import Display
from tests.simulation.test_request import never

ELSEWHERE = "cuda:99"
REFUSED = rf"simulation.device: {ELSEWHERE} is not on this machine, expected one of cpu"
WARP: Mapping[str, tuple[str, Mapping[str, object]]] = {  # one family each, and what makes its scenes quick to solve
    "deformable": ("jelly", {}),
    "fluid": ("viscous", {"particles": (400, 400)}),
    "garment": ("drape", {}),
    "granular": ("collapse", {"grains": (1800, 2000)}),
    "inflatable": ("bounce", {}),
    "thermodynamics": ("melting", {"particles": (400, 400)}),
}


def params_on(device: str, category: str) -> Params:
    family, changes = WARP.get(category, ("drop", {}))
    params = with_section(category, family, changes, frames=5, size=32)
    simulation = params.simulation.model_copy(update={"device": device, "points_per_object": 8})
    return params.model_copy(update={"simulation": simulation})


def first_clip(device: str, category: str) -> Clip:
    return next(configuration_clips(params_on(device, category), split="train", category=category, index=0))


@pytest.mark.parametrize("category", WARP)
def test_warps_solvers_are_given_it(category: str) -> None:
    with pytest.raises(ParametersError, match=REFUSED) as caught:
        load_category(category).simulate(first_scene(params_on(ELSEWHERE, category), category), ELSEWHERE)
    assert caught.value.code == ExitCode.BAD_PARAMETERS


def test_bullets_stay_on_the_processor() -> None:
    scene, category = first_scene(params_on(ELSEWHERE, "rigid"), "rigid"), load_category("rigid")
    assert np.array_equal(category.simulate(scene, ELSEWHERE).vertices, category.simulate(scene).vertices)


def test_the_renderer_is_given_it() -> None:
    with pytest.raises(ParametersError, match=REFUSED):
        first_clip(ELSEWHERE, "rigid")


def test_a_clips_solver_guard_and_renderer_have_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    category = load_category("deformable")
    (solver,) = category.solvers

    def solve(scene: Scene, device: str) -> Motion:
        asked.append(device)
        return solver.simulate(scene, "cpu")

    def render(scene: Scene, motion: Motion, *, device: str, **how: object) -> Clip:
        asked.append(device)
        return annotate(scene, motion, **how)  # type: ignore[arg-type]

    def look(_scene: Scene, _motion: Motion, device: str) -> None:
        asked.append(device)

    recording = replace(category, solvers=(replace(solver, simulate=solve),))
    monkeypatch.setattr(clips_module, "load_category", lambda _: recording)
    monkeypatch.setattr(clips_module, "guard_view", look)
    monkeypatch.setattr(clips_module, "annotate", render)
    first_clip("cuda:1", "deformable")
    assert asked == ["cuda:1"] * 3


def test_one_that_is_not_there_is_refused_before_the_first_clip(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=REFUSED):
        generate_split(params_on(ELSEWHERE, "rigid"), split="train", folder=tmp_path, stopped=never, display=Display())
    assert not list(tmp_path.rglob("*.tar"))


@pytest.mark.gpu
@pytest.mark.parametrize("category", WARP)
def test_an_accelerator_makes_the_clip_that_the_processor_makes(category: str) -> None:
    """Sums round otherwise there: what moves is where it was to a millimetre, and pixels at its edge may differ."""
    host, device = (first_clip(name, category) for name in ("cpu", "cuda"))
    assert host.meta == device.meta
    np.testing.assert_allclose(device.tracks, host.tracks, atol=1e-3)
    assert (device.segmentation == host.segmentation).mean() > 0.995
    assert np.isclose(device.depth, host.depth, atol=5e-3).mean() > 0.995
    assert np.median(np.abs(device.rgb.astype(int) - host.rgb)) == 0
