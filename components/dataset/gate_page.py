"""What the gate on simulated clips found, as HTML: one file that asks for no other, the same for the same clips."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.dataset.contents import Charts, FamilyCount
from components.dataset.drawing import page_environment
from components.dataset.histograms import HEIGHT, WIDTH, charts
from components.errors import ClipError
from components.index import IndexRow, read_index, summary

if TYPE_CHECKING:
    from components.quality import Check

CLIPS_NAMED = 8  # of those that break an expectation
SHOWN = {  # columns of the index that are drawn, and their units
    "valid_share": "of pixels",
    "depth_min": "m",
    "depth_max": "m",
    "max_flow": "px a frame",
    "max_speed": "m/s",
    "moving_share": "of steps",
    "seen_share": "of frames",
    "attempts": "draws",
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One expectation: what it speaks of, what is expected and what was observed; clips: some that break it, of all."""

    subject: str
    expected: str
    observed: str
    passed: bool
    clips: tuple[str, ...]
    broken: int


@dataclass(frozen=True, kw_only=True)
class Balance:
    """One category: its clips, and what share of all they are."""

    category: str
    clips: int
    share: float
    families: tuple[FamilyCount, ...]


@dataclass(frozen=True, kw_only=True)
class GatePage:
    """What stands on the page. files: expectations on shards and rows, those that hold counted only."""

    split: str
    clips: int
    shards: int
    files: tuple[Line, ...]
    families: tuple[Line, ...]
    columns: tuple[Line, ...]
    balance: tuple[Balance, ...]
    measured: Charts

    @property
    def lines(self) -> tuple[Line, ...]:
        """All expectations."""
        return (*self.files, *self.families, *self.columns)

    @property
    def failed(self) -> int:
        """How many do not hold."""
        return sum(not line.passed for line in self.lines)


def gate_page(checks: Sequence["Check"], folder: Path, *, split: str) -> str:
    """The page on `checks` of the split in `folder`, whose index is read again where it can be."""
    try:
        rows = read_index(folder)
    except ClipError:
        rows = []
    page = GatePage(
        split=split,
        clips=len(rows),
        shards=len({row.shard for row in rows}),
        files=tuple(_line(check) for check in checks if not check.kind and not _of_family(check)),
        families=tuple(_line(check) for check in checks if _of_family(check)),
        columns=tuple(_line(check) for check in checks if check.kind),
        balance=tuple(_balance(rows)),
        measured=_measured(rows),
    )
    return page_environment().get_template("gate.html.jinja").render(page=page, drawing=(WIDTH, HEIGHT))


def _of_family(check: "Check") -> bool:
    return check.expectation.startswith("of the draws of ")


def _line(check: "Check") -> Line:
    return Line(
        subject=_subject(check),
        expected=_expected(check) if check.kind else check.expectation,
        observed=check.observed.removeprefix("observed "),
        passed=check.passed,
        clips=check.rows[:CLIPS_NAMED],
        broken=len(check.rows),
    )


def _subject(check: "Check") -> str:
    if check.column:
        return check.column
    if "column_list" in check.bounds:
        return ", ".join(check.bounds["column_list"])
    if not check.kind:
        return ""
    where = check.bounds.get("where", {})
    return "clips of " + ", ".join(str(value) for value in where.values()) if where else "all clips"


def _expected(check: "Check") -> str:
    """An expectation in words; its name where there are none for it."""
    bounds = check.bounds
    if check.kind.endswith("be_unique"):
        return "no two alike"
    if check.kind.endswith("be_in_set"):
        return "one of " + ", ".join(str(value) for value in bounds["value_set"])
    if check.kind.endswith("row_count_to_equal"):
        return f"{bounds['value']} clips"
    if not check.kind.endswith("be_between"):
        return f"{check.kind} {dict(bounds)}"
    low, high, mostly = (bounds.get(name) for name in ("min_value", "max_value", "mostly"))
    low = f"more than {low:.6g}" if bounds.get("strict_min") else f"at least {low:.6g}"
    text = low if high is None else f"{low}, at most {high:.6g}"
    text += (" character" + "s" * (bounds["min_value"] != 1)) if "lengths" in check.kind else ""
    return text if mostly is None else f"{text}, in {mostly:.0%} of the clips or more"


def _balance(rows: Sequence[IndexRow]) -> Iterator[Balance]:
    clips, counted = Counter(row.category for row in rows), summary(rows)
    for category, count in sorted(clips.items()):
        families = []
        for key, found in counted.items():
            causes = sorted(found["rejects"].items(), key=lambda item: (-item[1], item[0]))
            if key.startswith(f"{category}/"):
                family = key.removeprefix(f"{category}/")
                families.append(
                    FamilyCount(
                        family=family,
                        configurations=found["configurations"],
                        clips=sum((row.category, row.family) == (category, family) for row in rows),
                        rejects=sum(number for _, number in causes),
                        causes=tuple(causes),
                    )
                )
        yield Balance(category=category, clips=count, share=count / len(rows), families=tuple(families))


def _measured(rows: Sequence[IndexRow]) -> Charts:
    columns = {name.replace("_", " "): [float(getattr(row, name)) for row in rows] for name in SHOWN}
    units = {name.replace("_", " "): unit for name, unit in SHOWN.items()}
    histograms, words, same = charts(columns, units) if rows else ((), (), ())
    return Charts(title="measured", histograms=histograms, words=words, same=same, alone=len(rows) == 1)
