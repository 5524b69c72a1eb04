"""Read params.yaml into `Params`; every mistake is named with its field, value, expectation and remedy."""

import difflib
import json
import typing
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import YAMLError

from components.errors import ParametersError
from components.parameters.plain import odd_values, shown
from components.parameters.rules import Problem, broken_rules
from components.params import Params

PARAMS_FILE = Path("params.yaml")


def load_params(path: Path = PARAMS_FILE) -> Params:
    """Parameters of the project; ParametersError (exit code 78) names what is wrong."""
    return parse_params(read_yaml(path), source=str(path))


def parse_params(values: Mapping[str, Any], *, source: str) -> Params:
    """`values` as Params; ParametersError names the first problem and counts the others."""
    params, problems = examine(values)
    if params is None or problems:
        more = f" (and {len(problems) - 1} more: phys4d params check)" if len(problems) > 1 else ""
        raise ParametersError(f"{source}: {problems[0]}{more}")
    return params


def examine(values: Mapping[str, Any]) -> tuple[Params | None, list[Problem]]:
    """The parameters, when their types are right, and everything that is wrong."""
    odd = list(odd_values(values))
    if odd:
        return None, odd
    try:
        params = Params.model_validate_json(json.dumps(values))
    except ValidationError as error:
        return None, [_explain(details, values) for details in error.errors(include_url=False)]
    return params, broken_rules(params)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping; ParametersError names the file and the line that cannot be read."""
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParametersError(f"{path}: not found; params.yaml is written by: phys4d profile use laptop") from None
    except OSError as error:
        raise ParametersError(f"{path}: cannot be read: {error.strerror}") from error
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ParametersError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ParametersError(f"{path}: holds {type(values).__name__}, expected a mapping of sections")
    return values


def parse_yaml(text: str) -> Any:  # noqa: ANN401 -- a YAML document
    """A YAML document as plain values, which are the caller's own."""
    return deepcopy(_parse(text))


@cache
def _parse(text: str) -> Any:  # noqa: ANN401 -- a YAML document
    """A document; a stage's command reads the same two several times, and each takes a third of a second."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    return yaml.load(text)


class _Constructor(SafeConstructor):  # type: ignore[misc]  # ruamel has no types
    """Names the line of a number or date that YAML knows and Python does not, such as 2024-02-30."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: ANN401
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            raise ConstructorError(None, None, f"{error}", node.start_mark) from error


def _explain(details: ErrorDetails, values: Mapping[str, Any]) -> Problem:
    location: Sequence[str | int] = [part for part in details["loc"] if part != "[key]"]
    field = ".".join(str(part) for part in location)
    if details["type"] == "extra_forbidden" or "[key]" in details["loc"]:
        return Problem(field=field, message=_unknown_key(location))
    if details["type"] == "missing":
        return Problem(field=field, message="missing; phys4d profile diff shows what the profile has there")
    if details["type"] == "value_error":
        return Problem(field=field, message=str(details["ctx"]["error"]))
    expected = str(details["msg"])[:1].lower() + str(details["msg"])[1:]
    return Problem(
        field=field, message=f"{shown(_value_at(values, location))} is wrong, {expected.replace('input', 'it')}"
    )


def _value_at(values: Mapping[str, Any], location: Sequence[str | int]) -> object:
    value: Any = values
    for part in location:
        value = value[part]
    return value


def _unknown_key(location: Sequence[str | int]) -> str:
    known = _fields_at(location[:-1])
    nearest = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"expected one of {', '.join(known)}"
    return f"unknown key, {hint}"


def _fields_at(location: Sequence[str | int]) -> list[str]:
    model: type[BaseModel] = Params
    for part in location:
        annotation = model.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return [str(key) for key in typing.get_args(typing.get_args(annotation)[0])]  # dict[Literal[...], ...]
        model = annotation
    return list(model.model_fields)
