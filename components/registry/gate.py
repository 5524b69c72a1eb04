"""The gate of the registry: every condition of becoming champion as a named check with its numbers.

What the last stage must gain over base and stage 2 is decided by `components.evaluation.verdict`, as the report shows
it. Here that is joined by absolute floors, the comparison with the present champion, and the version itself: its files
and a sample that was drawn from them. Gains are positive when the challenger is better.
"""

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from components.evaluation.verdict import PROMOTING_SPLIT, decide
from components.report.catalogue import metric_of

if TYPE_CHECKING:
    from components.params import Promotion

LAST = "stage3"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition; text: what was found, and what was needed when it failed. Numbers are None where there are none.

    value lies in the interval low to high, which is held against the threshold; n: the scenes it comes from.
    """

    name: str
    passed: bool
    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rival:
    """The present champion. figures: paired differences by metric, challenger minus champion; or why there are none."""

    number: int
    figures: Mapping[str, float]
    incomparable: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that is decided on. rival: None when nobody else is champion.

    files, sample: what is wrong with the version's files and with a sample drawn from them, empty for nothing; motion:
    of the sample, in grey levels, None when there is none.
    """

    metrics: Mapping[str, float | str]
    files: str
    sample: str
    motion: float | None
    rival: Rival | None
    withdrawn: bool = False


def examine(evidence: Evidence, promotion: "Promotion") -> tuple[Check, ...]:
    """Every check, in the order in which they are told."""
    return (
        *_over_former_stages(evidence.metrics, promotion),
        *(_floor(metric, least, evidence.metrics) for metric, least in promotion.floors.items()),
        *_against(evidence.rival, promotion),
        Check(name="files", passed=not evidence.files, text=evidence.files or "every file has its sha256"),
        _sample(evidence, promotion.min_motion),
        Check(
            name="not withdrawn",
            passed=not evidence.withdrawn,
            text="a rollback withdrew it: promote it with --again" if evidence.withdrawn else "no rollback withdrew it",
        ),
    )


def _over_former_stages(metrics: Mapping[str, float | str], promotion: "Promotion") -> Iterator[Check]:
    split = metrics.get("evaluation.split")
    passed = split == PROMOTING_SPLIT
    text = f"measured on the split {split!r}" + ("" if passed else f", where {PROMOTING_SPLIT!r} decides")
    yield Check(name="split", passed=passed, text=text)
    verdict = decide(metrics, promotion)
    for check in verdict.checks:
        yield Check(
            name=check.name,
            passed=check.passed,
            text=_told(check.name, check.value, check.low, check.n, needed=f"more than {check.threshold:g}"),
            value=check.value,
            low=check.low,
            threshold=check.threshold,
            n=check.n,
        )


def _floor(metric: str, threshold: float, metrics: Mapping[str, float | str]) -> Check:
    """The whole interval of the last stage lies on the good side of the threshold."""
    value, low, high, n = _interval(f"{LAST}.{metric}", metrics)
    higher = metric_of(metric).better == "higher"
    end = low if higher else high
    needed = f"{'above' if higher else 'below'} {threshold:g}"
    name = f"{metric} {needed}"
    return Check(
        name=name,
        passed=end > threshold if higher else end < threshold,
        text=_told(metric, value, end, n, needed=needed, most=not higher),
        value=value,
        low=low,
        high=high,
        threshold=threshold,
        n=n,
    )


def _against(rival: Rival | None, promotion: "Promotion") -> Iterator[Check]:
    if rival is None:
        return
    champion = f"version {rival.number}, the champion"
    comparable = not rival.incomparable
    text = rival.incomparable or f"measured on the same scenes by the same instruments as {champion}"
    yield Check(name="comparable with the champion", passed=comparable, text=text)
    if not comparable:
        return
    for metric in promotion.over_champion:
        yield _difference(
            f"{metric} gain over the champion", metric, rival.figures, Needed(0.0, operator.gt, "more than")
        )
    for metric, tolerance in promotion.no_regression.items():
        needed = Needed(-tolerance, operator.ge, "at least")
        yield _difference(f"{metric} no worse than the champion", metric, rival.figures, needed)


class Needed(NamedTuple):
    """What the lower end of an interval must be, in relation to a threshold."""

    threshold: float
    passes: Callable[[float, float], bool]
    words: str


def _difference(name: str, metric: str, figures: Mapping[str, float], needed: Needed) -> Check:
    sign = 1 if metric_of(metric).better == "higher" else -1
    value, one, other, n = _interval(metric, figures)
    low, high = (one, other) if sign > 0 else (-other, -one)
    return Check(
        name=name,
        passed=needed.passes(low, needed.threshold),
        text=_told(name, sign * value, low, n, needed=f"{needed.words} {needed.threshold:g}"),
        value=sign * value,
        low=low,
        high=high,
        threshold=needed.threshold,
        n=n,
    )


def _sample(evidence: Evidence, least: float) -> Check:
    motion = evidence.motion
    moves = motion is not None and motion > least
    if evidence.sample or motion is None:
        text = evidence.sample or "no sample was drawn"
    else:
        text = f"a sample drawn from the registered files changes by {motion:.3g} grey levels a frame"
        text += "" if moves else f", needed more than {least:g}: it is a still"
    return Check(
        name="sample",
        passed=moves and not evidence.sample,
        text=text,
        value=motion,
        threshold=least,
    )


def _interval(key: str, figures: Mapping[str, float | str]) -> tuple[float, float, float, int | None]:
    """Value, low and high of a figure, NaN where it is not defined, and its number of scenes."""
    value, low, high = (float(figures.get(f"{key}{end}", math.nan)) for end in ("", ".low", ".high"))
    n = figures.get(f"{key}.n")
    if n is not None and int(n) < 2:
        low = high = math.nan
    return value, low, high, None if n is None else int(n)


def _told(name: str, value: float, end: float, n: int | None, *, needed: str, most: bool = False) -> str:
    """A figure, the end of its interval that counts, and what was needed."""
    if n is not None and n < 2:
        return f"{name} is defined on {n} {'scene' if n == 1 else 'scenes'}, needed 2 or more"
    if math.isnan(value):
        return f"{name} is not among the figures: run the stage evaluate again"
    if math.isnan(end):
        return f"{name} {value:+z.3g}, its interval undefined"
    return f"{name} {value:+z.3g} ({'at most' if most else 'at least'} {end:+z.3g}), needed {needed}"
