"""How often the scenes of a split were looked at: a test split that chooses between models is a test split no more.

One line of JSON for each set of models that was measured on the same scenes; the same models again are no new look.
The file is tracked by git, so that the count is the project's and not of one clone: commit it with what was learnt.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from components.canonical import canonical_json

LEDGER = Path("docs/evidence/looks.jsonl")


def note_look(root: Path, *, scenes: str, split: str, models: Mapping[str, str]) -> None:
    """Write down that models (name: sha256 of model.json) were measured on scenes, unless that is known."""
    line = canonical_json({"models": dict(models), "scenes": scenes, "split": split})
    if line in _lines(root):
        return
    path = root / LEDGER
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line + "\n")


def count_looks(root: Path, scenes: str) -> int:
    """How many different sets of models were measured on these scenes in the project in `root`."""
    return sum(json.loads(line)["scenes"] == scenes for line in _lines(root))


def _lines(root: Path) -> list[str]:
    path = root / LEDGER
    return [line for line in path.read_text().splitlines() if line.strip()] if path.exists() else []
