"""The import closure of a module: every file of this project that runs when the module runs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("components",)
OWN_MODULE = re.compile(r"f'\{__(?:name|package)__\}((?:\.\{\w+\})+)'")  # as ast writes an f-string


def import_closure(entry: Path, root: Path) -> list[Path]:
    """Files below `root`, sorted, that `entry` imports directly or not, itself and package `__init__`s included.

    Imports inside functions count; imports under `if TYPE_CHECKING:` do not, because they never run. A package that
    imports its own modules by names it works out, `import_module(f"{__name__}.{name}")`, may import any of them; so may
    a module of it that says `__package__`.
    """
    found: set[Path] = set()
    waiting = [*_files_of(".".join(entry.with_suffix("").parts), root)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        tree = ast.parse((root / path).read_text(encoding="utf-8"), filename=str(path))
        package = list(path.parent.parts)
        for name in _imported_names(tree, package):
            waiting.extend(_files_of(name, root))
    return sorted(found)


def _imported_names(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Absolute names of what a module of `package` imports; `from .. import x` counts from that package."""
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        for statement in node.orelse:
            yield from _imported_names(statement, package)
        return
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("import_module", "importlib.import_module"):
        yield from _own_modules(node.args[0], package)
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        source = [*above, *filter(None, [node.module])]
        yield from (".".join([*source, alias.name]) for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imported_names(child, package)


def _own_modules(name: ast.expr, package: list[str]) -> Iterator[str]:
    """f"{__name__}.{a}.{b}" as a name with a * for every part that is worked out; of any other name, nothing."""
    if found := OWN_MODULE.fullmatch(ast.unparse(name)):
        yield ".".join([*package, *["*"] * found[1].count(".")])


def _files_of(name: str, root: Path) -> Iterator[Path]:
    """The files importing `name` runs: a package's `__init__` for every part, then the module, if there is one.

    A part * stands for every name.
    """
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return
    for length in range(1, len(parts) + 1):
        stem = Path(*parts[:length])
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            found = root.glob(str(path)) if "*" in name else [root / path]
            yield from (one.relative_to(root) for one in found if one.is_file())
