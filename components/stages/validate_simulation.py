"""Stage validate_simulation@SPLIT: the gate on the simulated clips of one split."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import StoppedError
from components.files import write_atomically
from components.quality import check_simulation, checks_report, refuse_if_failed

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "shards"


def run(params: "Params", context: "StageContext", *, split: str) -> Mapping[str, float]:
    """Write data/quality/simulation-SPLIT.json, or refuse."""
    folder = Path("data/simulation") / split
    passed = Path("data/quality") / f"simulation-{split}.json"
    passed.unlink(missing_ok=True)  # an earlier verdict is none on these clips
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
    refused = Path(".phys4d/quality") / f"simulation-{split}.json"
    write_atomically(refused, report)
    refuse_if_failed(checks, gate=f"validate_simulation@{split}", report=refused)
    write_atomically(passed, report)
    return {"checks": len(checks), "failed": 0}
