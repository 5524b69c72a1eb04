"""Write every stage's code dependencies, its import closure, into dvc.yaml."""

import io
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
        return data + [str(path) for path in closure]
    others = [str(path) for path in closure if BACKBONES not in path.parent.parents]
    return [*data, *others, str(BACKBONES / "${item.backbone}")]
