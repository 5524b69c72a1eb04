"""The graph as dvc.yaml gives it, with matrices unrolled: what a stage's own command must know of itself.

DVC owns the graph. This reads the part of its format that dvc.yaml uses, in milliseconds and without importing DVC; a
test holds it against DVC's own reading.
"""

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from components.errors import ParametersError
from components.parameters.loader import PARAMS_FILE, read_yaml

GRAPH_FILE = Path("dvc.yaml")


@dataclass(frozen=True, kw_only=True)
class GraphStage:
    """One stage: `name` as DVC addresses it (`simulate@train`), `template` its key in dvc.yaml and its module's name.

    inputs: data it reads; code: modules it runs; params: dotted keys of params.yaml it may see; outs: what it writes.
    """

    name: str
    template: str
    inputs: tuple[str, ...]
    code: tuple[str, ...]
    params: tuple[str, ...]
    outs: tuple[str, ...]


def load_graph(root: Path) -> dict[str, GraphStage]:
    """Every stage by its name, in the order of dvc.yaml."""
    document = read_yaml(root / GRAPH_FILE)
    values = read_yaml(root / PARAMS_FILE)
    stages = [stage for template, body in document["stages"].items() for stage in _unroll(template, body, values)]
    return {stage.name: stage for stage in stages}


def find_stage(graph: Mapping[str, GraphStage], name: str) -> GraphStage:
    """The stage of that name; ParametersError names the nearest one there is."""
    if name in graph:
        return graph[name]
    nearest = difflib.get_close_matches(name, graph, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]}?" if nearest else f"expected one of {', '.join(graph)}"
    raise ParametersError(f"no stage {name!r} in {GRAPH_FILE}, {hint}")


def stage_name(template: str, item: Mapping[str, str]) -> str:
    """DVC's address of a stage: `simulate` and {"split": "train"} give `simulate@train`."""
    return f"{template}@{'-'.join(item.values())}" if item else template


def _unroll(template: str, body: Mapping[str, Any], values: Mapping[str, Any]) -> Iterable[GraphStage]:
    matrix: Mapping[str, list[Any]] = body.get("matrix", {})
    for combination in itertools.product(*matrix.values()):
        item = {key: str(value) for key, value in zip(matrix, combination, strict=True)}
        scope = {**values, "item": item}
        deps = [_fill(dep, scope) for dep in body.get("deps", [])]
        yield GraphStage(
            name=stage_name(template, item),
            template=template,
            inputs=tuple(dep for dep in deps if not is_code(dep)),
            code=tuple(dep for dep in deps if is_code(dep)),
            params=tuple(_fill(key, scope) for key in body.get("params", [])),
            outs=tuple(_fill(out, scope) for out in body.get("outs", [])),
        )


def is_code(dep: str) -> bool:
    """Whether a dependency is a module of ours rather than data."""
    return dep.endswith(".py")


def _fill(text: str, scope: Mapping[str, Any]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda match: str(lookup(scope, match[1])), text)


def lookup(values: Mapping[str, Any], dotted: str) -> Any:  # noqa: ANN401 -- a value of params.yaml can be anything
    """The value of params.yaml at a dotted key; ParametersError names the key that is not there."""
    value: Any = values
    for part in dotted.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise ParametersError(f"{GRAPH_FILE} looks at {dotted!r}, which {PARAMS_FILE} does not have")
        value = value[part]
    return value


def editable_graph(path: Path) -> tuple[YAML, Any]:
    """dvc.yaml for a rewrite that keeps comments and order: the YAML writer and the document."""
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml, yaml.load(path.read_text(encoding="utf-8"))
