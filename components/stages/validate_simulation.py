"""Stage validate_simulation@SPLIT: the gate on the simulated clips of one split."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.dataset.gate_page import gate_page
from components.errors import StoppedError
from components.files import write_atomically
from components.quality import check_simulation, checks_report, refuse_if_failed

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "shards"


def run(params: "Params", context: "StageContext", *, split: str) -> Mapping[str, float]:
    """Write data/quality/simulation-SPLIT.json and .html, or refuse."""
    folder = Path("data/simulation") / split
    passed, refused = (Path(place) / f"simulation-{split}.json" for place in ("data/quality", ".phys4d/quality"))
    for suffix in (".json", ".html"):
        passed.with_suffix(suffix).unlink(missing_ok=True)  # an earlier verdict is none on these clips
    with context.progress(len(list(folder.glob("*.tar")))) as display:

        def shard_done() -> None:
            display.advance()
            if context.stopped():
                raise StoppedError("stopped; the same command checks the split again")

        checks = check_simulation(
            folder,
            split=split,
            quality=params.quality,
            video=params.video,
            section=getattr(params.simulation.splits, split),
            shard_done=shard_done,
        )
    report = json.dumps(checks_report(checks), indent=1).encode()
    page = gate_page(checks, folder, split=split).encode()
    for target in (refused, passed):
        write_atomically(target.with_suffix(".html"), page)
        write_atomically(target, report)
        refuse_if_failed(checks, gate=f"validate_simulation@{split}", report=refused)
    return {"checks": len(checks), "failed": 0}
