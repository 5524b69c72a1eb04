"""MLflow in the tests: a database that is made once, and what it holds."""

import shutil
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from components.tracking import DATABASE, connect

Row = tuple[str, int, float]


@cache
def _empty_project() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="phys4d-mlflow-")  # it goes away with the process
    connect(Path(folder.name))
    return folder


def make_database(root: Path) -> Path:
    """An MLflow database without runs in `root`; a copy, because MLflow takes seconds to make one."""
    path = root / DATABASE
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(_empty_project().name) / DATABASE, path)
    return path


def metric_rows(root: Path) -> list[Row]:
    """Every figure of every run as (name, step, value), without those of the system."""
    query = "select key, step, case is_nan when 1 then null else value end from metrics where key not like 'system/%'"
    return sorted(_select(root, query))


def runs(root: Path) -> list[tuple[str, str]]:
    """Name and status of every run, stages and pipelines, without the deleted."""
    return sorted(_select(root, "select name, status from runs where lifecycle_stage = 'active'"))


def tags(root: Path, run: str) -> dict[str, str]:
    """Tags of the runs of that name."""
    query = "select tags.key, tags.value from tags join runs using (run_uuid) where runs.name = ?"
    return dict(_select(root, query, run))


def params(root: Path) -> dict[str, str]:
    """Parameters of all runs."""
    return dict(_select(root, "select key, value from params"))


def _select(root: Path, query: str, *values: str) -> list[tuple]:  # type: ignore[type-arg]  # columns differ
    with closing(sqlite3.connect(root / DATABASE)) as connection:
        return connection.execute(query, values).fetchall()
