"""Data gates: Great Expectations on the index of a split, and the checksum of every clip."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import GateRefusedError
from components.index import IndexRow, index_frame, read_index
from components.shards import verify_shard

if TYPE_CHECKING:
    from components.params import Quality, Split, Video

ROWS_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Check:
    """One expectation and how it went: `rows` are the clips that break it, empty when it speaks of the whole table."""

    expectation: str
    passed: bool
    rows: tuple[str, ...]
    observed: str

    def __str__(self) -> str:
        """The expectation, the rows that break it, what was observed."""
        rows = ", ".join(self.rows[:ROWS_NAMED])
        more = f" and {len(self.rows) - ROWS_NAMED} more" if len(self.rows) > ROWS_NAMED else ""
        return f"{self.expectation}" + (f": {rows}{more}" if rows else "") + f" ({self.observed})"


def check_simulation(folder: Path, *, split: str, quality: "Quality", video: "Video", section: "Split") -> list[Check]:
    """Every check of a simulated split."""
    rows = read_index(folder)
    return [*shard_checks(folder, rows), *_expect(rows, _simulation_expectations(split, quality, video, section))]


def refuse_if_failed(checks: Sequence[Check], *, gate: str, report: Path) -> None:
    """GateRefusedError (exit code 65) that names the first broken expectation and its rows."""
    failed = [check for check in checks if not check.passed]
    if failed:
        more = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
        raise GateRefusedError(f"{gate} refused: {failed[0]}{more}; the whole report: {report}")


def checks_report(checks: Sequence[Check]) -> dict[str, Any]:
    """Checks as a document: no times, no paths."""
    return {"passed": all(check.passed for check in checks), "checks": [asdict(check) for check in checks]}


def shard_checks(folder: Path, rows: Sequence[IndexRow]) -> Iterator[Check]:
    """One check for each shard: it is there, and every clip's bytes are those the index knows."""
    for shard, members in groupby(rows, key=lambda row: row.shard):
        extents = {row.clip_id: row.extent for row in members}
        damages = verify_shard(folder / shard, extents.values())
        damaged = tuple(clip_id for clip_id in extents if any(f"clip {clip_id}:" in str(error) for error in damages))
        yield Check(
            expectation=f"every clip of {shard} matches its checksum",
            passed=not damages,
            rows=damaged,
            observed=str(damages[0]) if damages else f"{len(extents)} clips",
        )


def _simulation_expectations(split: str, quality: "Quality", video: "Video", section: "Split") -> list[Any]:
    import great_expectations.expectations as gxe

    clips = sum(section.configurations.values()) * section.views * section.takes
    constants = {"split": split, **{name: getattr(video, name) for name in ("frames", "height", "width", "fps")}}
    return [
        gxe.ExpectTableRowCountToEqual(value=clips),
        gxe.ExpectColumnValuesToBeUnique(column="clip_id"),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["configuration", "view", "take"]),
        *(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[value]) for name, value in constants.items()),
        gxe.ExpectColumnValueLengthsToBeBetween(column="caption", min_value=10),
        gxe.ExpectColumnValueLengthsToBeBetween(column="caption_initial", min_value=10),
        gxe.ExpectColumnValuesToBeBetween(column="valid_share", min_value=quality.min_valid_share, max_value=1),
        gxe.ExpectColumnValuesToBeBetween(column="depth_min", min_value=0, strict_min=True),
        gxe.ExpectColumnValuesToBeBetween(column="max_speed", min_value=0, max_value=quality.max_speed),
        gxe.ExpectColumnValuesToBeBetween(
            column="moving_share", min_value=0, strict_min=True, mostly=quality.min_moving_share
        ),
        gxe.ExpectColumnMeanToBeBetween(
            column="attempts", min_value=1, max_value=1 / (1 - min(quality.max_rejected_share, 0.999))
        ),
    ]


def _expect(rows: Sequence[IndexRow], expectations: Sequence[Any]) -> list[Check]:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("clips")
    definition = source.add_dataframe_asset("index").add_batch_definition_whole_dataframe("all")
    batch = definition.get_batch(batch_parameters={"dataframe": index_frame(rows)})
    suite = gx.ExpectationSuite("simulation", expectations=list(expectations))
    result = batch.validate(
        suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["clip_id"]}
    )
    return [_check(outcome.to_json_dict()) for outcome in result.results]


def _check(outcome: Mapping[str, Any]) -> Check:
    config, result = outcome["expectation_config"], outcome["result"]
    if outcome["exception_info"].get("exception_message"):
        raise RuntimeError(f"{config['type']}: {outcome['exception_info']['exception_message']}")
    bounds = {key: value for key, value in config["kwargs"].items() if key not in ("batch_id", "column")}
    subject = config["kwargs"].get("column", "index")
    indices = result.get("unexpected_index_list") or []
    return Check(
        expectation=f"{subject} {config['type']} {bounds}",
        passed=bool(outcome["success"]),
        rows=tuple(dict.fromkeys(str(index["clip_id"]) for index in indices)),
        observed=f"observed {result['observed_value']}"
        if "observed_value" in result
        else f"{result.get('unexpected_count', 0)} of {result.get('element_count', 0)} clips differ",
    )
