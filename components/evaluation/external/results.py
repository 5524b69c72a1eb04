"""What is left of a model from outside: a folder with metrics.json and per_clip.parquet, whole or not at all.

The keys are those of the stage evaluate, `NAME.metric` with .n, .low and .high; `external.name` is the NAME.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from components.errors import ParametersError
from components.evaluation.table import Table, encode_table
from components.files import move_folder, write_atomically

METRICS_FILE, TABLE_FILE = "metrics.json", "per_clip.parquet"
NAME_KEY = "external.name"


def check_out(out: Path, name: str, *, split: str) -> None:
    """ParametersError unless `out` is new, empty, or holds earlier results of this name and split and nothing else."""
    nearest = next(parent for parent in (out, *out.parents) if parent.exists())
    if not nearest.is_dir():
        raise ParametersError(f"--out {out}: {nearest} is a file, expected a folder: name another")
    found = sorted(path.name for path in out.iterdir()) if out.exists() else []
    others = [file for file in found if file not in (METRICS_FILE, TABLE_FILE)]
    if others:
        raise ParametersError(f"--out {out} holds {others[0]}, which is no result of this command: name another folder")
    before = _described(out)
    if found and before != (name, split):
        held = f"the results of {before[0]} on the split {before[1]}" if before else found[0]
        raise ParametersError(
            f"--out {out} holds {held}, expected those of {name} on {split}, a new or an empty folder: give another "
            "--name or --out"
        )


def write_results(out: Path, table: Table, document: Mapping[str, float | str]) -> None:
    """Write both files; earlier ones in `out` are replaced, when these are complete."""
    work = out.with_name(f".{out.name}.part")
    shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
    try:
        write_atomically(work / TABLE_FILE, encode_table(table))
        write_atomically(work / METRICS_FILE, json.dumps(document, indent=1, allow_nan=False).encode())
        move_folder(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _described(out: Path) -> tuple[object, object] | None:
    """Name and split of the results in a folder; None where there are none of a model from outside."""
    try:
        document = json.loads((out / METRICS_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or NAME_KEY not in document:
        return None
    return document[NAME_KEY], document.get("evaluation.split")
