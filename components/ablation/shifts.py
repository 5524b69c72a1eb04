"""Generalisation: what training gained, on scenes that differ in one thing from all that was trained on.

A shift changes the simulation of one split. Scenes keep their seeds, so that most shifts show the same scenes in
another world; the base, what training made of it, and a still are measured on each alike.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.ablation.cells import EVIDENCE, VIDEOS, params_hash
from components.errors import ParametersError, Phys4dError
from components.files import write_atomically
from components.parameters.loader import parse_params, read_yaml
from components.parameters.profiles import overlay

if TYPE_CHECKING:
    from components.params import Params

SHIFTS_FILE = Path(__file__).with_name("shifts.yaml")
GENERALISATION_FILE, GENERALISATION_CHART = EVIDENCE / "generalisation.csv", EVIDENCE / "generalisation.png"
SPLIT = "dev"  # whose simulation is changed: test is looked at for the recipe alone
STILL = "first_frame"
MODELS = ("base", "stage2", "stage3")
GAINS = (("base", "stage2"), ("base", "stage3"), ("stage2", "stage3"))
ROWS = (STILL, *MODELS, *(f"{one}_to_{other}" for one, other in GAINS))
PLACE = ("backbone", "shift", "row")
FACTS = ("axis", "far", "commit", "params", "n")
HEADER = (*PLACE, *FACTS, *(f"{name}{end}" for name in VIDEOS for end in ("", "_low", "_high")))
Lines = Mapping[tuple[str, ...], Mapping[str, str]]  # by their place


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One change of the world. axis: what is changed, and its unit; far: by how much it lies outside of training."""

    name: str
    axis: str
    far: float
    simulation: Mapping[str, Any] = field(default_factory=dict)


def load_shifts(path: Path = SHIFTS_FILE) -> dict[str, Shift]:
    """The shifts of a file by name; ParametersError names what is wrong in it."""
    shifts = {}
    for name, body in read_yaml(path).items():
        place = f"{path.name}: {name}"
        if not isinstance(body, dict) or not isinstance(body.get("axis"), str):
            raise ParametersError(f"{place}: {body!r}, expected a mapping with axis, far and simulation")
        if unknown := sorted(body.keys() - {"axis", "far", "simulation"}):
            raise ParametersError(f"{place}.{unknown[0]}: unknown, expected axis, far or simulation")
        far = body.get("far")
        if not isinstance(far, int | float) or far < 0:
            raise ParametersError(f"{place}.far: {far!r}, expected a number of at least 0")
        shifts[name] = Shift(name=name, **body)
    return shifts


def shifted(shift: Shift, params: "Params", *, scenes: int) -> "Params":
    """The parameters under which so many scenes of the split are made."""
    values = params.model_dump(mode="json")
    source = f"shift {shift.name}"
    overlay(values["simulation"], shift.simulation, source=source, prefix="simulation.")
    for category in values["simulation"]["splits"][SPLIT]["configurations"]:
        values["simulation"]["splits"][SPLIT]["configurations"][category] = scenes
    watch = values["stage3"]["watch"]
    watch["scenes"] = min(watch["scenes"], scenes)  # nothing is trained with these
    return parse_params(values, source=source)


def lines_of(
    backbone: str, shift: Shift, params: "Params", figures: Mapping[str, float], *, commit: str
) -> list[dict[str, str]]:
    """A line for each row and each gain that was measured; figures: as `summarise` gives them."""
    facts = {"axis": shift.axis, "far": f"{shift.far:g}", "commit": commit, "params": params_hash(params)}
    lines = []
    for row in ROWS:
        numbers = {
            f"{name}{column}": f"{figures[key]:.6g}" if (key := f"{row}.{name}{end}") in figures else ""
            for name in VIDEOS
            for column, end in (("", ""), ("_low", ".low"), ("_high", ".high"))
        }
        count = {"n": str(int(figures[f"{row}.score.n"]))}
        lines.append({"backbone": backbone, "shift": shift.name, "row": row, **facts, **count, **numbers})
    return lines


def read_lines(path: Path = GENERALISATION_FILE) -> dict[tuple[str, ...], dict[str, str]]:
    """Finished lines by their place; Phys4dError for a file of other columns."""
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != HEADER:
            raise Phys4dError(f"{path}: columns {reader.fieldnames}, expected {', '.join(HEADER)}: move it away")
        return {tuple(line[name] for name in PLACE): line for line in reader}


def write_lines(lines: Iterable[Mapping[str, str]], path: Path = GENERALISATION_FILE) -> None:
    """All finished lines, in the order they were measured in."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_atomically(path, stream.getvalue().encode())


def is_finished(backbone: str, shift: Shift, params: "Params", lines: Lines) -> bool:
    """Whether all of a shift's rows were measured with these, shifted, parameters."""
    found = [lines.get((backbone, shift.name, row)) for row in ROWS]
    return all(line is not None and line["params"] == params_hash(params) for line in found)


def shifts_table(lines: Sequence[Mapping[str, str]]) -> str:
    """Scores by shift and row, and what training gained there."""
    rows: list[tuple[str, ...]] = [("backbone", "shift", "axis", "far", *ROWS)]
    for backbone, shift in dict.fromkeys((line["backbone"], line["shift"]) for line in lines):
        of = {line["row"]: line for line in lines if (line["backbone"], line["shift"]) == (backbone, shift)}
        cells = [f"{of[row]['score']} [{of[row]['score_low']}, {of[row]['score_high']}]" for row in ROWS]
        rows.append((backbone, shift, of[STILL]["axis"], of[STILL]["far"], *cells))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
