"""One configuration file of a published model, held against what an adapter can use."""

import json
from pathlib import Path
from typing import Any

from components.errors import ParametersError


class Configuration:
    """A JSON file's values. source: what the user named; advice: what to name instead, the end of every error."""

    def __init__(self, folder: Path, path: str, *, source: str, advice: str) -> None:
        self._name = f"{source}: {path}"
        self._advice = advice
        try:
            self.values: dict[str, Any] = dict(json.loads((folder / path).read_text()))
        except FileNotFoundError:
            raise ParametersError(f"{self._name} is not there: {advice}") from None
        except (ValueError, TypeError) as error:
            raise ParametersError(f"{self._name} is not readable ({error}): download it again") from error

    def expect(self, field: str, allowed: tuple[object, ...]) -> None:
        """ParametersError when a field has none of the allowed values; one that is absent is None."""
        value = self.values.get(field)
        if value not in allowed:
            expected = " or ".join(str(one) for one in allowed if one is not None) or "nothing"
            raise ParametersError(f"{self._name} says {field}: {value}, expected {expected}: {self._advice}")

    def number(self, *fields: str) -> float:
        """The first of the fields, names of one thing, that is a number above 0; ParametersError where none is."""
        for field in fields:
            value = self.values.get(field)
            if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
                return float(value)
        said = ", ".join(f"{field}: {self.values.get(field)}" for field in fields)
        raise ParametersError(f"{self._name} says {said}, expected a number above 0: {self._advice}")
