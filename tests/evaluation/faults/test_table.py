"""The table of reactions: what counts as one, what is said of those that fail, and that the declared ones hold."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.__main__ import run
from components.errors import ParametersError
from components.evaluation.consistency.catalogue import METRICS
from components.evaluation.consistency.truth import Truth
from components.evaluation.faults.clips import simulated_truths, truths_of_split
from components.evaluation.faults.kinds import FAULTS
from components.evaluation.faults.page import markdown
from components.evaluation.faults.table import Course, Table, course_of, table_of
from components.parameters.loader import load_params
from tests.evaluation.faults.solids import PAIR, solid_clip
from tests.evaluation.splits import write_split

LAPTOP = Path(__file__).parents[3] / "profiles" / "laptop.yaml"
FASTER = tuple(replace(disc, step=(disc.step[0] * 1.5, disc.step[1])) for disc in PAIR)
TRUTHS = [
    Truth(clip=solid_clip(*discs), take2=solid_clip(*(replace(disc, step=(1, 1)) for disc in discs), take=1))
    for discs in (PAIR, FASTER)
]


@pytest.fixture(scope="module")
def table() -> Table:
    chosen = [fault for fault in FAULTS if fault.name in ("freeze", "vanish", "late_shadow")]
    return table_of(TRUTHS, seed=0, faults=chosen, strengths=(0.0, 0.5, 1.0))


@pytest.mark.parametrize(
    ("metric", "values", "course"),
    [
        ("track_ade", (0, 1, 2), Course.WORSE),
        ("track_ade", (0, 2, 1.99), Course.WORSE),  # a step back within 5 % of the range
        ("track_ade", (0, 2, 1), Course.WAVERS),
        ("track_ade", (2, 1, 0), Course.BETTER),
        ("ssim", (1, 0.9, 0.5), Course.WORSE),
        ("ssim", (1, 1, 0.9995), Course.STILL),
        ("tae", (1, 2, 1), Course.WAVERS),
    ],
)
def test_the_course_of_a_figure(metric: str, values: tuple[float, ...], course: Course) -> None:
    assert course_of(metric, values) is course


def test_discs_that_freeze_vanish_or_lag_are_noticed(table: Table) -> None:
    found = {(one.fault, one.metric): one for one in table.reactions}
    for name in ("moving_depth_absrel", "chamfer_l1", "track_ade", "dynamic_flow_epe", "psnr", "divergence_time"):
        if name != "moving_depth_absrel":  # discs of one depth that stand still before a wall keep most of it
            assert found["freeze", name].course is Course.WORSE, name
        assert found["vanish", name].course is Course.WORSE, name
    assert found["vanish", "object_permanence"].values == pytest.approx((1, 0.75, 0.5))
    assert found["freeze", "object_permanence"].values == (1, 1, 1)
    assert all(one.values[0] == one.values[-1] for one in table.reactions if one.fault == "late_shadow" and
               one.metric not in ("psnr", "ssim", "frechet_pixel_features"))  # fmt: skip


def test_what_is_declared_and_does_not_hold_is_named(table: Table) -> None:
    one = next(reaction for reaction in table.reactions if reaction.metric == "track_ade")
    broken = replace(table, reactions=(replace(one, values=(0.0, 2.0, 1.0), course=Course.WAVERS),))
    page = markdown(broken)
    assert "1 of 1 declared reactions do not hold" in page
    assert "- track_ade under freeze: wavers, 0, 2, 1" in page
    assert "✗ wavers" in page
    assert broken.to_json()["broken"] == ["freeze: track_ade"]


def test_the_page_has_every_metric_and_every_figure(table: Table) -> None:
    page = markdown(table)
    assert all(f"| {metric.name} |" in page for metric in METRICS)
    assert page.count("\n| vanish | ") == sum(one.fault == "vanish" for one in table.reactions) + 1


def test_a_fault_that_no_clips_fit_is_an_error() -> None:
    alone = [Truth(clip=solid_clip(PAIR[0]))] * 2
    with pytest.raises(ParametersError, match="swap_identities fits 0 of the 2 clips"):
        table_of(alone, seed=0, strengths=(0.0, 1.0))
    with pytest.raises(ParametersError, match="1 clips to plant faults in"):
        table_of(alone[:1], seed=0)


def test_a_split_gives_its_first_takes_with_their_second(tmp_path: Path) -> None:
    found = truths_of_split(write_split(tmp_path, configurations=3), clips=2)
    assert [truth.clip.meta.take for truth in found] == [0, 0]
    assert [truth.take2.meta.take for truth in found if truth.take2] == [1, 1]
    assert found[0].clip.meta.configuration != found[1].clip.meta.configuration


@pytest.mark.slow
def test_the_command_writes_the_table_of_a_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = write_split(tmp_path / "split", configurations=2, clip_of=solid_clip)
    assert run(["faults", "--split", str(split), "--out", str(tmp_path / "out"), "--json"], debug=False) == 0
    said = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "out" / "faults.json").read_text())
    assert said["broken"] == written["broken"]
    assert len(written["reactions"]) >= len(FAULTS) * 20
    assert (tmp_path / "out" / "faults.md").read_text().startswith("# How every metric reacts")


@pytest.mark.slow
def test_every_declared_reaction_holds_on_simulated_clips() -> None:
    truths = simulated_truths(load_params(LAPTOP), clips=6)
    pairs = [truth for truth in truths if len(truth.ids) > 1]
    alone = [truth for truth in truths if len(truth.ids) == 1][:2]
    table = table_of([*pairs, *alone], seed=0, strengths=(0.0, 0.5, 1.0))
    assert [f"{one.fault}: {one.metric} {one.values}" for one in table.broken] == []
