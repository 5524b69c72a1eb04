"""Ids and names of Physics-IQ for the clips of a protocol set."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.errors import ParametersError
from components.index import IndexRow

VIEWS = ("perspective-left", "perspective-center", "perspective-right")  # of views 0, 1, 2
TAKES = 2
MOST_IDS = 9999


@dataclass(frozen=True, kw_only=True)
class Case:
    """One clip under the benchmark's name. name: its scenario, which holds no underscore."""

    id: int
    take1_id: int
    view: str
    take: int
    name: str
    row: IndexRow

    def video(self, kind: str, fps: int) -> str:
        """File name of a video or of its masks."""
        return f"{self.id:04d}_{kind}_{fps}FPS_{self.view}_take-{self.take}_{self.name}.mp4"

    @property
    def generated(self) -> str:
        """What a model's video of this case is called."""
        return f"{self.take1_id:04d}_{self.view}_{self.name}.mp4"


def number_cases(configurations: Sequence[Sequence[IndexRow]]) -> list[Case]:
    """Ids from 1: take 1 of every configuration and view, then take 2."""
    each = len(configurations) * len(VIEWS)
    if each * TAKES > MOST_IDS:
        raise ParametersError(
            f"found {len(configurations)} configurations, expected at most {MOST_IDS // len(VIEWS) // TAKES}: ids have "
            "four digits; export a smaller split"
        )
    cases = []
    for number, rows in enumerate(configurations):
        for row in rows:
            first = number * len(VIEWS) + row.view + 1
            stem = row.clip_id.removesuffix(f"-v{row.view}-t{row.take}")
            name = f"trimmed-{row.family}-{stem}".replace("_", "-")
            case = Case(
                id=first + each * row.take,
                take1_id=first,
                view=VIEWS[row.view],
                take=row.take + 1,
                name=name,
                row=row,
            )
            cases.append(case)
    return sorted(cases, key=lambda case: case.id)
