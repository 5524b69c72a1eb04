"""What only a run knows, put into its copy of the page: git's commit, and how long each stage took on this machine.

The stage's own page is the same for the same figures, whoever made them and when; so these are not in it.
"""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.checkout import read_checkout
from components.errors import Phys4dError
from components.files import write_atomically
from components.pipeline.execution import record_path

MADE = Path("data/report/report.html")
COPY = Path("data/report.html")
CLAIMS, CHART = Path("docs/evidence.md"), Path("docs/evidence/differences.png")  # of phys4d ablate
BEGIN, END = "<!-- run -->", "<!-- end of run -->"
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Took:
    """A stage, how long its last command took, in seconds, and its peak of memory."""

    stage: str
    seconds: float
    mebibytes: int


def write_copy(root: Path, stages: Collection[str]) -> Path:
    """Write the copy of the page in `root` that has the record of the run of `stages`; its path in `root`."""
    page = (root / MADE).read_text(encoding="utf-8")
    write_atomically(root / COPY, with_record(page, root, stages).encode())
    return COPY


def with_record(page: str, root: Path, stages: Collection[str]) -> str:
    """The page with the record of the run of `stages` in `root`; Phys4dError where the page has no place for it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Phys4dError(f"{MADE} has no place for the record of a run: make it again by phys4d stage report --force")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["duration"] = duration
    took = read_records(root, stages)
    record = environment.get_template("run.html.jinja").render(
        checkout=read_checkout(root),
        took=took,
        total=sum(one.seconds for one in took),
        evidence=_evidence(root),
    )
    return f"{before}{begin}\n{record}\n{end}{after}"


def read_records(root: Path, stages: Collection[str]) -> list[Took]:
    """Of those of `stages` whose last command ended well on this machine, in the order in which they ended."""
    paths = [path for stage in stages if (path := record_path(root, stage)).is_file()]
    paths.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
    records: list[dict[str, Any]] = [json.loads(path.read_text()) for path in paths]
    return [
        Took(stage=one["stage"], seconds=one["seconds"], mebibytes=one["peak_memory_megabytes"])
        for one in records
        if one["code"] == 0 and "seconds" in one  # those of earlier versions had no times
    ]


def duration(seconds: float) -> str:
    """Seconds as a reader says them."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _evidence(root: Path) -> dict[str, str] | None:
    """Where the claims of the method are held against controls, and their chart; None where the project has none."""
    if not (root / CLAIMS).is_file() or not (root / CHART).is_file():
        return None
    return {"page": str(CLAIMS), "chart": base64.b64encode((root / CHART).read_bytes()).decode()}
