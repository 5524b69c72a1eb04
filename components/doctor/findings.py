"""What was found out about one thing that the project needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Good; worth knowing, though all works; wrong; or not asked for by params.yaml."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"
    UNUSED = "unused"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing: its state, what was found, and what to do where it is bad."""

    name: str
    state: State
    text: str
    remedy: str = ""


def good(name: str, text: str) -> Finding:
    """It works."""
    return Finding(name=name, state=State.GOOD, text=text)


def note(name: str, text: str, remedy: str = "") -> Finding:
    """It works, and there is something to know."""
    return Finding(name=name, state=State.NOTE, text=text, remedy=remedy)


def bad(name: str, text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(name=name, state=State.BAD, text=text, remedy=remedy)


def unused(name: str, text: str) -> Finding:
    """Nothing asks for it."""
    return Finding(name=name, state=State.UNUSED, text=text)


def page(findings: Sequence[Finding]) -> str:
    """A line for each, with what to do below those that need it."""
    width = max(len(one.name) for one in findings)
    lines = []
    for one in findings:
        lines.append(f"{one.state.value:<6}  {one.name:<{width}}  {one.text}")
        if one.remedy:
            lines.append(f"{'':<6}  {'':<{width}}  -> {one.remedy}")
    return "\n".join(lines)
