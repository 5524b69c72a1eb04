"""storage in params.yaml: an address without keys, or nothing at all."""

import pytest

from components.parameters.loader import examine
from components.parameters.profiles import profile_names, profile_values
from components.parameters.rules.problem import Problem
from tests.dotted import set_fields

GOOD = {"endpoint": "http://10.0.0.5:7480", "bucket": "phys4d-data", "prefix": "team/one"}


def problems(**changes: object) -> list[Problem]:
    values = set_fields(profile_values("laptop"), **{f"storage__{name}": value for name, value in changes.items()})
    return examine(values)[1]


@pytest.mark.parametrize("profile", profile_names())
def test_no_profile_names_a_storage(profile: str) -> None:
    assert profile_values(profile)["storage"] == {"endpoint": None, "bucket": None, "prefix": None}


@pytest.mark.parametrize("left_out", [(), ("endpoint",), ("prefix",), ("endpoint", "prefix")])
def test_a_bucket_is_enough(left_out: tuple[str, ...]) -> None:
    assert problems(**{**GOOD, **dict.fromkeys(left_out)}) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "10.0.0.5:7480"),
        ("endpoint", "s3://phys4d-data"),
        ("endpoint", "http://"),
        ("endpoint", "http://host:port"),
        ("endpoint", "https://host/phys4d-data"),
        ("endpoint", "https://someone@host"),
        ("bucket", "No"),
        ("bucket", "a/b"),
        ("bucket", "x" * 64),
        ("prefix", "/team"),
        ("prefix", "team/"),
        ("prefix", "team/../other"),
        ("prefix", "white space"),
    ],
)
def test_what_no_client_could_use_is_refused(field: str, value: str) -> None:
    assert [problem.field for problem in problems(**{**GOOD, field: value})] == [f"storage.{field}"]


@pytest.mark.parametrize("field", ["endpoint", "prefix"])
def test_without_a_bucket_nothing_else_is_said(field: str) -> None:
    assert [problem.field for problem in problems(**{field: GOOD[field]})] == ["storage.bucket"]


def test_a_password_in_an_endpoint_is_not_repeated() -> None:
    found = problems(**{**GOOD, "endpoint": "https://someone:secret-word@host"})
    assert len(found) == 1
    assert "secret-word" not in str(found[0])
