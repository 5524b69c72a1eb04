"""The table of reactions as Markdown: an overview of metrics by faults, what does not hold, every figure."""

from collections.abc import Iterator

from components.evaluation.consistency.catalogue import BY_NAME, METRICS
from components.evaluation.faults.kinds import FAULTS
from components.evaluation.faults.table import Course, Reaction, Table

SIGNS = {Course.WORSE: "worse", Course.WAVERS: "wavers", Course.BETTER: "**better**", Course.STILL: ""}
HEADER = """\
# How every metric reacts to planted faults

Faults are planted in the simulator's own clips, at strengths {strengths}, and every clip is measured against what it
was before. {clips} clips, seed {seed}.

A metric that was declared to react must get worse as the fault grows: `worse ✓` where it does, `✗` where it does not.
Without a mark nothing was declared: `worse` it reacts all the same, `wavers` it reacts and not steadily, **better** the
fault makes the figure look good, which is why no metric stands alone. Empty: it cannot see the fault.
"""


def markdown(table: Table) -> str:
    """The page."""
    parts = [
        HEADER.format(
            strengths=", ".join(f"{strength:g}" for strength in table.strengths),
            clips=len(table.clips),
            seed=table.seed,
        ),
        _verdict(table),
        "## Metrics and faults\n\n" + "\n".join(_overview(table)),
        "## Faults\n\n" + "\n".join(_faults(table)),
        "## Every figure\n\nMeans over clips, at each strength.\n\n" + "\n".join(_figures(table)),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _verdict(table: Table) -> str:
    declared = sum(reaction.declared for reaction in table.reactions)
    if not table.broken:
        return f"**All {declared} declared reactions hold.**"
    lines = [f"- {one.metric} under {one.fault}: {one.course}, {_row(one)}" for one in table.broken]
    return f"**{len(lines)} of {declared} declared reactions do not hold:**\n\n" + "\n".join(lines)


def _overview(table: Table) -> Iterator[str]:
    found = {(one.metric, one.fault): one for one in table.reactions}
    names = list(table.counts)
    yield "| metric | " + " | ".join(name.replace("_", " ") for name in names) + " |"
    yield "|---|" + "---|" * len(names)
    for metric in METRICS:
        cells = [_cell(found.get((metric.name, name))) for name in names]
        yield f"| {metric.name} | " + " | ".join(cells) + " |"


def _cell(reaction: Reaction | None) -> str:
    if reaction is None:
        return "not measured"
    if reaction.declared:
        return "worse ✓" if reaction.kept else f"✗ {reaction.course}"
    return SIGNS[reaction.course]


def _faults(table: Table) -> Iterator[str]:
    yield "| fault | what is wrong | clips |"
    yield "|---|---|---|"
    for fault in FAULTS:
        if fault.name in table.counts:
            yield f"| {fault.name} | {fault.what} | {table.counts[fault.name]} |"


def _figures(table: Table) -> Iterator[str]:
    yield "| fault | metric | unit | better | " + " | ".join(f"{one:g}" for one in table.strengths) + " |"
    yield "|---|---|---|---|" + "---|" * len(table.strengths)
    for one in table.reactions:
        metric = BY_NAME[one.metric]
        yield f"| {one.fault} | {one.metric} | {metric.unit} | {metric.better} | {_row(one, ' | ')} |"


def _row(reaction: Reaction, between: str = ", ") -> str:
    return between.join(f"{value:.4g}" for value in reaction.values)
