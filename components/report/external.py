"""Models from outside, measured on the same scenes: rows for the tables, and who was left out and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.report.catalogue import ROWS, Row, plain
from components.report.figures import FACTS, PAIR, Value

NAME = "external.name"
SAME = {f"{FACTS}.split": "another split", f"{FACTS}.scenes": "other scenes"}  # what makes figures comparable
NETWORK, FRECHET = f"{FACTS}.frechet_network", "frechet_"  # whose features; what the metrics made of them begin with


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A model that is not shown beside the others, and why."""

    name: str
    why: str


def comparable(
    found: Mapping[str, Mapping[str, Value]], ours: Mapping[str, Value]
) -> tuple[dict[Row, dict[str, Value]], tuple[LeftOut, ...]]:
    """Of the metrics.json `found`, by their folders: the rows of those that measured the scenes of `ours`; the rest.

    Rows that the page has already, such as the truth, are not taken from them; nor is the distance of sets where the
    features are another network's.
    """
    rows: dict[Row, dict[str, Value]] = {}
    left_out = []
    for folder, values in found.items():
        name = str(values.get(NAME, folder))
        why = next((reason for key, reason in SAME.items() if values.get(key) != ours.get(key)), None)
        if why:
            left_out.append(LeftOut(name=name, why=f"measured on {why}"))
            continue
        same_features = values.get(NETWORK) == ours.get(NETWORK)
        of_rows: dict[str, dict[str, Value]] = {}
        for key, value in values.items():
            row, _, metric = key.partition(".")
            if metric.startswith(FRECHET) and not same_features:
                continue
            if metric and row not in (FACTS, "external") and row not in ROWS and PAIR not in row:
                of_rows.setdefault(row, {})[key] = value
        for row, figures in of_rows.items():
            label = name if len(of_rows) == 1 else f"{name}, {plain(row)}"
            rows[Row(key=row, label=label, kind="external", about="from outside")] = figures
    return rows, tuple(left_out)


def folders(root: Path) -> list[Path]:
    """The metrics.json of every model from outside below `root`, by name."""
    return sorted((root / "external").glob("*/metrics.json"))
