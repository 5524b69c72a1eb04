"""Values that params.yaml may hold: those JSON has too. YAML knows more, such as dates, and keys that are numbers."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from components.parameters.rules.problem import Problem

NAMES = {int: "a number", float: "a number", bool: "true or false", type(None): "null", str: "text with surrogates"}
LARGEST = 2**63


def odd_values(
    value: Any,  # noqa: ANN401 -- whatever a YAML file can hold
    field: str = "",
    above: tuple[int, ...] = (),
) -> Iterator[Problem]:
    """Everything in a parsed YAML document that is no JSON; `above` identifies the containers around `value`."""
    if id(value) in above:
        yield Problem(field=field, message="an anchor that holds itself, expected a value: write it out")
    elif isinstance(value, dict):
        for key, inner in value.items():
            named = isinstance(key, str) and _encodes(key)
            inside = ".".join(part for part in (field, key if named else shown(key)) if part)
            if named:
                yield from odd_values(inner, inside, (*above, id(value)))
            else:
                yield Problem(field=inside, message=f"this key is {_kind(key)}, expected the name of a field")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from odd_values(inner, f"{field}.{index}", (*above, id(value)))
    elif isinstance(value, str) and not _encodes(value):
        yield Problem(field=field, message=f"{shown(value)} is not Unicode text, expected text without surrogates")
    elif isinstance(value, int) and abs(value) >= LARGEST:
        yield Problem(field=field, message=f"{shown(value)} is wrong, expected a number below 2^63")
    elif not isinstance(value, str | int | float | None):
        yield Problem(
            field=field,
            message=f"{shown(value)} is {_kind(value)}, expected text, a number, true, false, null, a list or a "
            "mapping: quote it if it is text",
        )


def shown(value: object) -> str:
    """A value in one short line."""
    try:
        text = str(value) if isinstance(value, date) else repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _kind(value: object) -> str:
    return NAMES.get(type(value), f"a {type(value).__name__}")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
