"""The import closure holds what runs, and nothing that only types."""

from pathlib import Path

import pytest

from components.pipeline.closure import import_closure


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "components/__init__.py": "",
        "components/stages/__init__.py": "",
        "components/stages/a.py": (
            "from typing import TYPE_CHECKING\n"
            "from components.b import thing\n"
            "if TYPE_CHECKING:\n    from components.only_typed import T\n"
            "def run():\n    import components.lazy\n"
        ),
        "components/b.py": "from components.pack import inner\nimport numpy\nthing = 1\n",
        "components/pack/__init__.py": "from components.from_init import x\n",
        "components/pack/inner.py": "from components.b import thing\n",
        "components/from_init.py": "x = 1\n",
        "components/lazy.py": "",
        "components/only_typed.py": "T = int\n",
        "components/unrelated.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def closure_names(tree: Path) -> set[str]:
    return {str(path.relative_to("components")) for path in import_closure(Path("components/stages/a.py"), tree)}


def test_direct_indirect_lazy_and_package_imports_count(tree: Path) -> None:
    assert closure_names(tree) == {
        "__init__.py",
        "stages/__init__.py",
        "stages/a.py",
        "b.py",
        "pack/__init__.py",
        "pack/inner.py",
        "from_init.py",
        "lazy.py",
    }


@pytest.mark.parametrize(
    ("module", "statement", "found"),
    [
        ("stages/a.py", "from ..b import thing", {"stages/__init__.py", "b.py", "from_init.py", "pack/inner.py"}),
        ("stages/a.py", "from .. import lazy", {"stages/__init__.py", "lazy.py"}),
        (
            "stages/a.py",
            "from ..pack.inner import thing",
            {"stages/__init__.py", "pack/inner.py", "b.py", "from_init.py"},
        ),
        ("pack/__init__.py", "from . import inner", {"pack/inner.py", "b.py"}),
        ("pack/__init__.py", "from .inner import thing", {"pack/inner.py", "b.py"}),
    ],
)
def test_relative_imports_count(tree: Path, module: str, statement: str, found: set[str]) -> None:
    (tree / "components" / module).write_text(f"{statement}\n")
    entry = Path("components", module)
    names = {str(path.relative_to("components")) for path in import_closure(entry, tree)}
    assert names - {"pack/__init__.py"} == (found | {"__init__.py", module}) - {"pack/__init__.py"}


def test_a_block_that_runs_because_it_is_not_for_types_counts(tree: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import components.lazy\n"
    (tree / "components/stages/a.py").write_text(text)
    assert "lazy.py" in closure_names(tree)


def test_imports_for_types_only_do_not_count(tree: Path) -> None:
    assert "only_typed.py" not in closure_names(tree)


def test_a_package_that_imports_its_own_modules_by_name_may_import_any_of_them(tree: Path) -> None:
    package = tree / "components/pack"
    (package / "__init__.py").write_text(
        "from importlib import import_module\n"
        "def load(part, name):\n"
        "    import_module(f'{__name__}.{part}')\n"
        "    import_module(f'{__name__}.{part}.{name}')\n"
    )
    for part in ("one", "two"):
        (package / part).mkdir()
        (package / part / "__init__.py").write_text("import components.lazy\n")
    (package / "two/deep.py").write_text("import components.from_init\n")
    assert closure_names(tree) - {"__init__.py", "stages/__init__.py", "stages/a.py", "b.py"} == {
        "pack/__init__.py",
        "pack/inner.py",
        "pack/one/__init__.py",
        "pack/two/__init__.py",
        "pack/two/deep.py",
        "lazy.py",
        "from_init.py",
    }


def test_modules_that_a_launcher_names_do_not_count(tree: Path) -> None:
    (tree / "components/stages/a.py").write_text(
        "import importlib\ndef run(name):\n    importlib.import_module(f'components.stages.{name}')\n"
    )
    (tree / "components/stages/b.py").touch()
    assert closure_names(tree) == {"__init__.py", "stages/__init__.py", "stages/a.py"}
