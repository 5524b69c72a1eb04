"""Stage validate_pseudo_labels: the gate on pseudo-labels."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import StoppedError
from components.files import write_atomically
from components.pseudo_labels.gate import check_pseudo_labels
from components.quality import checks_report, refuse_if_failed

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "shards"


def run(params: "Params", context: "StageContext") -> Mapping[str, float]:
    """Write data/quality/pseudo_labels.json, or refuse."""
    folder, passed = Path("data/pseudo_labels"), Path("data/quality/pseudo_labels.json")
    passed.unlink(missing_ok=True)  # an earlier verdict is none on these labels
    with context.progress(len(list(folder.glob("*.tar")))) as display:

        def shard_done() -> None:
            display.advance()
            if context.stopped():
                raise StoppedError("stopped; the same command checks the labels again")

        checks = check_pseudo_labels(folder, section=params.pseudo_labels, video=params.video, shard_done=shard_done)
    report = json.dumps(checks_report(checks), indent=1).encode()
    refused = Path(".phys4d/quality/pseudo_labels.json")
    write_atomically(refused, report)
    refuse_if_failed(checks, gate="validate_pseudo_labels", report=refused)
    write_atomically(passed, report)
    return {"checks": len(checks), "failed": 0}
