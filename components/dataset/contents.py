"""What stands on a contact sheet, as data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.dataset.histograms import Histogram, Words

if TYPE_CHECKING:
    from components.dataset.thumbnails import Thumbnail


@dataclass(frozen=True, kw_only=True)
class Charts:
    """Histograms under a heading. same: what was always the same, by name; alone: there is one only."""

    title: str
    histograms: tuple[Histogram, ...]
    words: tuple[Words, ...]
    same: tuple[tuple[str, str], ...]
    alone: bool


@dataclass(frozen=True, kw_only=True)
class FamilyCount:
    """How many there are of one family, and why draws of it were rejected, the most frequent cause first."""

    family: str
    configurations: int
    clips: int
    rejects: int
    causes: tuple[tuple[str, int], ...]

    @property
    def draws(self) -> int:
        """What was drawn of this family."""
        return self.configurations + self.rejects


@dataclass(frozen=True, kw_only=True)
class CategorySheet:
    """One category: pictures, counts, what was drawn, what came of it."""

    name: str
    families: tuple[FamilyCount, ...]
    thumbnails: "tuple[Thumbnail, ...]"
    drawn: tuple[Charts, ...]
    around: Charts
    measured: Charts

    @property
    def total(self) -> FamilyCount:
        """All families together."""
        return FamilyCount(
            family="all",
            configurations=sum(family.configurations for family in self.families),
            clips=sum(family.clips for family in self.families),
            rejects=sum(family.rejects for family in self.families),
            causes=(),
        )


@dataclass(frozen=True, kw_only=True)
class SplitLine:
    """One split in a line."""

    name: str
    configurations: int
    clips: int
    views: int
    takes: int
    shape: str
    megabytes: float


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The page's content. damaged: clips that were left out."""

    folder: str
    splits: tuple[SplitLine, ...]
    categories: tuple[CategorySheet, ...]
    damaged: tuple[str, ...]
