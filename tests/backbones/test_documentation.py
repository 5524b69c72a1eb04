"""docs/backbones.md says what the code asks of a backbone, and what a fourth one takes."""

import inspect
import re
from pathlib import Path

import pytest

from components.backbones.base import Backbone, Codec, TextEncoder
from components.backbones.family import Family
from components.parameters.backbones import FAMILIES

PAGE = Path("docs/backbones.md").read_text()
IN_ONE_FILE = Path("components/backbones/ltx_video")
MOST = 250  # lines


def section(title: str) -> str:
    """What stands between a heading and the next one."""
    return re.split(r"^## ", PAGE.split(f"## {title}\n")[1], flags=re.MULTILINE)[0]


def members(protocol: type) -> set[str]:
    methods = {
        name for name, value in vars(protocol).items() if inspect.isfunction(value) or isinstance(value, property)
    }
    return {name for name in methods | set(inspect.get_annotations(protocol)) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("title", "protocol"),
    [
        ("What a family gives", Family),
        ("What a Backbone answers", Backbone),
        ("What a Codec answers", Codec),
        ("What a TextEncoder answers", TextEncoder),
    ],
)
def test_a_table_names_what_the_protocol_asks_for(title: str, protocol: type) -> None:
    rows = [line for line in section(title).splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert len(named) == len(set(named))
    assert set(named) == members(protocol)


def test_every_backbone_is_named() -> None:
    beginning = PAGE.split("## ", maxsplit=1)[0]
    assert re.findall(r"`(\w+)`", beginning) == list(FAMILIES)


def test_the_example_is_one_file_of_at_most_250_lines() -> None:
    assert [path.name for path in IN_ONE_FILE.rglob("*.py")] == ["__init__.py"]
    assert len((IN_ONE_FILE / "__init__.py").read_text().splitlines()) <= MOST
    assert (
        f"`{IN_ONE_FILE / '__init__.py'}` is the example: a whole family in one file of less than {MOST} lines" in PAGE
    )


def test_nothing_outside_its_package_and_the_parameters_knows_the_example() -> None:
    """A name for readers may stand in the report's catalogue; the code has no case for it."""
    knowing = {str(path) for path in Path("components").rglob("*.py") if "ltx_video" in path.read_text()}
    known = {"components/parameters/backbones.py", "components/report/catalogue.py", "components/backbones/family.py"}
    assert knowing == {str(IN_ONE_FILE / "__init__.py"), *known}


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:\w+/)+[\w.]+/?)`", PAGE)) - {"components/backbones/NAME"})
)
def test_every_path_is_there(path: str) -> None:
    assert Path(path).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(\w+\.py)`", PAGE))))
def test_every_file_named_without_a_folder_is_a_shared_part_or_a_test_of_the_example(name: str) -> None:
    assert any(
        (folder / name).is_file() for folder in (Path("components/backbones"), Path("tests/backbones/ltx_video"))
    )
