"""Fields of nested values by dotted names, as keyword arguments: `video__frames=18`."""

from typing import Any


def set_fields(values: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Change fields in place; the values again."""
    for dotted, value in changes.items():
        *sections, key = dotted.split("__")
        section = values
        for name in sections:
            section = section[name]
        section[key] = value
    return values
