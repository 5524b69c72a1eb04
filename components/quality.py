"""Data gates: every clip read and held against its row of the index; Great Expectations on the index.

That each row says what its clip says leaves to the expectations what a clip cannot know: what the split should hold.
"""

import hashlib
import logging
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from components.errors import ClipError, GateRefusedError
from components.index import INDEX_FILE, IndexRow, index_frame, index_row, read_index, summary
from components.shards import Extent, read_clip, stray_bytes

if TYPE_CHECKING:
    import pandas as pd

    from components.parameters.simulation import Split
    from components.params import Quality, Video

R = TypeVar("R", bound="Indexed")

ROWS_NAMED = 5
VALUES_NAMED = 8
FARTHEST = 1e4  # metres: more is no camera's far plane
CONTENT = "content"  # column: sha256 of a clip's pictures and depths, whatever its name


class Indexed(Protocol):
    """A row of an index: it knows where its clip lies."""

    @property
    def extent(self) -> Extent:
        """Where the clip lies."""
        ...


@dataclass(frozen=True, kw_only=True)
class Check:
    """One expectation and how it went: `rows` are the clips that break it, empty when it speaks of the whole table.

    column, kind, bounds: of an expectation on the index, as Great Expectations names them; empty for all others.
    """

    expectation: str
    passed: bool
    rows: tuple[str, ...]
    observed: str
    column: str = ""
    kind: str = ""
    bounds: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The expectation, the rows that break it, what was observed."""
        rows = ", ".join(self.rows[:ROWS_NAMED])
        more = f" and {len(self.rows) - ROWS_NAMED} more" if len(self.rows) > ROWS_NAMED else ""
        return f"{self.expectation}" + (f": {rows}{more}" if rows else "") + f" ({self.observed})"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the values of one column are to be. kind: BeUnique, BeInSet or BeBetween; bounds: that kind's own."""

    column: str
    kind: Literal["BeUnique", "BeInSet", "BeBetween"]
    bounds: Mapping[str, Any]


def check_simulation(
    folder: Path,
    *,
    split: str,
    quality: "Quality",
    video: "Video",
    section: "Split",
    shard_done: Callable[[], None] = lambda: None,
) -> list[Check]:
    """Every check of a simulated split; an index that cannot be read leaves nothing else to check.

    Clips are read one at a time; `shard_done` is called after each shard, and may raise to stop.
    """
    try:
        rows = read_index(folder)
    except ClipError as error:
        return [Check(expectation=f"{INDEX_FILE} can be read", passed=False, rows=(), observed=str(error))]
    contents: dict[str, str] = {}
    checks = check_shards(folder, rows, lambda row: _fault(folder, row, contents), shard_done)
    frame = index_frame(rows)
    frame[CONTENT] = [contents.get(row.clip_id, row.clip_id) for row in rows]  # one that cannot be read is itself
    return [
        *checks,
        *_rejects_checks(rows, quality.max_rejected_share),
        *_expect_frame(frame, _simulation_expectations(split, quality, video, section), suite="simulation"),
    ]


def check_shards(
    folder: Path, rows: Sequence[R], fault: Callable[[R], str], shard_done: Callable[[], None]
) -> list[Check]:
    """That the index knows every shard, and that no clip of a shard has a `fault`; it says which, or nothing."""
    members: dict[str, list[R]] = {}
    for row in rows:
        members.setdefault(row.extent.shard, []).append(row)
    checks = [_folder_check(folder, members)]
    for shard, own in members.items():
        checks.append(_shard_check(folder, shard, own, fault))
        shard_done()
    return checks


def refuse_if_failed(checks: Sequence[Check], *, gate: str, report: Path) -> None:
    """GateRefusedError (exit code 65) that names the first broken expectation and its rows."""
    failed = [check for check in checks if not check.passed]
    if failed:
        more = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
        raise GateRefusedError(f"{gate} refused: {failed[0]}{more}; the whole report: {report}")


def checks_report(checks: Sequence[Check]) -> dict[str, Any]:
    """Checks as a document: no times, no paths."""
    return {"passed": all(check.passed for check in checks), "checks": [asdict(check) for check in checks]}


def _folder_check(folder: Path, indexed: Iterable[str]) -> Check:
    stray = sorted({path.name for path in folder.glob("*.tar")} - set(indexed))
    return Check(
        expectation="every shard is in the index",
        passed=not stray,
        rows=(),
        observed=f"in {folder}, but not in its index: {', '.join(stray)}" if stray else "no other",
    )


def _shard_check(folder: Path, shard: str, rows: Sequence[R], fault: Callable[[R], str]) -> Check:
    faults = [(row.extent.clip_id, found) for row in rows if (found := fault(row))]
    stray = [] if faults else stray_bytes(folder / shard, [row.extent for row in rows])
    seen = [found for _, found in faults] + [str(error) for error in stray]
    return Check(
        expectation=f"every row matches its clip, every clip of {shard} matches its checksum",
        passed=not seen,
        rows=tuple(clip_id for clip_id, _ in faults),
        observed=seen[0] if seen else f"{len(rows)} clips",
    )


def _fault(folder: Path, row: IndexRow, contents: dict[str, str]) -> str:
    """How a clip breaks its checksum, the contract, or its row; empty when it does not. Notes its content."""
    try:
        clip = read_clip(folder, row.extent)
        expected = asdict(index_row(clip, row.extent))
    except ClipError as error:
        return str(error)
    contents[row.clip_id] = hashlib.sha256(clip.rgb.tobytes() + clip.depth.tobytes()).hexdigest()
    differing = [
        f"{name} is {value!r} in the index, {expected[name]!r} in the clip"
        for name, value in asdict(row).items()
        if value != expected[name]
    ]
    return f"clip {row.clip_id}: {'; '.join(differing)}" if differing else ""


def _rejects_checks(rows: Sequence[IndexRow], most: float) -> list[Check]:
    """Of each family, that the guard rejected few enough of its draws."""
    checks = []
    for family, counted in summary(rows).items():
        rejects = sum(counted["rejects"].values())
        draws = rejects + counted["configurations"]
        causes = ", ".join(f"{cause} {count}" for cause, count in sorted(counted["rejects"].items()))
        checks.append(
            Check(
                expectation=f"of the draws of {family} at most {most:.0%} are rejected",
                passed=rejects <= most * draws,
                rows=(),
                observed=f"{rejects} of {draws}" + (f": {causes}" if causes else ""),
            )
        )
    return checks


def _simulation_expectations(split: str, quality: "Quality", video: "Video", section: "Split") -> list[Any]:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    clips = sum(section.configurations.values()) * section.views * section.takes
    sets = {
        "split": [split],
        "category": list(section.configurations),
        "view": list(range(section.views)),
        "take": list(range(section.takes)),
        **{name: [getattr(video, name)] for name in ("frames", "height", "width", "fps")},
    }
    lengths = {"family": 1, "configuration": 64, "caption": 10, "caption_initial": 10}
    bounds = {
        "valid_share": (quality.min_valid_share, 1),
        "seen_share": (quality.min_seen_share, 1),
        "max_speed": (0, quality.max_speed),
        "depth_max": (0, FARTHEST),
        "max_flow": (0, math.hypot(video.width, video.height)),  # visible: in frame before and after
        "seed": (0, None),
        "attempts": (1, None),
        "objects": (1, None),
        "size": (1, None),
    }
    return [
        gxe.ExpectTableRowCountToEqual(value=clips),
        *(
            gxe.ExpectTableRowCountToEqual(
                value=count * section.views * section.takes,
                row_condition=Column("category") == name,
            )
            for name, count in section.configurations.items()
        ),
        gxe.ExpectColumnValuesToBeUnique(column="clip_id"),
        gxe.ExpectColumnValuesToBeUnique(column=CONTENT),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["configuration", "view", "take"]),
        *(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=values) for name, values in sets.items()),
        *(gxe.ExpectColumnValueLengthsToBeBetween(column=name, min_value=least) for name, least in lengths.items()),
        *(
            gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
            for name, (low, high) in bounds.items()
        ),
        gxe.ExpectColumnValuesToBeBetween(column="depth_min", min_value=0, strict_min=True),
        gxe.ExpectColumnValuesToBeBetween(
            column="moving_share", min_value=0, strict_min=True, mostly=quality.min_moving_share
        ),
    ]


def check_table(frame: "pd.DataFrame", expectations: Sequence[Expectation], *, suite: str) -> list[Check]:
    """Checks of a table with a column clip_id: what a gate in another module expects, said without this library."""
    import great_expectations.expectations as gxe

    built = [getattr(gxe, f"ExpectColumnValuesTo{one.kind}")(column=one.column, **one.bounds) for one in expectations]
    return _expect_frame(frame, built, suite=suite)


def _expect_frame(frame: "pd.DataFrame", expectations: Sequence[Any], *, suite: str) -> list[Check]:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("clips")
    definition = source.add_dataframe_asset("index").add_batch_definition_whole_dataframe("all")
    batch = definition.get_batch(batch_parameters={"dataframe": frame})
    result = batch.validate(
        gx.ExpectationSuite(suite, expectations=list(expectations)),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["clip_id"]},
    )
    return [_check(outcome.to_json_dict(), frame) for outcome in result.results]


def _check(outcome: Mapping[str, Any], frame: "pd.DataFrame") -> Check:
    config, result = outcome["expectation_config"], outcome["result"]
    if outcome["exception_info"].get("exception_message"):
        raise RuntimeError(f"{config['type']}: {outcome['exception_info']['exception_message']}")
    bounds = {key: value for key, value in config["kwargs"].items() if key != "batch_id"}
    column, where = bounds.pop("column", ""), bounds.pop("row_condition", None)
    if where:
        bounds["where"] = {where["column"]["name"]: where["parameter"]}
    indices = result.get("unexpected_index_list") or []
    if "observed_value" in result:
        observed = f"observed {result['observed_value']}"
    else:
        counted = f"{result.get('unexpected_count', 0)} of {result.get('element_count', 0)} clips differ"
        observed = "; ".join(filter(None, [_values(frame, column, config["type"]), counted]))
    return Check(
        expectation=f"{column or 'index'} {config['type']} {bounds}",
        passed=bool(outcome["success"]),
        rows=tuple(dict.fromkeys(str(index["clip_id"]) for index in indices)),
        observed=observed,
        column=column,
        kind=config["type"],
        bounds=bounds,
    )


def _values(frame: "pd.DataFrame", column: str, kind: str) -> str:
    """What a column holds: its least and greatest number or length, or its few different values."""
    if not len(frame) or not kind.endswith(("be_between", "be_in_set")):
        return ""
    if kind.endswith("be_in_set"):
        different = sorted(frame[column].unique())
        return ", ".join(str(value) for value in different[:VALUES_NAMED]) + ", ..." * (len(different) > VALUES_NAMED)
    values = frame[column].str.len() if "lengths" in kind else frame[column]
    return " to ".join(dict.fromkeys(f"{value:.6g}" for value in (values.min(), values.max())))
