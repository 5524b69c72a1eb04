"""The table of every video, on disk."""

import io

import numpy as np
import pyarrow.parquet as pq

from components.evaluation.heads import HEAD_METRICS
from components.evaluation.table import Table, encode_table
from tests.evaluation.tables import table, videos


def example() -> Table:
    error = np.arange(6.0).reshape(3, 2)
    error[1, 0] = np.nan
    heads = np.arange(3.0 * len(HEAD_METRICS)).reshape(3, -1)
    return table({"truth": videos(3), "base": videos(3, 2, centroid_error=error)}, heads={"stage1": heads})


def test_every_video_and_every_reading_has_its_line() -> None:
    lines = pq.read_table(io.BytesIO(encode_table(example()))).to_pylist()
    assert len(lines) == 3 + 3 * 2 + 3
    assert [line["centroid_error"] for line in lines if line["row"] == "base"] == [0, 1, None, 3, 4, 5]
    assert [line["sample"] for line in lines if line["row"] == "base"] == [0, 1] * 3
    (first, *_) = [line for line in lines if line["row"] == "stage1"]
    assert (first["sample"], first["centroid_error"], first[HEAD_METRICS[1]]) == (None, None, 1)


def test_the_same_table_gives_the_same_bytes() -> None:
    assert encode_table(example()) == encode_table(example())


def test_rows_come_in_their_order() -> None:
    assert example().rows == ["truth", "base", "stage1"]
