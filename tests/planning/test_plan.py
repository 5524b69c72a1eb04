"""The plan: laptop and smoke fit 4 GB, what does not fit is refused with advice, and an estimate stops nothing else."""

import json

import pytest

from components.errors import ParametersError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.planning import plan as planning
from components.planning.machine import Machine
from components.planning.plan import announce, exhausted, plan, table, to_json
from components.planning.works import WORKS

SMOKE = parse_params(profile_values("smoke"), source="smoke")
FOUR = Machine(memory=4 * 10**9, accelerated=False)
TIGHT = Machine(memory=600 * 10**6, accelerated=False)


@pytest.mark.parametrize("profile", ["smoke", pytest.param("laptop", marks=pytest.mark.slow)])
def test_these_profiles_fit_four_gigabytes(profile: str) -> None:
    params = parse_params(profile_values(profile), source=profile)
    rows = list(plan(params, FOUR))
    assert [row.stage for row in rows] == [f"{stage}@{name}" for name in params.pipeline.backbones for stage in WORKS]
    assert {row.verdict for row in rows} == {"fits"}


def test_what_fits_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    announce(SMOKE, FOUR, backbone="wan22", stage="stage1")
    assert capsys.readouterr().err.count("\n") == 1


def test_what_cannot_fit_is_refused_before_it_runs() -> None:
    with pytest.raises(
        ParametersError, match=r"evaluate@wan22: needs about 0\.79 GB of memory, and 0\.60 GB are free: "
    ):
        announce(SMOKE, TIGHT, backbone="wan22", stage="evaluate")


def test_an_estimate_that_fails_stops_no_stage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("shapes differ\nand more")

    monkeypatch.setattr(planning, "estimate", fails)
    announce(SMOKE, FOUR, backbone="wan22", stage="stage2")
    said = capsys.readouterr().err
    assert said.startswith("warning: stage2@wan22: no estimate of its memory: it fails without values (RuntimeError: ")


def test_memory_that_ran_out_is_advised_less_than_was_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def advised(_params: object, _backbone: str, _stage: str, machine: Machine) -> str:
        asked.append(machine.memory)
        return "lower prepare.batch_size to 2"

    monkeypatch.setattr(planning, "advice", advised)
    error = exhausted(SMOKE, FOUR, backbone="wan22", stage="prepare")
    needed = planning.plan_stage(SMOKE, FOUR, backbone="wan22", stage="prepare").fit
    assert needed is not None
    assert asked == [round(0.75 * needed.needed)]
    assert str(error).startswith("prepare@wan22: out of memory, of which about 0.")
    assert str(error).endswith("lower prepare.batch_size to 2")


def test_published_weights_need_nothing_to_be_named() -> None:
    params = parse_params(profile_values("gpu"), source="gpu")
    row = planning.plan_stage(params, FOUR, backbone="wan22", stage="prepare")
    assert row.verdict == "fits: it holds no model"
    assert to_json([row])["prepare@wan22"]["fits"] is True


def test_the_table_has_a_line_a_stage_and_json_its_bytes() -> None:
    row = planning.plan_stage(SMOKE, FOUR, backbone="wan22", stage="stage2")
    assert row.estimate is not None
    heading, line = table([row]).splitlines()
    assert heading.split()[:3] == ["stage", "weights", "training"]
    assert line.split()[0] == "stage2@wan22"
    assert line.split()[-1] == "fits"
    values = json.loads(json.dumps(to_json([row])))["stage2@wan22"]
    figures = values["estimate"]
    coming = sum(figures[name] for name in ("gradients", "optimiser", "averages", "activations", "temporaries"))
    assert figures["total"] == figures["weights"] + figures["data"] + max(coming, figures["reading"])
    assert values["needed"] > values["estimate"]["total"]
