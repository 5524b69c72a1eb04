"""Stage report: one offline page about every backbone that was evaluated."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import StoppedError
from components.files import write_atomically
from components.report.page import render
from components.report.reading import evaluated, read_backbone

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "backbones"
PICTURES = 4_500_000  # bytes, of all backbones together: base64 makes a third more of them


def run(params: "Params", context: "StageContext") -> Mapping[str, float]:
    """Write data/report/report.html."""
    names = evaluated(Path(), params.pipeline.backbones)
    reports = []
    with context.progress(len(names)) as display:
        for name in names:
            report = read_backbone(
                Path(),
                name,
                promotion=params.promotion,
                evaluation=params.evaluation,
                backbone=getattr(params.backbones, name),
                camera=params.simulation.camera,
                fps=params.video.fps,
                budget=PICTURES // len(names),
            )
            reports.append(report)
            display.advance()
            if context.stopped():
                raise StoppedError("report: stopped; the same command starts it again")
    page = render(reports, physics_iq_size=params.evaluation.physics_iq_size).encode()
    write_atomically(Path("data/report/report.html"), page)
    promoted = {f"{report.name}.promoted": float(report.verdict.promoted) for report in reports}
    return {**promoted, "bytes": len(page)}
