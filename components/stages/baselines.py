"""Stage baselines: the rows every model is compared with, on the split of `evaluation.split`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import StoppedError
from components.evaluation.baselines import baseline_scores
from components.files import write_atomically
from components.index import read_index

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "views of configurations"


def run(params: "Params", context: "StageContext") -> Mapping[str, float]:
    """Write data/evaluation/baselines.json: Physics-IQ-style scores with their intervals."""
    name = params.evaluation.split
    folder = Path("data/simulation") / name
    with context.progress(sum(row.take == 0 for row in read_index(folder))) as display:

        def advance() -> None:
            display.advance()
            if context.stopped():
                raise StoppedError("baselines: stopped; the same command starts them again")

        scores = baseline_scores(
            folder,
            size=params.evaluation.physics_iq_size,
            seed=params.seed,
            resamples=params.evaluation.bootstrap_samples,
            advance=advance,
        )
    rows = {baseline: score.to_json() for baseline, score in scores.items()}
    document = {"metric": "Physics-IQ-style score", "split": name, "baselines": rows}
    write_atomically(Path("data/evaluation/baselines.json"), json.dumps(document, indent=1).encode())
    return {baseline: score.score for baseline, score in scores.items()}
