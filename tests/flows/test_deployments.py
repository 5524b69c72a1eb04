"""prefect.yaml: every deployment starts a flow there is, by parameters it takes, when its schedule says."""

import ast
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from flows.server import POOL

FILE = Path("prefect.yaml")
DEPLOYMENTS = yaml.safe_load(FILE.read_text())["deployments"]
FLOWS = {
    node.name: {argument.arg for argument in node.args.kwonlyargs}
    for node in ast.parse(Path("flows/run.py").read_text()).body
    if isinstance(node, ast.FunctionDef) and any("flow(" in ast.unparse(line) for line in node.decorator_list)
}


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: f"{one['entrypoint']}/{one['name']}")
def test_a_deployment_starts_a_flow_of_ours(deployment: dict[str, object]) -> None:
    path, _, name = str(deployment["entrypoint"]).partition(":")
    assert path == "flows/run.py"
    assert set(deployment.get("parameters") or {}) <= FLOWS[name]  # type: ignore[call-overload]
    assert deployment["work_pool"] == {"name": POOL}


def test_every_flow_can_be_started_and_two_are_scheduled_in_a_time_zone() -> None:
    assert {one["entrypoint"].partition(":")[2] for one in DEPLOYMENTS} == set(FLOWS)
    schedules = {one["name"]: one["schedules"] for one in DEPLOYMENTS if "schedules" in one}
    assert set(schedules) == {"weekly", "nightly"}
    for schedule in (schedule for found in schedules.values() for schedule in found):
        assert len(schedule["cron"].split()) == 5
        assert ZoneInfo(schedule["timezone"])


def test_its_top_says_how_another_server_gets_it() -> None:
    assert f"# {''.join(('  prefect work-pool create ', POOL))} --type process" in FILE.read_text()
