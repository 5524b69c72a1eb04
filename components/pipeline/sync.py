"""Write every stage's code dependencies, its import closure, into dvc.yaml."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.errors import ParametersError
from components.files import write_atomically
from components.pipeline.closure import import_closure
from components.pipeline.graph import BACKBONES, GRAPH_FILE, editable_graph, entry_path, is_code, load_templates

STAGES = Path("components/stages")


def sync(root: Path) -> list[str]:
    """Rewrite the code dependencies in dvc.yaml; the names of stages whose dependencies changed."""
    changed, text = _synced(root)
    if changed:
        write_atomically(root / GRAPH_FILE, text.encode())
    return changed


def outdated(root: Path) -> list[str]:
    """The names of stages whose code dependencies in dvc.yaml are not their import closure."""
    return _synced(root)[0]


def _synced(root: Path) -> tuple[list[str], str]:
    load_templates(root)  # which names what is wrong in the file
    yaml, document = editable_graph(root / GRAPH_FILE)
    changed = []
    for name, body in document["stages"].items():
        deps = stage_deps(name, body, root)
        if deps != list(body.get("deps") or []):
            body["deps"] = deps
            changed.append(str(name))
    stream = io.StringIO()
    yaml.dump(document, stream)
    return changed, stream.getvalue()


def stage_deps(name: str, body: Any, root: Path) -> list[Any]:  # noqa: ANN401 -- a node of a YAML document
    """Data dependencies as they stand, then the import closure of the stage's module.

    A stage of a matrix over backbones depends on the package of its own backbone, and not on the others'.
    """
    module = STAGES / f"{name}.py"
    if not (root / module).is_file():
        raise ParametersError(f"{GRAPH_FILE}: stage {name} has no module {module}: a stage is named as its module")
    data = [dep for dep in body.get("deps") or [] if not is_code(entry_path(dep))]
    closure = import_closure(module, root)
    if "backbone" not in (body.get("matrix") or {}):
        return data + [str(path) for path in whole_packages(closure, root)]
    others = whole_packages([path for path in closure if BACKBONES not in path.parent.parents], root)
    return [*data, *map(str, others), str(BACKBONES / "${item.backbone}")]


def whole_packages(modules: Iterable[Path], root: Path) -> list[Path]:
    """These modules, sorted; in place of all modules of a package, its folder.

    DVC reads and writes all of dvc.lock for every stage that has run, so that each line of it costs all stages time.
    """
    found = set(modules)
    packages = sorted({package for path in found for package in path.parents} - {Path()})
    for package in packages:  # the outer before the inner
        below = {path.relative_to(root) for path in (root / package).rglob("*.py")}
        if below <= found and len(below) > 1:
            found = found - below | {package}
    return sorted(found)
