"""The promotion gate: what the last stage must have gained, as the report shows it and the registry acts on it.

A gain counts by the lower end of its paired 95 % interval, which must lie above the threshold. Gains are positive when
the later stage is better: the differences of errors and distances change their sign here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.errors import Phys4dError

if TYPE_CHECKING:
    from components.params import Promotion

PROMOTING_SPLIT = "test"  # dev is what models are tuned on


@dataclass(frozen=True, kw_only=True)
class Check:
    """One gain: its mean, the lower end of its interval, and what that must exceed; NaN is undefined.

    n: the scenes on which it is defined, None when metrics.json does not say.
    """

    name: str
    value: float
    low: float
    threshold: float
    passed: bool
    n: int | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a model may become the champion, and why, in one line."""

    promoted: bool
    checks: tuple[Check, ...]
    text: str


@dataclass(frozen=True, kw_only=True)
class _Gain:
    name: str
    unit: str
    key: str  # of the paired difference in metrics.json, later minus earlier
    sign: int  # +1: more is better
    threshold: float


def decide(metrics: Mapping[str, float | str], promotion: "Promotion") -> Verdict:
    """The verdict on the figures of metrics.json; Phys4dError names a figure that is not there."""
    gains = _gains(promotion)
    checks = tuple(_check(gain, metrics) for gain in gains)
    split = metrics.get("evaluation.split")
    measured = split == PROMOTING_SPLIT
    promoted = measured and all(check.passed for check in checks)
    found = [_sentence(gain, check) for gain, check in zip(gains, checks, strict=True)]
    if not measured:
        found.append(f"measured on the split {split!r}, where {PROMOTING_SPLIT!r} decides")
    return Verdict(
        promoted=promoted, checks=checks, text=f"{'promoted' if promoted else 'not promoted'}: {'; '.join(found)}"
    )


def _gains(promotion: "Promotion") -> tuple[_Gain, ...]:
    return (
        _Gain(
            name="score gain over base",
            unit="points",
            key="base_to_stage3.score",
            sign=1,
            threshold=promotion.min_score_gain,
        ),
        _Gain(
            name="centroid error gain over base",
            unit="px",
            key="base_to_stage3.centroid_error",
            sign=-1,
            threshold=promotion.min_centroid_gain,
        ),
        _Gain(
            name="Chamfer gain over stage 2",
            unit="m",
            key="stage2_to_stage3.chamfer",
            sign=-1,
            threshold=promotion.min_chamfer_gain,
        ),
    )


def _check(gain: _Gain, metrics: Mapping[str, float | str]) -> Check:
    end = f"{gain.key}.{'low' if gain.sign > 0 else 'high'}"
    n = int(_number(metrics, f"{gain.key}.n")) if f"{gain.key}.n" in metrics else None
    few = n is not None and n < 2  # the summary gives no interval then, and no mean of none
    value = gain.sign * (math.nan if few and gain.key not in metrics else _number(metrics, gain.key))
    low = gain.sign * (math.nan if few else _number(metrics, end))
    passed = low > gain.threshold
    return Check(name=gain.name, value=value, low=low, threshold=gain.threshold, passed=passed, n=n)


def _number(metrics: Mapping[str, float | str], key: str) -> float:
    value = metrics.get(key)
    if isinstance(value, str) or value is None:
        raise Phys4dError(f"metrics.json has no number {key}: run the stage evaluate again")
    return float(value)


def _sentence(gain: _Gain, check: Check) -> str:
    if check.n is not None and check.n < 2:
        return f"{check.name} is defined on {check.n} {'scene' if check.n == 1 else 'scenes'}, needed 2 or more"
    sentence = f"{check.name} {check.value:+.3g} {gain.unit}"
    if math.isnan(check.low):
        return f"{sentence}, its interval undefined"
    sentence += f" (at least {check.low:+.3g})"
    return sentence if check.passed else f"{sentence}, needed more than {check.threshold:g}"
