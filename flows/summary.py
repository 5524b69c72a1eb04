"""The page of a run in Prefect's UI: what ran, the verdict on each backbone with its figures, where the report is."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.registry.measured import EVALUATIONS
from components.tracked_run import PIPELINE
from components.tracking import pages
from flows.promotion import Judged

ROWS = {"base": "base", "stage2": "stage 2", "stage3": "stage 3"}  # of metrics.json, and their names
FIGURES = {"score": "score, points", "centroid_error": "centroid error, px", "chamfer": "Chamfer distance, m"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did: the stages brought up to date, the verdict on each backbone's model, the report in the project.

    report: None when it is not among the stages that the run keeps up to date; plan: of a dry run, what would run, and
    why.
    """

    stages: tuple[str, ...]
    verdicts: Mapping[str, Judged]
    report: str | None
    plan: Mapping[str, str] = field(default_factory=dict)


def summary(root: Path, outcome: Outcome, backbones: Sequence[str]) -> str:
    """Markdown; a backbone that was not measured has a row that says so."""
    ran = _names(outcome.stages) or "nothing: everything is up to date"
    lines = [f"Brought up to date: {ran}", ""]
    lines += [f"| backbone | promoted | figure | {' | '.join(ROWS.values())} |", f"|{'---|' * (3 + len(ROWS))}"]
    for backbone in backbones:
        lines += _rows(root / EVALUATIONS / backbone / "metrics.json", backbone, outcome.verdicts.get(backbone))
    lines += ["", "Means with 95 % intervals.", *(f"- {judged.text}" for judged in outcome.verdicts.values())]
    if outcome.report:
        page = (root / outcome.report).resolve()
        lines += ["", f"Report: [{outcome.report}]({page.as_uri()}), `{page}` on the machine of the run"]
        if address := pages(root):
            lines += [f"and an artifact of the run `{os.environ[PIPELINE]}` in [MLflow]({address})"]
    return "\n".join(lines) + "\n"


def broken_off(stages: Sequence[str], why: str) -> str:
    """Markdown for a run that failed or was stopped: why, and the stages that were brought up to date before it."""
    return (
        f"**Not finished: {why}**\n\nBrought up to date before: {_names(stages) or 'nothing'}. "
        "No verdict was reached; the next run goes on from here.\n"
    )


def plan_text(reasons: Mapping[str, str], verdicts: Mapping[str, Judged]) -> str:
    """Markdown: the stages that a run would start and why, and the verdicts on what is there now."""
    lines = ["| stage | why |", "|---|---|", *(f"| `{name}` | {reason} |" for name, reason in reasons.items())]
    lines = lines if reasons else ["Everything is up to date: no stage would run."]
    return "\n".join([*lines, "", *(f"- {judged.text}" for judged in verdicts.values())]) + "\n"


def _names(stages: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in stages)


def _rows(path: Path, backbone: str, judged: Judged | None) -> list[str]:
    promoted = "not decided" if judged is None else ("yes" if judged.promoted else "no")
    if not path.is_file():
        return [f"| {backbone} | {promoted} | not measured |{' |' * len(ROWS)}"]
    metrics = json.loads(path.read_text())
    rows: list[str] = []
    for key, name in FIGURES.items():
        first = not rows  # the backbone stands in its first row alone
        cells = [_figure(metrics, f"{row}.{key}") for row in ROWS]
        rows.append(f"| {backbone if first else ''} | {promoted if first else ''} | {name} | {' | '.join(cells)} |")
    return rows


def _figure(metrics: Mapping[str, object], key: str) -> str:
    """A figure and its interval; what metrics.json does not define is a dash."""
    value, low, high = (metrics.get(f"{key}{end}") for end in ("", ".low", ".high"))
    if not isinstance(value, int | float):
        return "–"
    interval = f" ({low:.3g} to {high:.3g})" if isinstance(low, int | float) and isinstance(high, int | float) else ""
    return f"{value:.3g}{interval}"
