"""Tables: rows of one dataclass as a Parquet file. The same rows give the same bytes."""

import io
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from components.errors import ClipError

if TYPE_CHECKING:
    import pyarrow as pa


class Row(Protocol):
    """A dataclass whose fields are text, whole numbers, numbers or truth values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


R = TypeVar("R", bound=Row)


def encode_table(rows: Sequence[R], kind: type[R]) -> bytes:
    """Rows as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=_schema(kind))
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def read_table(path: Path, kind: type[R], *, remedy: str) -> list[R]:
    """Rows of a Parquet file; ClipError when it is missing, damaged, of other columns or a value is missing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise ClipError(f"{path}: not found; {remedy}")
    try:
        table, schema = pq.read_table(path), _schema(kind)
        if table.column_names != schema.names:
            differing = ", ".join(sorted(set(table.column_names) ^ set(schema.names))) or "their order"
            raise ClipError(f"its columns are not those of the contract: {differing}")
        rows = [kind(**record) for record in table.cast(schema).to_pylist()]
    except (pa.ArrowException, OSError, ValueError, ClipError) as error:  # ValueError: text that is no UTF-8
        raise ClipError(f"{path}: not an index of clips ({' '.join(str(error).split())}); {remedy}") from error
    for number, row in enumerate(rows):
        if missing := [name for name, value in asdict(row).items() if _is_missing(value)]:
            name = f", clip {row.clip_id}," if hasattr(row, "clip_id") else ""
            raise ClipError(f"{path}: row {number}{name} has no {', '.join(missing)}; {remedy}")
    return rows


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _schema(kind: type[Row]) -> "pa.Schema":
    import pyarrow as pa

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return pa.schema([(field.name, types[field.type]) for field in fields(kind)])  # type: ignore[index]
