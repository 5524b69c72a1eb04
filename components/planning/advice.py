"""What to change so that a stage fits: searched by estimating, not guessed.

Memory is close to a straight line in every knob, so two estimates say where it crosses what there is; the answer is
estimated too before it is given.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING

from components.planning.estimate import estimate
from components.planning.fit import Fit, fit
from components.planning.knobs import Knob, knobs, smaller_videos
from components.planning.machine import Machine, giga

if TYPE_CHECKING:
    from components.params import Params

STRAIGHT = 2  # attempts
Needs = Callable[["Params"], Fit]


def advice(params: "Params", backbone: str, stage: str, machine: Machine) -> str:
    """What to write into params.yaml, as one clause."""

    known: dict[str, Fit] = {}  # searches of several knobs ask the same

    def needs(changed: "Params") -> Fit:
        key = changed.model_dump_json()
        if key not in known:
            found = estimate(changed, backbone, stage, accelerated=machine.accelerated)
            if found is None:
                raise ValueError(f"{stage}@{backbone} holds no model")
            known[key] = fit(found, machine, stage=stage)
        return known[key]

    counted = machine.ram is not None or not machine.accelerated  # else fewer clips make no difference
    choices = [knob for knob in knobs(params, stage, backbone) if counted or not knob.field.startswith("simulation.")]
    alone = [(knob, value) for knob in choices if (value := furthest(params, knob, needs)) is not None]
    if alone:
        return ", or ".join(knob.said(value) for knob, value in alone) + _other(params, backbone, stage, needs)
    if other := _other(params, backbone, stage, needs):
        return other.removeprefix(", or ")
    return _together(params, backbone, stage, choices, needs)


def furthest(params: "Params", knob: Knob, needs: Needs) -> int | None:
    """The value nearest to the one now with which it fits; None where not even the last does."""
    here, there = needs(params), needs(knob.put(params, knob.last))
    if not there.fits:
        return None
    span = here.needed - there.needed
    share = min(1.0, (there.there - there.needed) / span) if span > 0 else 0.0
    fitting, failing = knob.last, knob.now
    guess = knob.last + int(share * (knob.now - knob.last))
    for attempt in count():
        low, high = sorted((fitting, failing))
        if high - low <= 1:
            return fitting
        guess = min(max(guess, low + 1), high - 1)
        if needs(knob.put(params, guess)).fits:
            fitting = guess
        else:
            failing = guess
        # the line's neighbours first; where the memory is no line, halves of what is left
        towards = 1 if failing > fitting else -1
        guess = fitting + towards if attempt < STRAIGHT else (fitting + failing) // 2
    raise AssertionError("counting ended")


def _other(params: "Params", backbone: str, stage: str, needs: Needs) -> str:
    """A choice that is no number: an adapter in the place of blocks."""
    if stage != "stage2" or params.stage2.trainable == "lora":
        return ""
    adapter = params.model_copy(update={"stage2": params.stage2.model_copy(update={"trainable": "lora"})})
    return ", or write stage2.trainable: lora" if needs(adapter).fits else ""


def _together(params: "Params", backbone: str, stage: str, choices: Sequence[Knob], needs: Needs) -> str:
    """Several knobs, all but the last as far as they go; then smaller videos; then another machine."""
    changed, said = params, []
    for field in [knob.field for knob in choices if knob.field != "stage3.updates"]:  # which prompts leave no room for
        knob = next((one for one in knobs(changed, stage, backbone) if one.field == field), None)
        if knob is None:  # it followed another
            continue
        value = furthest(changed, knob, needs)
        said.append(knob.said(knob.last if value is None else value))
        changed = knob.put(changed, knob.last if value is None else value)
        if value is not None:
            return _listed(said)
    if stage == "stage3" and params.stage3.anchor:  # whose batch is no parameter
        changed = changed.model_copy(update={"stage3": changed.stage3.model_copy(update={"anchor": 0.0})})
        said.append("write stage3.anchor: 0.0")
        if needs(changed).fits:
            return _listed(said)
    for smaller in smaller_videos(changed, backbone):
        if needs(smaller).fits:
            size = f"video.height {smaller.video.height} with video.width {smaller.video.width}"
            return _listed([*said, f"make videos smaller, such as {size}"])
    least = needs(changed)
    return (
        f"no parameter of this stage makes it fit: with the least of all it needs {giga(least.needed)} GB of "
        f"{least.what}: use a larger machine, shorter videos (video.frames) or a smaller backbone"
    )


def _listed(said: Sequence[str]) -> str:
    *first, last = said
    return f"{', '.join(first)} and {last}" if first else last
