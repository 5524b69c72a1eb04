"""What is shown of a scored folder: the score, the same by view and by category, and what to know of it."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from components.evaluation.physics_iq_score import PhysicsIqCase, PhysicsIqScore, aggregate

SCENARIOS, VIEWS = 66, 3  # of the benchmark
TITLES = {"st_iou": "ST-IoU", "s_iou": "S-IoU", "ws_iou": "WS-IoU", "mse": "MSE"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PhysicsIqTable:
    """The score of a folder in rows."""

    total: PhysicsIqScore
    views: Mapping[str, PhysicsIqScore]
    categories: Mapping[str, PhysicsIqScore]  # empty where nothing names the scenarios' categories: a note says so
    of_benchmark: bool  # whether this is a score of the benchmark: of all its cases, of clips large enough
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Everything, one object."""
        return {
            **self.total.to_json(),
            "benchmark": self.of_benchmark,
            "views": {name: score.to_json() for name, score in self.views.items()},
            "categories": {name: score.to_json() for name, score in self.categories.items()},
            "notes": list(self.notes),
        }

    def to_text(self) -> str:
        """Lines for a terminal: the score, its columns with intervals, a row for each view and category."""
        total, name = self.total, "Physics-IQ score" if self.of_benchmark else "Physics-IQ formula"
        lines = [f"{name}: {total.score:.2f} [{_interval(total.interval, 2)}], n = {total.n}"]
        for column, title in TITLES.items():
            ends = None if total.take1_interval is None else [getattr(end, column) for end in total.take1_interval]
            mean, takes = getattr(total.take1, column), getattr(total.variance, column)
            lines.append(f"  {title:6}  {mean:.4f} [{_interval(ends, 4)}], take 1 and take 2: {takes:.4f}")
        rows = {**self.views, **self.categories}
        width = max(map(len, rows))
        lines.append(f"{'':{width}}  {'score':>6}  {'95 % interval':16}" + "".join(f"{t:>8}" for t in TITLES.values()))
        for row, score in rows.items():
            columns = "".join(f"{value:8.4f}" for value in astuple(score.take1))
            lines.append(
                f"{row:{width}}  {score.score:6.2f}  {_interval(score.interval, 2):16}{columns}  n = {score.n}"
            )
        return "\n".join(lines)


def tabulate(
    cases: Sequence[PhysicsIqCase],
    *,
    categories: Mapping[str, str],
    of_benchmark: bool,
    notes: Sequence[str],
    seed: int = 0,
) -> PhysicsIqTable:
    """The rows of scored cases; `categories` names the category of each scenario that has one."""
    by_view: dict[str, list[PhysicsIqCase]] = {}
    by_category: dict[str, list[PhysicsIqCase]] = {}
    for case in cases:
        by_view.setdefault(case.view, []).append(case)
        if case.scenario in categories:
            by_category.setdefault(categories[case.scenario], []).append(case)
    return PhysicsIqTable(
        total=aggregate(cases, seed=seed),
        views={name: aggregate(rows, seed=seed) for name, rows in by_view.items()},
        categories={name: aggregate(rows, seed=seed) for name, rows in sorted(by_category.items())},
        of_benchmark=of_benchmark,
        notes=tuple(notes),
    )


def _interval(ends: Sequence[float] | None, decimals: int) -> str:
    return "one scenario" if ends is None else " to ".join(f"{end:.{decimals}f}" for end in ends)
