"""Comparisons: what is planted between two trainings is what is found, with the scenes and seeds it is found on."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.ablation.cells import VIDEOS, Cell
from components.ablation.chart import draw
from components.ablation.comparison import (
    Difference,
    differences,
    read_clips,
    write_clips,
    write_differences,
)
from components.ablation.variants import Variant
from components.errors import Phys4dError
from components.evaluation.heads import HEAD_METRICS
from components.evaluation.judge import METRICS as COLUMNS
from components.evaluation.table import Table

CHAMFER = COLUMNS.index("chamfer")
FLOW = HEAD_METRICS.index("head_moving_flow_epe")
VARIANTS = {
    "base": Variant(name="base", judged="base"),
    "stage2": Variant(name="stage2", judged="stage2", like="base"),
    "other": Variant(name="other", judged="stage2", like="stage2"),
}
SCENES, SAMPLES = 12, 3


def cell(variant: str, replicate: int = 0) -> Cell:
    return Cell(backbone="wan22", replicate=replicate, variant=variant, split="dev")


def table_of(name: str, *, seed: int, gain: float = 0.0, scenes: int = SCENES) -> Table:
    """Random figures, the same for a seed, and a gain in Chamfer and in the heads' flow; a base has no heads."""
    values = np.random.default_rng(seed).uniform(0.1, 0.5, (scenes, SAMPLES, len(COLUMNS)))
    values[..., CHAMFER] += gain
    names = [f"clip{number}" for number in range(scenes)]
    read = np.random.default_rng(seed + 100).uniform(0.1, 0.5, (scenes, len(HEAD_METRICS)))
    read[:, FLOW] += gain
    heads = {} if name == "base" else {name: read}
    return Table(clip_ids=names, configurations=names, videos={name: values}, heads=heads)


def found(root: Path, *cells: Cell) -> Mapping[tuple[str, str, str], Difference]:
    made = differences(dict.fromkeys(cells, "judge"), VARIANTS, seed=0, resamples=200, root=root)
    return {(one.variant, one.like, one.metric): one for one in made}


def test_clips_come_back_as_they_were_kept(tmp_path: Path) -> None:
    table = table_of("stage2", seed=1)
    table.videos["stage2"][3, 1, CHAMFER] = np.nan
    write_clips(cell("stage2"), table, tmp_path)
    back = read_clips(cell("stage2"), tmp_path)
    assert back.clip_ids == table.clip_ids
    assert back.configurations == table.configurations
    np.testing.assert_array_equal(back.videos["stage2"], table.videos["stage2"])
    np.testing.assert_array_equal(back.heads["stage2"], table.heads["stage2"])


def test_what_was_planted_in_every_video_is_found_exactly(tmp_path: Path) -> None:
    for replicate in (0, 1):
        write_clips(cell("base", replicate), table_of("base", seed=replicate), tmp_path)
        write_clips(cell("stage2", replicate), table_of("stage2", seed=replicate, gain=-0.05), tmp_path)
    one = found(tmp_path, *(cell(name, number) for name in ("base", "stage2") for number in (0, 1)))[
        "stage2", "base", "chamfer"
    ]
    assert (one.n, sorted(one.of_seeds)) == (SCENES, [0, 1])
    for value in (one.value, one.low, one.high, *one.of_seeds.values()):
        assert value == pytest.approx(-0.05)
    assert one.reading == "better"


def test_heads_are_compared_where_both_have_some(tmp_path: Path) -> None:
    for replicate in (0, 1):
        for name, gain in (("base", 0.0), ("stage2", 0.2), ("other", 0.1)):
            write_clips(cell(name, replicate), table_of(name, seed=replicate, gain=gain), tmp_path)
    made = found(tmp_path, *(cell(name, number) for name in VARIANTS for number in (0, 1)))
    one = made["other", "stage2", "head_moving_flow_epe"]
    for value in (one.value, one.low, one.high, *one.of_seeds.values()):
        assert value == pytest.approx(-0.1)
    assert one.reading == "better"
    assert ("other", "base", "head_moving_flow_epe") not in made


def test_a_seed_of_one_side_alone_is_not_compared(tmp_path: Path) -> None:
    for name, replicate in (("base", 0), ("stage2", 0), ("stage2", 1)):
        write_clips(cell(name, replicate), table_of(name, seed=replicate), tmp_path)
    assert set(
        found(tmp_path, cell("base"), cell("stage2"), cell("stage2", 1))["stage2", "base", "score"].of_seeds
    ) == {0}
    assert found(tmp_path, cell("stage2"), cell("stage2", 1)) == {}


def test_what_another_judge_has_measured_is_not_compared(tmp_path: Path) -> None:
    for name in ("base", "stage2"):
        for replicate in (0, 1):
            write_clips(cell(name, replicate), table_of(name, seed=replicate), tmp_path)
    judged = {cell("base"): "one", cell("stage2"): "one", cell("base", 1): "one", cell("stage2", 1): "another"}
    made = list(differences(judged, VARIANTS, seed=0, resamples=200, root=tmp_path))
    assert made
    assert {tuple(one.of_seeds) for one in made} == {(0,)}


def test_a_variant_is_compared_with_all_that_it_comes_from(tmp_path: Path) -> None:
    for name, gain in (("base", 0.0), ("stage2", -0.05), ("other", -0.04)):
        write_clips(cell(name), table_of(name, seed=0, gain=gain), tmp_path)
    made = found(tmp_path, cell("base"), cell("stage2"), cell("other"))
    chamfer = {(variant, like): one for (variant, like, metric), one in made.items() if metric == "chamfer"}
    assert set(chamfer) == {("stage2", "base"), ("other", "stage2"), ("other", "base")}
    assert chamfer["other", "stage2"].value == pytest.approx(0.01)
    assert chamfer["other", "stage2"].reading == "worse"
    assert chamfer["other", "base"].value == pytest.approx(-0.04)


def test_a_difference_that_seeds_do_not_share_is_unclear() -> None:
    one = Difference(
        backbone="wan22", split="dev", variant="other", like="stage2", metric="chamfer", n=12,
        value=-0.02, low=-0.03, high=-0.01, of_seeds={0: -0.05, 1: -0.01},
    )  # fmt: skip
    assert one.reading == "better"
    assert replace(one, of_seeds={0: -0.05, 1: 0.01}).reading == "unclear"
    assert replace(one, high=0.01).reading == "unclear"
    assert replace(one, metric="score").reading == "worse"


def test_cells_of_other_clips_are_refused(tmp_path: Path) -> None:
    write_clips(cell("base"), table_of("base", seed=0), tmp_path)
    write_clips(cell("stage2"), table_of("stage2", seed=0, scenes=5), tmp_path)
    with pytest.raises(Phys4dError, match="measured on other clips"):
        found(tmp_path, cell("base"), cell("stage2"))


def test_a_file_of_another_row_is_refused(tmp_path: Path) -> None:
    write_clips(cell("stage2"), table_of("base", seed=0), tmp_path)
    with pytest.raises(Phys4dError, match="expected 3 of each, all of stage2, and 0 lines of heads"):
        read_clips(cell("stage2"), tmp_path)
    with pytest.raises(Phys4dError, match="not there, though wan22-base-0-dev is finished"):
        read_clips(cell("base"), tmp_path)


def test_the_chart_leaves_out_what_would_dwarf_the_others(tmp_path: Path) -> None:
    for name, gain in (("base", 0.0), ("stage2", -0.3), ("other", -0.29)):
        write_clips(cell(name), table_of(name, seed=0, gain=gain), tmp_path)
    made = list(found(tmp_path, cell("base"), cell("stage2"), cell("other")).values())
    assert draw(made) == draw([one for one in made if one.like != "base"]) != draw([made[0]])


def test_the_same_differences_give_the_same_chart_and_lines(tmp_path: Path) -> None:
    for name in ("base", "stage2"):
        write_clips(cell(name), table_of(name, seed=len(name)), tmp_path)
    made = list(found(tmp_path, cell("base"), cell("stage2")).values())
    assert draw(made) == draw(made)
    assert draw(made) != draw([replace(one, value=one.value + 1) for one in made])
    write_differences(made, tmp_path / "differences.csv")
    lines = (tmp_path / "differences.csv").read_text().splitlines()
    assert len(lines) == 1 + len(VIDEOS)
    assert lines[1].startswith("wan22,dev,stage2,base,score,12,1,")
