"""Variants of the method, as a YAML file names them: differences from params.yaml, with as many examples as another."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.ablation.cost import JUDGED, cost_of
from components.errors import ParametersError
from components.parameters.loader import parse_params, read_yaml
from components.parameters.profiles import overlay

if TYPE_CHECKING:
    from components.params import Params

VARIANTS_FILE = Path(__file__).with_name("variants.yaml")
MATCHED = {"prepare.steps": "base", "stage2.diffusion_steps": "stage2"}  # whose batches a field counts


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One variant. judged: its model that is measured; like: what it is compared with; matched: steps to be raised.

    best_of: videos for each that is measured; the reward chooses among them.
    """

    name: str
    judged: str
    like: str | None = None
    matched: str | None = None
    best_of: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)


def load_variants(path: Path = VARIANTS_FILE) -> dict[str, Variant]:
    """The variants of a file by name; ParametersError names what is wrong in it."""
    variants: dict[str, Variant] = {}
    for name, body in read_yaml(path).items():
        place = f"{path.name}: {name}"
        if not isinstance(body, dict):
            raise ParametersError(f"{place}: {body!r}, expected a mapping with judged")
        if unknown := sorted(body.keys() - {"judged", "like", "matched", "best_of", "params"}):
            raise ParametersError(f"{place}.{unknown[0]}: unknown, expected judged, like, matched, best_of or params")
        variants[name] = Variant(name=name, **{"judged": None, **body})
    for variant in variants.values():
        _check(variant, variants, place=f"{path.name}: {variant.name}")
    return variants


def _check(variant: Variant, variants: Mapping[str, Variant], *, place: str) -> None:
    if variant.judged not in JUDGED:
        raise ParametersError(f"{place}.judged: {variant.judged!r}, expected one of {', '.join(JUDGED)}")
    if variant.like is not None and variant.like not in variants:
        near = difflib.get_close_matches(variant.like, variants, n=1)
        meant = f": did you mean {near[0]}?" if near else ""
        raise ParametersError(f"{place}.like: no variant {variant.like!r}{meant}")
    if type(variant.best_of) is not int or variant.best_of < 1:
        raise ParametersError(f"{place}.best_of: {variant.best_of!r}, expected a whole number of at least 1")
    if variant.best_of > 1 and variant.judged == "base":
        raise ParametersError(f"{place}.best_of: {variant.best_of}, expected 1: a base has no heads to read a reward")
    if variant.matched is None:
        return
    if variant.matched not in MATCHED:
        raise ParametersError(f"{place}.matched: {variant.matched!r}, expected one of {', '.join(MATCHED)}")
    if variant.like is None:
        raise ParametersError(f"{place}.matched: needs like, the variant whose examples it shall have")


def params_of(variant: Variant, params: "Params", variants: Mapping[str, Variant], *, replicate: int = 0) -> "Params":
    """The parameters of a variant's training; replicates have other weights, batches and noise on the same data."""
    values = params.model_dump(mode="json")
    overlay(values, variant.params, source=f"variant {variant.name}")
    values["seed"] = params.seed + replicate
    changed = parse_params(values, source=f"variant {variant.name}")
    if variant.matched is None or variant.like is None:
        return changed
    other = variants[variant.like]
    wanted = cost_of(params_of(other, params, variants), other.judged).examples
    missing = wanted - cost_of(changed, variant.judged).examples
    section, name = variant.matched.split(".")
    more = math.ceil(missing / getattr(changed, section).batch_size)
    if more < 0:
        raise ParametersError(
            f"variant {variant.name}: has trained on {-missing} examples more than {other.name} already, and "
            f"{variant.matched} can only be raised"
        )
    values[section][name] += more
    return parse_params(values, source=f"variant {variant.name}")
