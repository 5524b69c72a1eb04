"""Profiles: `profiles/laptop.yaml` is complete, every other profile is a file of differences from it."""

import io
import itertools
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from components.errors import ParametersError
from components.files import write_atomically
from components.parameters.loader import PARAMS_FILE, parse_params, parse_yaml, read_yaml
from components.parameters.plain import odd_values

PROFILES = Path("profiles")
BASE = "laptop"
TABLES = ("families", "configurations")  # names and numbers that a profile chooses: its table replaces the base's


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that two sets of parameters give different values; a side that lacks the field is None."""

    field: str
    left: Any
    right: Any


def profile_names() -> list[str]:
    """Profiles there are, the base first."""
    names = sorted(path.stem for path in PROFILES.glob("*.yaml"))
    return sorted(names, key=lambda name: name != BASE)


def profile_text(name: str) -> str:
    """The whole params.yaml of a profile, with the base's comments."""
    profile_values(name)  # which names what is wrong in its files
    texts = [(PROFILES / f"{one}.yaml").read_text(encoding="utf-8") for one in dict.fromkeys((BASE, name))]
    return _overlaid(*texts)


@cache
def _overlaid(base: str, *others: str) -> str:
    """Documents one on top of the other, with the comments of the first; it takes most of a second."""
    yaml = YAML()
    yaml.width = 120
    yaml.preserve_quotes = True
    document = yaml.load(base)
    for changes in others:
        overlay(document, parse_yaml(changes), source="profiles")
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def profile_values(name: str) -> dict[str, Any]:
    """The whole parameters of a profile as plain values."""
    if name not in profile_names():
        raise ParametersError(f"no profile {name!r}, expected one of {', '.join(profile_names())}")
    values = read_yaml(PROFILES / f"{BASE}.yaml")
    if name != BASE:
        overlay(values, read_yaml(PROFILES / f"{name}.yaml"), source=f"profiles/{name}.yaml")
    return values


def use_profile(name: str, *, force: bool) -> Path | None:
    """Write params.yaml for profile `name`; where the old file was edited, only with `force`, and a backup stays.

    It was edited where it is no profile's text. Returns the backup's path, if there is one.
    """
    text = profile_text(name)
    parse_params(profile_values(name), source=f"profile {name}")
    backup = None
    if PARAMS_FILE.exists():
        old = PARAMS_FILE.read_bytes()
        if old not in [profile_text(known).encode() for known in profile_names()]:
            backup = _free_backup()
            if not force:
                raise ParametersError(
                    f"{PARAMS_FILE} was edited, in its values (phys4d profile diff shows them) or its comments: "
                    f"phys4d profile use {name} --force overwrites it and keeps {backup}"
                )
            write_atomically(backup, old)
    write_atomically(PARAMS_FILE, text.encode())
    return backup


def compare_with(name: str | None) -> tuple[str, list[Difference]]:
    """The profile of that name, by default the one params.yaml names, and where params.yaml differs from it."""
    values = read_yaml(PARAMS_FILE)
    for problem in odd_values(values):
        raise ParametersError(f"{PARAMS_FILE}: {problem}")
    if name is None and "profile" not in values:
        raise ParametersError(
            f"{PARAMS_FILE}: profile: missing, expected one of {', '.join(profile_names())}: add it, or name the "
            "profile to compare with, such as phys4d profile diff laptop"
        )
    profile = str(values["profile"]) if name is None else name
    return profile, list(differences(profile_values(profile), values))


def differences(left: Mapping[str, Any], right: Mapping[str, Any], prefix: str = "") -> Iterator[Difference]:
    """Fields in which two sets of parameters differ, in the order of `left`."""
    for key in [*left, *(key for key in right if key not in left)]:
        ours, theirs = left.get(key), right.get(key)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            yield from differences(ours, theirs, f"{prefix}{key}.")
        elif ours != theirs:
            yield Difference(field=f"{prefix}{key}", left=ours, right=theirs)


def _free_backup() -> Path:
    first = PARAMS_FILE.with_suffix(".yaml.bak")
    numbered = (first.with_suffix(f".bak.{number}") for number in itertools.count(1))
    return next(path for path in itertools.chain([first], numbered) if not path.exists())


def overlay(base: MutableMapping[str, Any], changes: Mapping[str, Any], *, source: str, prefix: str = "") -> None:
    """Put changes on top of parameters, in place; a table of shares is replaced whole.

    ParametersError names a key that `base` does not have.
    """
    for key, value in changes.items():
        if key not in base:
            raise ParametersError(f"{source}: {prefix}{key}: unknown key, not in {PARAMS_FILE}")
        if isinstance(value, Mapping) and key in TABLES:
            for left_out in set(base[key]) - set(value):
                del base[key][left_out]
            base[key].update(value)
        elif isinstance(value, Mapping) and isinstance(base[key], MutableMapping):
            overlay(base[key], value, source=source, prefix=f"{prefix}{key}.")
        else:
            base[key] = value
