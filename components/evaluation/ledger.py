"""How often a split was looked at: a test split that chooses between models is a test split no more.

One line of JSON for each set of models that was evaluated on a split; the same models again are no new look.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from components.clip import canonical_json

LEDGER = Path(".phys4d/evaluations.jsonl")


def note_evaluation(root: Path, *, split: str, models: Mapping[str, str]) -> None:
    """Write down that models (name: sha256 of model.json) were evaluated on a split, unless that is known."""
    line = canonical_json({"models": dict(models), "split": split})
    if line in _lines(root):
        return
    path = root / LEDGER
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line + "\n")


def times_evaluated(root: Path, split: str) -> int:
    """How many different sets of models were evaluated on a split in the project in `root`."""
    return sum(json.loads(line)["split"] == split for line in _lines(root))


def _lines(root: Path) -> list[str]:
    path = root / LEDGER
    return [line for line in path.read_text().splitlines() if line.strip()] if path.exists() else []
