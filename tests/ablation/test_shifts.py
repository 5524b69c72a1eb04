"""Shifts: each lies outside of training as it says, and lines of them come back as they were written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.ablation.cells import VIDEOS
from components.ablation.shifts import (
    ROWS,
    Shift,
    is_finished,
    lines_of,
    load_shifts,
    read_lines,
    shifted,
    shifts_table,
    write_lines,
)
from components.ablation.shifts_chart import draw_shifts
from components.errors import ParametersError, Phys4dError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values

LAPTOP = parse_params(profile_values("laptop"), source="laptop")
SHIFTS = load_shifts()
FIGURES = {f"{row}.{name}{end}": 2.0 for row in ROWS for name in VIDEOS for end in ("", ".low", ".high")}
FIGURES |= {f"{row}.score.n": 32 for row in ROWS}


def outside(values: Any, trained: Any) -> list[float]:  # noqa: ANN401 -- ranges of params.yaml
    """How far each end of a range lies outside of the range of training."""
    return [max(trained[0] - value, value - trained[1], 0.0) for value in values]


RANGES = {
    "gravity in g": ("physics", "real", "gravity"),
    "restitution": ("physics", "real", "restitution"),
    "objects of a drop": ("rigid", "objects"),
    "ramp in degrees": ("rigid", "ramp_angle"),
}


def at(values: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 -- of params.yaml
    for name in path:
        values = values[name]
    return values


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_is_as_far_outside_of_training_as_it_says(name: str) -> None:
    shift = SHIFTS[name]
    trained = LAPTOP.model_dump()["simulation"]
    made = shifted(shift, LAPTOP, scenes=7).model_dump()["simulation"]
    assert made["splits"] == {
        **trained["splits"],
        "dev": {**trained["splits"]["dev"], "configurations": {"rigid": 7}},
    }
    for axis, path in RANGES.items():
        wanted = shift.far if shift.axis == axis else 0.0
        assert outside(at(made, path), at(trained, path)) == pytest.approx([wanted] * 2)
    assert bool(made["rigid"]["families"].keys() - trained["rigid"]["families"].keys()) == (shift.axis == "family")


def test_lines_come_back_and_are_known_by_their_parameters(tmp_path: Path) -> None:
    path, shift = tmp_path / "generalisation.csv", SHIFTS["gravity_40"]
    params = shifted(shift, LAPTOP, scenes=7)
    assert read_lines(path) == {}
    lines = lines_of("wan22", shift, params, FIGURES, commit="0123456789ab")
    write_lines(lines, path)
    back = read_lines(path)
    assert list(back.values()) == lines
    assert is_finished("wan22", shift, params, back)
    assert not is_finished("wan22", shift, shifted(shift, LAPTOP, scenes=8), back)
    assert not is_finished("cogvideox", shift, params, back)
    assert not is_finished("wan22", shift, params, dict(list(back.items())[1:]))
    path.write_text("backbone,shift\n")
    with pytest.raises(Phys4dError, match=r"columns \['backbone', 'shift'\], expected backbone, shift"):
        read_lines(path)


def test_the_table_and_the_chart_show_what_was_measured() -> None:
    lines = lines_of("wan22", SHIFTS["gravity_40"], LAPTOP, FIGURES, commit="")
    shown = shifts_table(lines).splitlines()
    assert shown[0].split()[-3:] == ["base_to_stage2", "base_to_stage3", "stage2_to_stage3"]
    assert "gravity_40  gravity in g  0.6  2 [2, 2]" in " ".join(shown[1].split("\n"))
    better = lines_of("wan22", SHIFTS["gravity_40"], LAPTOP, {**FIGURES, "stage3.score": 3.0}, commit="")
    assert draw_shifts(lines) == draw_shifts(lines) != draw_shifts(better)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"far": 1}, "expected a mapping with axis, far and simulation"),
        ({"axis": "g", "far": -1}, r"one\.far: -1, expected a number of at least 0"),
        ({"axis": "g"}, r"one\.far: None"),
        ({"axis": "g", "far": 1, "sim": {}}, r"one\.sim: unknown"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, body: Mapping[str, object], words: str) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"one": body}))
    with pytest.raises(ParametersError, match=words):
        load_shifts(tmp_path / "mine.yaml")


def test_an_unknown_field_of_a_shift_is_named() -> None:
    wrong = Shift(name="x", axis="g", far=1.0, simulation={"physics": {"real": {"gravitation": [1, 1]}}})
    with pytest.raises(ParametersError, match=r"shift x: simulation\.physics\.real\.gravitation: unknown key"):
        shifted(wrong, LAPTOP, scenes=2)
