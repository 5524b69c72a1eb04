"""4D world consistency on the page: the catalogue's metrics group by group, and the models' own heads apart from it."""

from dataclasses import dataclass

from components.evaluation.consistency import catalogue
from components.report.catalogue import MODELS, OWN
from components.report.figures import Figures
from components.report.results import Comparison, Table, arranged, comparisons, table

GROUPS = tuple(dict.fromkeys(metric.group for metric in catalogue.METRICS))


@dataclass(frozen=True, kw_only=True)
class Group:
    """The metrics of one group: of every row, and what each stage gained in them."""

    name: str
    table: Table
    gains: tuple[Comparison, ...]


def groups(figures: Figures) -> tuple[Group, ...]:
    """The groups of which something was measured, in the catalogue's order."""
    found = (
        Group(
            name=name,
            table=table(figures, "world", group=name),
            gains=comparisons(figures, "world", group=name),
        )
        for name in GROUPS
    )
    return tuple(group for group in found if group.table.rows)


def own_heads(figures: Figures) -> Table:
    """What the models' own heads say of their videos, under what the judge says of the same in the same metrics."""
    own = [row for row in figures.rows() if figures.row(row).kind == "own"]
    judged = {model for model in MODELS for end in OWN if f"{model}{end}" in own and model in figures.rows()}
    rows = sorted([*judged, *own], key=lambda row: (row.split("_")[0], row))
    return arranged(figures, rows, (metric for row in own for metric in figures.metrics(row)))
