"""A model from outside on the terminal: headline metrics beside what needs no model, then the paired differences."""

from collections.abc import Iterator, Mapping, Sequence

from components.evaluation.external.comparison import OWN

HEADLINES = ("score", "centroid_error", "permanence", "chamfer", "depth_warp", "flow_epe", "mse")
BESIDE = ("judged_truth", "first_frame")

Document = Mapping[str, float | str]


def standing(document: Document, name: str) -> str:
    """Means with 95 % intervals; below them, where there are any, differences to the own rows with their p."""
    metrics = [metric for metric in HEADLINES if f"{name}.{metric}" in document]
    parts = [_table(document, {row: row for row in (name, *BESIDE)}, metrics)]
    pairs = {f"{row}_to_{name}": f"minus {row}" for row in OWN}
    paired = [metric for metric in metrics if any(f"{pair}.{metric}" in document for pair in pairs)]
    if paired:
        parts.append(_table(document, pairs, paired))
    return "\n\n".join(parts)


def _table(document: Document, rows: Mapping[str, str], metrics: Sequence[str]) -> str:
    """A column for each row of the evaluation, under its title."""
    lines = [["", *rows.values()], *([metric, *_cells(document, rows, metric)] for metric in metrics)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cells(document: Document, rows: Mapping[str, str], metric: str) -> Iterator[str]:
    for row in rows:
        key = f"{row}.{metric}"
        text = f"{document[key]:.3g}" if key in document else "-"
        if f"{key}.low" in document:
            text += f" [{document[f'{key}.low']:.3g}, {document[f'{key}.high']:.3g}]"
        yield text + (f" p {document[f'{key}.p']:.2g}" if f"{key}.p" in document else "")
