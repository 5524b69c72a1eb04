"""The category of each scenario of Physics-IQ, such as Optics: from the benchmark's descriptions.csv."""

import csv
from collections.abc import Collection
from pathlib import Path

from components.errors import ParametersError
from components.evaluation.physics_iq_folders import some

NAME = "descriptions.csv"
ABOVE = 3  # folders: physics-IQ-benchmark/split-videos/testing has it beside the first, as exports write it


def read_categories(
    real: Path, scenarios: Collection[str], *, file: Path | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The categories by scenario, and notes on scenarios that have none.

    `file` has the columns scenario (a video's name, whose part after the last underscore is the scenario) and
    category. None takes descriptions.csv in the folder `real` or in one of the three above it, the nearest; where
    there is none, nothing is known. ParametersError for a file that is no such table, or that contradicts itself.
    """
    path = file or _nearest(real)
    if path is None:
        return {}, (f"no categories: neither {real} nor the {ABOVE} folders above it hold the benchmark's {NAME}",)
    categories = {name: category for name, category in _read(path).items() if name in scenarios}
    if missing := sorted(set(scenarios) - set(categories)):
        return categories, (f"{path} gives no category of {len(missing)} scenarios: {some(missing)}",)
    return categories, ()


def _nearest(real: Path) -> Path | None:
    folder = real.absolute()
    places = (place / NAME for place in (folder, *list(folder.parents)[:ABOVE]))
    return next((path for path in places if path.is_file()), None)


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ParametersError(f"{path} cannot be read ({error}); expected the benchmark's {NAME}") from error
    for number, line in enumerate(lines, start=2):
        video, category = line.get("scenario"), line.get("category")
        if not video or not category:
            raise ParametersError(
                f"{path} line {number} has no scenario or no category; expected the benchmark's table, with the "
                "columns scenario and category"
            )
        scenario = video.removesuffix(".mp4").rsplit("_", maxsplit=1)[-1]
        if found.setdefault(scenario, category) != category:
            raise ParametersError(
                f"{path} line {number} says that {scenario} is of {category}, an earlier line {found[scenario]}; "
                "expected one category: correct the table"
            )
    return found
