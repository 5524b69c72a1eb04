"""A family is one short file: the README's own is added to a copy of the code, and nothing else."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from components.errors import Phys4dError
from components.index import read_index
from components.parameters.profiles import profile_values
from components.pipeline.closure import import_closure
from components.shards import read_clip
from components.simulation import catalogue, families
from components.simulation.catalogue import CATEGORY_NAMES, family_names
from components.simulation.clips import KERNEL_CACHE
from components.simulation.families import load_category
from tests.dotted import set_fields

PROJECT = Path(__file__).parents[3]
FAMILIES = [path for name in CATEGORY_NAMES for path in sorted((catalogue.FAMILIES / name).glob("[!_]*.py"))]


@pytest.mark.parametrize("path", FAMILIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_family_fits_in_eighty_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 80


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_a_category_holds_its_modules_each_by_the_class_of_its_name(category: str) -> None:
    loaded = load_category(category).families
    assert tuple(loaded) == family_names(category) != ()
    for name, family in loaded.items():
        assert is_dataclass(family)
        assert (family.__module__.split(".")[-1], family.__name__.lower()) == (name, name.replace("_", ""))


def test_a_module_without_the_class_of_its_name_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty_one").mkdir()
    (tmp_path / "empty_one/__init__.py").write_text("SOLVERS = ()\n")
    (tmp_path / "empty_one/see_saw.py").touch()
    monkeypatch.setattr(catalogue, "FAMILIES", tmp_path)
    monkeypatch.setattr(families, "__path__", [str(tmp_path)])
    with pytest.raises(Phys4dError, match=r"empty_one/see_saw\.py: no class SeeSaw, expected"):
        load_category("empty_one")


def test_only_the_categories_that_are_asked_for_are_imported() -> None:
    script = (
        "import sys, components.simulation.generate\n"
        "from components.simulation.families import load_category\n"
        "def loaded(): return {name.split('.')[3] for name in sys.modules"
        " if name.startswith('components.simulation.families.') and name.count('.') > 3}\n"
        "assert loaded() == set() and 'pybullet' not in sys.modules\n"
        "load_category('rigid'); assert loaded() == {'rigid'}, loaded()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.slow
def test_the_family_of_the_readme_makes_clips_where_its_file_is_added(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n# (components/simulation/families/(\w+)/(\w+)\.py)\n(.*?)```", *readme())
    ((name, category, family, text),) = blocks
    shutil.copytree(PROJECT / "components", tmp_path / "components", copy_function=os.symlink)
    shutil.copy(PROJECT / "dvc.yaml", tmp_path)
    (tmp_path / name).write_text(text)
    lines = [line for line in text.splitlines() if line and not line.startswith(("from ", "import "))]
    assert len(lines) == 10
    assert Path(name) in import_closure(Path("components/stages/simulate.py"), tmp_path)
    values = set_fields(profile_values("smoke"), **{f"simulation__{category}__families": {family: 0.5, "drop": 0.5}})
    with (tmp_path / "params.yaml").open("w") as file:
        YAML().dump(values, file)
    command = f"-m components simulate --category {category} --family {family} --clips 1 --frames 5 --out clips"
    cache = str(PROJECT / KERNEL_CACHE)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "WARP_CACHE_PATH": cache}
    subprocess.run([sys.executable, *command.split()], check=True, cwd=tmp_path, env=environment, capture_output=True)
    (row,) = read_index(tmp_path / "clips")
    clip = read_clip(tmp_path / "clips", row.extent)
    assert (clip.meta.category, clip.meta.family) == (category, family)
    assert clip.meta.caption == "A red cannonball in the air."
    assert clip.poses[-1, 0, 2] < clip.poses[0, 0, 2]


def readme() -> tuple[str, re.RegexFlag]:
    return (PROJECT / "README.md").read_text(), re.DOTALL
