"""Finished cells: a file that comes back as it was written, and a table that says what is not there."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from components.ablation.cells import METRICS, Cell, line_of, params_hash, read_cells, table, write_cells
from components.ablation.cost import cost_of
from components.errors import Phys4dError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values

LAPTOP = parse_params(profile_values("laptop"), source="laptop")
CELL = Cell(backbone="wan22", replicate=0, variant="stage2", split="dev")
FIGURES = {
    f"stage2.{name}{end}": value for name in METRICS for end, value in (("", 2.0), (".low", 1.0), (".high", 3.5))
}


def made(figures: Mapping[str, float]) -> dict[str, str]:
    cost, figures = cost_of(LAPTOP, "stage2"), {**figures, "stage2.score.n": 64}
    return line_of(CELL, LAPTOP, cost, figures, row="stage2", commit="0123456789ab", judge="ba9876543210")


LINE = made(FIGURES)


def test_cells_come_back_in_the_order_of_their_places(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    assert read_cells(path) == {}
    other = {**LINE, "backbone": "cogvideox"}
    write_cells([LINE, other], path)
    assert list(read_cells(path).values()) == [other, LINE]
    assert read_cells(path)[CELL.key] == LINE
    assert LINE["examples"] == str(cost_of(LAPTOP, "stage2").examples)


def test_a_base_has_no_figures_of_heads(tmp_path: Path) -> None:
    line = made({name: value for name, value in FIGURES.items() if ".head_" not in name})
    write_cells([line], tmp_path / "cells.csv")
    assert read_cells(tmp_path / "cells.csv")[CELL.key]["head_foreground_absrel"] == ""
    assert table([CELL], {CELL.key: line}, {CELL.name: line["params"]}).endswith("-")


def test_other_columns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text("backbone,variant\n")
    with pytest.raises(
        Phys4dError, match=r"cells\.csv: columns \['backbone', 'variant'\], expected backbone, replicate"
    ):
        read_cells(tmp_path / "cells.csv")


def test_what_is_not_finished_says_so_and_what_is_outdated_too() -> None:
    missing = replace(CELL, variant="grpo")
    lines = table([CELL, missing], {CELL.key: LINE}, {CELL.name: LINE["params"]}).splitlines()
    assert "2 [1, 3.5]" in lines[1]
    assert lines[2].split()[:4] == ["wan22", "0", "grpo", "dev"]
    assert lines[2].endswith("not run")
    assert "of other parameters" not in lines[1]
    assert table([CELL], {CELL.key: LINE}, {CELL.name: "another"}).endswith("of other parameters")


def test_parameters_are_known_by_what_is_made_with_them() -> None:
    faster = LAPTOP.model_copy(update={"resources": LAPTOP.resources.model_copy(update={"processes": 7})})
    assert params_hash(faster) == params_hash(LAPTOP)
    assert params_hash(LAPTOP.model_copy(update={"seed": 1})) != params_hash(LAPTOP)
    assert len({params_hash(LAPTOP, best_of=number) for number in (1, 4, 8)}) == 3
