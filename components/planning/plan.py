"""The plan of memory: what each stage needs, what there is, and before a stage starts, whether it may."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.errors import ParametersError, Phys4dError
from components.planning.advice import advice
from components.planning.estimate import Estimate, estimate
from components.planning.fit import Fit, fit
from components.planning.machine import Machine, giga
from components.planning.works import WORKS

if TYPE_CHECKING:
    from components.params import Params

FIGURES = ("weights", "training", "activations", "temporaries", "data", "reading", "total")
COLUMNS = ("stage", *FIGURES, "needs", "there is", "")
LESS = 0.75  # of what was estimated: what is aimed at where that was too little


@dataclass(frozen=True, kw_only=True)
class Row:
    """One stage of the plan; without estimate where it holds no model. advice: what makes it fit, where it does not."""

    stage: str
    estimate: Estimate | None = None
    fit: Fit | None = None
    advice: str = ""
    trouble: str = ""  # why it cannot be estimated

    @property
    def verdict(self) -> str:
        """In words."""
        if self.trouble:
            return f"not known: {self.trouble}"
        if self.fit is None:
            return "fits: it holds no model"
        return "fits" if self.fit.fits else f"does not fit: {self.advice}"


def plan(params: "Params", machine: Machine, *, backbone: str | None = None) -> Iterator[Row]:
    """Rows of all stages of the graph's backbones that train or sample, or of one backbone's."""
    for name in [backbone] if backbone else params.pipeline.backbones:
        for stage in WORKS:
            yield plan_stage(params, machine, backbone=name, stage=stage)


def plan_stage(params: "Params", machine: Machine, *, backbone: str, stage: str) -> Row:
    """The row of one stage."""
    name = f"{stage}@{backbone}"
    try:
        found = estimate(params, backbone, stage, accelerated=machine.accelerated)
    except Phys4dError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is shown, and an estimate stops no stage
        return Row(stage=name, trouble=f"it fails without values ({type(error).__name__}: {_first_line(error)})")
    if found is None:
        return Row(stage=name)
    fitted = fit(found, machine, stage=stage)
    advised = "" if fitted.fits else advice(params, backbone, stage, machine)
    return Row(stage=name, estimate=found, fit=fitted, advice=advised)


def announce(params: "Params", machine: Machine, *, backbone: str, stage: str) -> None:
    """Say on standard error what a stage will need; ParametersError with advice when there is less."""
    row = plan_stage(params, machine, backbone=backbone, stage=stage)
    if row.trouble:
        sys.stderr.write(f"warning: {row.stage}: no estimate of its memory: {row.trouble}\n")
    if row.estimate is None or row.fit is None:
        return
    if not row.fit.fits:
        raise ParametersError(
            f"{row.stage}: needs about {giga(row.fit.needed)} GB of {row.fit.what}, and {giga(row.fit.there)} GB are "
            f"free: {row.advice} (phys4d plan shows the figures)"
        )
    sys.stderr.write(
        f"{row.stage}: needs about {giga(row.fit.needed)} GB of {row.fit.what} ({_shares(row.estimate)}), and "
        f"{giga(row.fit.there)} GB are free\n"
    )


def exhausted(params: "Params", machine: Machine, *, backbone: str, stage: str) -> Phys4dError:
    """The error of a stage that ran out of memory, whatever was estimated: with what to lower."""
    found = estimate(params, backbone, stage, accelerated=machine.accelerated)
    if found is None:
        return Phys4dError(f"{stage}@{backbone}: out of memory: end other programs and run it again")
    needed = fit(found, machine, stage=stage).needed
    target = round(LESS * min(needed, machine.memory))
    smaller = Machine(memory=target, accelerated=machine.accelerated, ram=machine.ram)
    return Phys4dError(
        f"{stage}@{backbone}: out of memory, of which about {giga(needed)} GB were estimated: end "
        f"other programs, or to need {giga(target)} GB {advice(params, backbone, stage, smaller)}"
    )


def table(rows: list[Row]) -> str:
    """The rows in columns, in GB."""
    cells = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    lines = (
        [
            text.ljust(width) if place in (0, len(COLUMNS) - 1) else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in cells
    )
    return "\n".join("  ".join(line).rstrip() for line in lines)


def to_json(rows: list[Row]) -> Mapping[str, Any]:
    """By stage: figures in bytes, and whether it fits; null where nothing can be said."""
    return {
        row.stage: {
            "estimate": {**vars(row.estimate), "total": row.estimate.total} if row.estimate else None,
            "needed": row.fit.needed if row.fit else None,
            "there": row.fit.there if row.fit else None,
            "fits": None if row.trouble else row.fit is None or row.fit.fits,
            "verdict": row.verdict,
        }
        for row in rows
    }


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def _cells(row: Row) -> tuple[str, ...]:
    if row.estimate is None or row.fit is None:
        return (row.stage, *("-" for _ in COLUMNS[1:-1]), row.verdict)
    figures = [getattr(row.estimate, name) for name in FIGURES]
    return (row.stage, *(giga(value) for value in (*figures, row.fit.needed, row.fit.there)), row.verdict)


def _shares(found: Estimate) -> str:
    return ", ".join(f"{name} {giga(getattr(found, name))}" for name in FIGURES[:-1])
