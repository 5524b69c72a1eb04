"""Advice is what was searched: the value that it names fits, and the next one does not."""

import re
from typing import TYPE_CHECKING

import pytest

from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.planning.advice import advice, furthest
from components.planning.estimate import estimate
from components.planning.fit import PROGRAM, Fit, fit
from components.planning.knobs import Knob, knobs
from components.planning.machine import Machine

if TYPE_CHECKING:
    from components.params import Params

SMOKE = parse_params(profile_values("smoke"), source="smoke").model_copy()
LARGE = SMOKE.model_copy(
    update={"stage2": SMOKE.stage2.model_copy(update={"batch_size": 400, "heads_batch_size": 2, "blocks": 2})}
)


def machine(gigabytes: float) -> Machine:
    return Machine(memory=round(gigabytes * 10**9), accelerated=False)


@pytest.mark.parametrize("limit", [7, 99, 100, 399])
def test_the_search_ends_at_the_last_that_fits(limit: int) -> None:
    """Of needs that are no straight line."""
    knob = next(knob for knob in knobs(LARGE, "stage2", "wan22") if knob.field == "stage2.batch_size")

    def needs(params: "Params") -> Fit:
        return Fit(needed=params.stage2.batch_size**3, there=limit**3, what="memory")

    assert furthest(LARGE, knob, needs) == limit


def test_a_knob_that_is_raised_is_raised_as_little_as_it_takes() -> None:
    knob = Knob(
        field="stage3.updates",
        now=1,
        last=64,
        put=lambda params, value: params.model_copy(
            update={"stage3": params.stage3.model_copy(update={"updates": value})}
        ),
    )

    def needs(params: "Params") -> Fit:
        return Fit(needed=1000 // params.stage3.updates, there=50, what="memory")

    assert furthest(LARGE, knob, needs) == 20
    assert knob.said(20) == "raise stage3.updates to 20 (now 1)"


def test_fewer_configurations_are_advised_where_data_are_what_is_too_much() -> None:
    split = SMOKE.simulation.splits.train.model_copy(update={"configurations": {"rigid": 10_000}})
    splits = SMOKE.simulation.splits.model_copy(update={"train": split})
    changed = SMOKE.model_copy(
        update={
            "simulation": SMOKE.simulation.model_copy(update={"splits": splits}),
            "video": SMOKE.video.model_copy(update={"frames": 9}),
            "stage2": SMOKE.stage2.model_copy(update={"batch_size": 2, "heads_batch_size": 1, "trainable": "lora"}),
        }
    )
    said = advice(changed, "wan22", "stage2", machine(2))
    number = re.fullmatch(r"lower simulation\.splits\.train\.configurations to (\d+) \(now 10000\)", said)
    assert number is not None
    per_clip = 9 * 64 * 64 * 4 + 8 * 64 * 64 * 7 + 4 * 24 * 3 * 64 + 4 * 16 * 16
    assert int(number[1]) == pytest.approx((2e9 - PROGRAM) / per_clip, rel=0.05)


def test_where_nothing_is_enough_a_larger_machine_is_advised_with_its_size() -> None:
    said = advice(SMOKE, "wan22", "evaluate", machine(0.1))
    assert re.search(r"with the least of all it needs 0\.79 GB of memory: use a larger machine", said)


def test_what_must_follow_is_said_with_it() -> None:
    """Else the parameters that it advises would be refused."""
    batch = next(knob for knob in knobs(LARGE, "stage2", "wan22") if knob.field == "stage2.batch_size")
    assert batch.said(1) == "lower stage2.batch_size to 1 (now 400) and with it stage2.heads_batch_size"
    assert batch.put(LARGE, 1).stage2.heads_batch_size == 1
    assert batch.said(2) == "lower stage2.batch_size to 2 (now 400)"


def test_several_are_lowered_where_none_alone_is_enough() -> None:
    params = LARGE.model_copy(update={"stage2": LARGE.stage2.model_copy(update={"heads_batch_size": 400})})
    least = params.model_copy(
        update={"stage2": params.stage2.model_copy(update={"batch_size": 1, "heads_batch_size": 1})}
    )
    found = estimate(least, "wan22", "stage2", accelerated=False)
    assert found is not None
    there = fit(found, machine(1), stage="stage2").needed - 1000
    said = advice(params, "wan22", "stage2", Machine(memory=there, accelerated=False))
    assert "lower stage2.batch_size to 1 (now 400) and with it stage2.heads_batch_size" in said
