"""The gate: each reason to refuse, alone and beside any other, refuses and is named; a good model passes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations

import pytest

from components.params import Promotion
from components.registry.gate import Check, Evidence, Rival, examine

PROMOTION = Promotion(
    min_score_gain=0.0,
    min_centroid_gain=0.0,
    min_chamfer_gain=0.0,
    floors={"permanence": 0.5, "depth_warp": 2.0},
    over_champion=["chamfer"],
    no_regression={"score": 1.0},
    sample_steps=4,
    min_motion=0.05,
)


def figures(key: str, low: float, high: float) -> dict[str, float]:
    return {key: (low + high) / 2, f"{key}.low": low, f"{key}.high": high, f"{key}.n": 40}


GOOD = Evidence(
    metrics={
        "evaluation.split": "test",
        **figures("base_to_stage3.score", 2, 4),
        **figures("base_to_stage3.centroid_error", -3, -1),
        **figures("stage2_to_stage3.chamfer", -0.3, -0.1),
        **figures("stage3.permanence", 0.6, 0.8),
        **figures("stage3.depth_warp", 1.0, 1.5),
    },
    files="",
    sample="",
    motion=1.0,
    rival=Rival(number=3, figures=figures("chamfer", -0.2, -0.05) | figures("score", -0.9, 0.5)),
)

Harm = Callable[[Evidence], Evidence]


def measured(**changes: float | str) -> Harm:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return lambda evidence: replace(evidence, metrics={**evidence.metrics, **named})


def beside(changes: Mapping[str, float]) -> Harm:
    def harm(evidence: Evidence) -> Evidence:
        assert evidence.rival
        return replace(evidence, rival=replace(evidence.rival, figures={**evidence.rival.figures, **changes}))

    return harm


HARMS: dict[str, Harm] = {  # by the check that must fail, and it alone
    "split": measured(evaluation__split="dev"),
    "score gain over base": measured(base_to_stage3__score__low=-0.1),
    "centroid error gain over base": measured(base_to_stage3__centroid_error__high=0.1),
    "Chamfer gain over stage 2": measured(stage2_to_stage3__chamfer__high=0.01),
    "permanence above 0.5": measured(stage3__permanence__low=0.5),
    "depth_warp below 2": measured(stage3__depth_warp__high=2.1),
    "chamfer gain over the champion": beside({"chamfer.high": 0.0}),
    "score no worse than the champion": beside({"score.low": -1.1}),
    "files": lambda evidence: replace(evidence, files="heads.safetensors: not the file that version.json names"),
    "sample": lambda evidence: replace(evidence, motion=0.05),
    "not withdrawn": lambda evidence: replace(evidence, withdrawn=True),
}


def refused(evidence: Evidence) -> set[str]:
    return {check.name for check in examine(evidence, PROMOTION) if not check.passed}


def test_a_good_model_passes_every_check() -> None:
    assert refused(GOOD) == set()
    assert {check.name for check in examine(GOOD, PROMOTION)} == {*HARMS, "comparable with the champion"}


@pytest.mark.parametrize("reason", HARMS)
def test_each_reason_alone_refuses_and_is_named(reason: str) -> None:
    assert refused(HARMS[reason](GOOD)) == {reason}


@pytest.mark.parametrize(("one", "other"), list(combinations(HARMS, 2)))
def test_two_reasons_are_both_named(one: str, other: str) -> None:
    assert refused(HARMS[other](HARMS[one](GOOD))) == {one, other}


@pytest.mark.parametrize("reason", HARMS)
def test_an_incomparable_champion_refuses_beside_every_other_reason(reason: str) -> None:
    rival = Rival(number=3, figures={}, incomparable="measured on other scenes")
    expected = {reason, "comparable with the champion"} - {
        "chamfer gain over the champion",  # not known, and not needed to refuse
        "score no worse than the champion",
    }
    assert refused(replace(HARMS[reason](GOOD), rival=rival)) == expected


def test_the_first_champion_has_none_to_gain_over() -> None:
    first = replace(GOOD, rival=None)
    assert refused(first) == set()
    assert not any("champion" in check.name for check in examine(first, PROMOTION))


UNDEFINED: list[Harm] = [
    measured(stage3__permanence__low=math.nan),
    measured(stage3__permanence__n=1),
    beside({"chamfer.high": math.nan}),
    beside({"score.low": math.nan}),
    lambda evidence: replace(evidence, motion=math.nan),
    lambda evidence: replace(evidence, motion=None),
    lambda evidence: replace(evidence, rival=Rival(number=3, figures={})),
]


@pytest.mark.parametrize("harm", UNDEFINED)
def test_a_figure_that_is_not_defined_never_passes(harm: Harm) -> None:
    assert refused(harm(GOOD)) != set()


def test_no_worse_allows_the_tolerance_itself_and_a_gain_is_more_than_its_threshold() -> None:
    assert refused(beside({"score.low": -1.0})(GOOD)) == set()
    assert refused(beside({"chamfer.high": 0.0})(GOOD)) == {"chamfer gain over the champion"}


def test_a_check_has_all_its_numbers() -> None:
    found = {check.name: check for check in examine(GOOD, PROMOTION)}
    assert found["chamfer gain over the champion"] == Check(
        name="chamfer gain over the champion",
        passed=True,
        text="chamfer gain over the champion +0.125 (at least +0.05), needed more than 0",
        value=0.125,
        low=0.05,
        high=0.2,
        threshold=0.0,
        n=40,
    )
    assert found["depth_warp below 2"].text == "depth_warp +1.25 (at most +1.5), needed below 2"
