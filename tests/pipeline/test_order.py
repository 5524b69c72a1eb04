"""What waits for what follows from paths, and why a stage would run from what waits for it."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from components.pipeline.graph import GraphStage
from components.pipeline.order import followers, meet, reasons, sources, upstream, with_upstream


def stage(name: str, *inputs: str) -> GraphStage:
    template = name.partition("@")[0]
    return GraphStage(name=name, template=template, inputs=inputs, code=(), params=(), outs=(f"out/{name}",))


GRAPH = {
    one.name: one
    for one in (
        stage("last", "out/left/x", "out/simulate@b"),  # written before what it waits for
        stage("left", "out/simulate@a"),
        stage("simulate@a"),
        stage("simulate@b"),
    )
}
BEFORE = upstream(GRAPH)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, set[str]]:
    """What up to eight stages wait for, without a circle, in any order."""
    count = draw(st.integers(1, 8))
    before = {f"s{number}": {f"s{other}" for other in range(number) if draw(st.booleans())} for number in range(count)}
    return dict(draw(st.permutations(list(before.items()))))


def test_paths_meet_where_one_lies_in_the_other() -> None:
    assert meet("a/b", "a")
    assert meet("a", "a/b")
    assert not meet("a", "ab")
    assert not meet("a/b", "a/c")


def test_who_waits_for_whom_follows_from_paths() -> None:
    assert {"last": {"left", "simulate@b"}, "left": {"simulate@a"}, "simulate@a": set(), "simulate@b": set()} == BEFORE


def test_a_folder_that_holds_what_several_stages_make_waits_for_all_of_them() -> None:
    report = replace(stage("report"), inputs=("out",), outs=("report.html",))
    assert upstream({**GRAPH, "report": report})["report"] == set(GRAPH)
    assert list(sources(GRAPH, report)) == [f"out/{name}" for name in GRAPH]


def test_a_chain_is_as_long_as_its_longest_way() -> None:
    assert followers(BEFORE) == {"simulate@a": 2, "simulate@b": 1, "left": 1, "last": 0}


def test_a_stage_comes_with_all_it_depends_on() -> None:
    assert with_upstream(BEFORE, ["left"]) == {"left", "simulate@a"}


def test_what_is_behind_a_stale_stage_may_run_after_it() -> None:
    assert reasons(BEFORE, {"simulate@a": "changed command"}) == {
        "simulate@a": "changed command",
        "left": "if what it reads changes: after simulate@a",
        "last": "if what it reads changes: after left",
    }


@given(graphs(), st.sets(st.sampled_from([f"s{number}" for number in range(8)])))
def test_what_would_run_is_what_is_stale_and_all_behind_it(before: Mapping[str, set[str]], stale: set[str]) -> None:
    found = reasons(before, dict.fromkeys(stale, "stale"))
    assert set(found) == {name for name in before if with_upstream(before, [name]) & stale}
    assert all(found[name] == "stale" for name in stale & before.keys())
    order = list(found)
    assert all(order.index(other) < order.index(name) for name in found for other in before[name] if other in found)
