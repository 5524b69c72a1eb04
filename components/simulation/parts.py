"""Parts of a split, for machines that make it together: each writes shards of the whole into a folder of its own.

A part's folder holds what a run that was interrupted leaves. So whoever brings parts together only puts their files
beside each other, and the whole command goes on from there: it verifies them, makes what is missing, writes the index.
"""

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from components.errors import ParametersError

PARTS = "parts"  # a folder in a stage's work, for theirs
KINDS = ("split", "rows")  # a shard, and then the rows that say that it is whole


@dataclass(frozen=True, kw_only=True)
class Part:
    """Part `number` of `count`, from 1: every count-th shard, so that slow categories are in all parts."""

    number: int
    count: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"part-{self.number}-of-{self.count}"

    def others(self) -> "list[Part]":
        """The parts beside this one, in their order."""
        numbers = range(1, self.count + 1)
        return [Part(number=number, count=self.count) for number in numbers if number != self.number]

    def holds(self, shard: int) -> bool:
        """Whether the shard of this number is the part's."""
        return shard % self.count == self.number - 1


def parse_part(text: str) -> Part:
    """I/N as a part; ParametersError for anything else."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    part = Part(number=int(found[1]), count=int(found[2])) if found else None
    if part is None or not 1 <= part.number <= part.count:
        raise ParametersError(f"--part {text}: expected I/N with 1 <= I <= N, such as 2/8")
    return part


def gather_parts(parts: Iterable[Path], folder: Path) -> None:
    """Put finished shards of parts into `folder`, the work of the whole; what is there already stays."""
    for part in sorted(parts):
        for kind in KINDS:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            for source in sorted((part / kind).glob("shard-*")):
                target = folder / kind / source.name
                if not target.exists():
                    _place(source, target)


def _place(source: Path, target: Path) -> None:
    """By a link, or by a copy from another disk: one that is cut short does not match its rows, and is made again."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
