"""The kinds of values that sections of params.yaml are made of. Every number has bounds, and wide ones."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from components.simulation.catalogue import family_names


@dataclass(frozen=True, kw_only=True)
class Within:
    """Refuses bounds [low, high] that do not lie between two numbers."""

    least: float
    most: float

    def __call__(self, bounds: tuple[float, float]) -> tuple[float, float]:
        """`bounds` as they are; ValueError says what was expected."""
        if not self.least <= bounds[0] <= bounds[1] <= self.most:
            expected = f"[low, high] with {self.least:g} <= low <= high <= {self.most:g}"
            raise ValueError(f"{list(bounds)} is wrong, expected {expected}")
        return bounds


def within(least: float, most: float) -> AfterValidator:
    """Bounds [low, high] that lie between two numbers, which stand in the field's metadata for whoever asks."""
    return AfterValidator(Within(least=least, most=most))


def known_families(category: str) -> AfterValidator:
    """Shares by name, refused where a name is not that of a family of the category."""

    def check(shares: dict[str, float]) -> dict[str, float]:
        known = family_names(category)
        for name in shares:
            if name not in known:
                raise ValueError(f"unknown family {name[:40]!r}, expected one of {', '.join(known)}")
        return shares

    return AfterValidator(check)


def square(count: int) -> int:
    """A number of samples that fill a square."""
    if count not in (1, 4, 9, 16):
        raise ValueError(f"{count} is wrong, expected 1, 4, 9 or 16")
    return count


def device(name: str) -> str:
    """The name of a device, whether it is there or not: parameters travel to machines that have it."""
    if not re.fullmatch(r"cpu|cuda(:\d{1,3})?", name):
        raise ValueError(f"{name[:40]!r} is wrong, expected cpu, cuda, or one of several: cuda:0, cuda:1, ...")
    return name


Range = tuple[float, float]
UnitRange = Annotated[Range, within(0, 1)]
Share = Annotated[float, Field(ge=0, le=1)]
Shares = Annotated[dict[str, Annotated[float, Field(ge=0.001, le=1)]], Field(min_length=1)]
Steps = Annotated[int, Field(ge=1, le=10_000_000)]
BatchSize = Annotated[int, Field(ge=1, le=4096)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
LoraRank = Annotated[int, Field(ge=1, le=1024)]
Weight = Annotated[float, Field(ge=0, le=1000)]
RewardWeight = Annotated[float, Field(ge=-1000, le=1000)]


class Section(BaseModel):
    """Base of every section: frozen, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
