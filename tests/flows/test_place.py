"""Where a stage runs: how much of this machine it takes, and what is fetched for it first."""

import threading
from pathlib import Path

import pytest
import yaml

from components.errors import Phys4dError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params
from components.pipeline.graph import load_graph
from flows.place import bring, room_of
from tests.dotted import set_fields


def params_with(**changes: object) -> Params:
    values = profile_values("laptop")
    set_fields(values, **changes)
    return parse_params(values, source="a test")


@pytest.mark.parametrize(
    ("stage", "processes", "trainings", "room"),
    [
        ("simulate@train", 2, 2, 2),
        ("stage2@wan22", 2, 2, 1),
        ("stage2@wan22", 2, 1, 2),
        ("evaluate@open_sora", 8, 3, 2),
        ("stage2@wan22", 1, 2, 1),
        ("validate_pseudo_labels", 2, 2, 1),  # dvc.yaml says how many cores it keeps busy
    ],
)
def test_stages_of_backbones_take_their_share(stage: str, processes: int, trainings: int, room: int) -> None:
    params = params_with(resources__processes=processes, resources__trainings=trainings)
    assert room_of(load_graph(Path())[stage], params, counted=False) == room


def test_where_stages_are_counted_each_is_one_and_one_in_a_pod_none() -> None:
    graph = load_graph(Path())
    assert room_of(graph["simulate@train"], params_with(), counted=True) == 1
    elsewhere = params_with(cluster__executor={"stage2": "kubernetes"}, storage__bucket="data")
    assert room_of(graph["stage2@wan22"], elsewhere, counted=True) == 0


GRAPH = {
    "stages": {
        "one": {"cmd": "one", "outs": ["out/one"]},
        "other": {"cmd": "other", "outs": ["out/other"]},
        "last": {"cmd": "last", "deps": ["out/one/part", "out/other"]},
    }
}
LOCK = {
    "stages": {name: {"outs": [{"path": f"out/{name}", "md5": "0"}]} for name in ("one", "other")},
}


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Commands of DVC, and stages that began, in a project in which dvc.lock has entries of what `last` reads."""
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(profile_values("laptop")))
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(GRAPH))
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump(LOCK))
    commands: list[tuple[str, ...]] = []

    def dvc(_root: Path, *arguments: str) -> str:
        commands.append(arguments)
        return "core.remote=own"

    for module in ("dvc", "inputs"):
        monkeypatch.setattr(f"components.cluster.{module}.dvc", dvc)
    monkeypatch.setattr("flows.place.run_stage", lambda name, **_: commands.append(("stage", name)))
    monkeypatch.chdir(tmp_path)
    return commands


def bring_last(**changes: object) -> None:
    values = yaml.safe_load(Path("params.yaml").read_text())
    set_fields(values, **changes)
    Path("params.yaml").write_text(yaml.safe_dump(values))
    bring("last", force=False, stopping=threading.Event(), say=lambda _: None)


def make(*paths: str) -> None:
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_stage_that_runs_here_has_what_it_reads_fetched_where_only_the_entry_is_here(
    begun: list[tuple[str, ...]],
) -> None:
    make("out/other")
    bring_last(storage__bucket="data")
    assert begun == [("config", "--list"), ("pull", "out/one/part"), ("stage", "last")]


def test_nothing_is_fetched_where_all_is_here(begun: list[tuple[str, ...]]) -> None:
    make("out/one/part", "out/other")
    bring_last(storage__bucket="data", cluster__bring="data", cluster__executor={"one": "kubernetes"})
    assert begun == [("stage", "last")]


def test_what_pods_made_is_asked_for_again_where_entries_come_alone(begun: list[tuple[str, ...]]) -> None:
    make("out/one/part", "out/other")  # of an older entry, for all that is known
    bring_last(storage__bucket="data", cluster__bring="entry", cluster__executor={"one": "kubernetes"})
    assert ("pull", "out/one/part") in begun


def test_what_was_never_made_is_left_to_the_stage_to_say(begun: list[tuple[str, ...]]) -> None:
    Path("dvc.lock").unlink()
    bring_last(storage__bucket="data")
    assert begun == [("stage", "last")]


def test_what_cannot_be_fetched_is_named_and_the_stage_does_not_begin(
    begun: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_root: Path, *_: str) -> str:
        raise Phys4dError("dvc pull: no such bucket")

    monkeypatch.setattr("components.cluster.inputs.dvc", refuses)
    make("out/other")
    message = r"last reads out/one/part, .*entry.*\(dvc pull: no such bucket\): .*phys4d stage one$"
    with pytest.raises(Phys4dError, match=message):
        bring_last(storage__bucket="data")
    assert ("stage", "last") not in begun
