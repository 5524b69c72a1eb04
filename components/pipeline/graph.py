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
from components.parameters.plain import shown

GRAPH_FILE = Path("dvc.yaml")
OUTS = ("outs", "metrics", "plots")
BACKBONES = Path("components/backbones")  # whose packages are whole dependencies: one is not another's code
TEMPLATES = "templates"  # a folder of pages, not of modules: a dependency that dvc.yaml names by hand
REFERENCE = re.compile(r"\$\{([^}]+)\}")
KEYS = {"cmd", "desc", "meta", "frozen", "always_changed", "matrix", "deps", "params", *OUTS}


@dataclass(frozen=True, kw_only=True)
class GraphStage:
    """One stage: `name` as DVC addresses it (`simulate@train`), `template` its key in dvc.yaml and its module's name.

    inputs: data it reads; code: modules it runs; params: dotted keys of params.yaml it may see; outs: what it writes;
    cores: what it keeps busy (`meta: {cores: N}`), None for as many as `resources` gives it; command: what DVC runs.
    """

    name: str
    template: str
    inputs: tuple[str, ...]
    code: tuple[str, ...]
    params: tuple[str, ...]
    outs: tuple[str, ...]
    cores: int | None = None
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A stage as dvc.yaml writes it: one for every combination of its matrix, ${...} not yet filled in.

    matrix: values by name, or the ${...} that stands for a list of params.yaml.
    """

    name: str
    matrix: Mapping[str, list[str] | str]
    deps: list[str]
    params: list[str]
    outs: list[str]
    cores: int | None
    command: str


def load_graph(root: Path) -> dict[str, GraphStage]:
    """Every stage by its name, in the order of dvc.yaml."""
    values = read_yaml(root / PARAMS_FILE)
    stages = [stage for template in load_templates(root) for stage in _unroll(template, values)]
    return {stage.name: stage for stage in stages}


def load_templates(root: Path) -> list[Template]:
    """The stages of dvc.yaml as they are written; ParametersError names the stage and what was expected there."""
    stages = read_yaml(root / GRAPH_FILE).get("stages")
    if not isinstance(stages, dict):
        raise ParametersError(f"{GRAPH_FILE}: stages: {shown(stages)}, expected a mapping of stages by their names")
    return [_template(name, body) for name, body in stages.items()]


def entry_path(entry: Any) -> str:  # noqa: ANN401 -- a node of a YAML document
    """The path of an entry of `deps` or `outs`: itself, or the one key of {path: options}."""
    return str(next(iter(entry)) if isinstance(entry, dict) else entry)


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


def _template(name: object, body: object) -> Template:
    where = f"{GRAPH_FILE}: stage {name}"
    if not isinstance(name, str) or not isinstance(body, dict):
        raise ParametersError(f"{where}: {shown(body)}, expected a name with a mapping of {', '.join(sorted(KEYS))}")
    for key in body:
        if key not in KEYS:
            raise ParametersError(f"{where}: unknown key {key!r}, expected one of {', '.join(sorted(KEYS))}")
    matrix = body.get("matrix") or {}
    if not isinstance(matrix, dict) or not all(_is_axis(values) for values in matrix.values()):
        raise ParametersError(
            f"{where}: matrix: {shown(matrix)}, expected by their names lists of plain values, or ${{...}} of "
            f"{PARAMS_FILE}"
        )
    return Template(
        name=name,
        matrix={
            str(key): values if isinstance(values, str) else [str(value) for value in values]
            for key, values in matrix.items()
        },
        deps=[_path(entry, f"{where}: deps") for entry in _entries(body, "deps", where)],
        params=[key for entry in _entries(body, "params", where) for key in _keys(entry, f"{where}: params")],
        outs=[_path(entry, f"{where}: {kind}") for kind in OUTS for entry in _entries(body, kind, where)],
        cores=_cores(body.get("meta"), where),
        command=str(body.get("cmd", "")),
    )


def _is_axis(values: object) -> bool:
    """Whether a matrix can have these values: a list of plain ones, or the name of such a list."""
    if isinstance(values, str):
        return REFERENCE.fullmatch(values) is not None
    return isinstance(values, list) and all(isinstance(value, str | int | float) for value in values)


def _cores(meta: object, where: str) -> int | None:
    """`cores` of a stage's `meta`, which DVC leaves to its users."""
    cores = meta.get("cores") if isinstance(meta, dict) else None
    if cores is not None and (not isinstance(cores, int) or isinstance(cores, bool) or cores < 1):
        raise ParametersError(f"{where}: meta.cores: {shown(cores)}, expected a whole number above 0")
    return cores


def _entries(body: Mapping[str, Any], key: str, where: str) -> list[Any]:
    entries = body.get(key)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise ParametersError(f"{where}: {key}: {shown(entries)}, expected a list")
    return entries


def _path(entry: object, where: str) -> str:
    single = isinstance(entry, dict) and len(entry) == 1 and isinstance(next(iter(entry.values())), dict | None)
    path = next(iter(entry)) if isinstance(entry, dict) and single else entry
    if not isinstance(path, str):
        raise ParametersError(f"{where}: {shown(entry)}, expected a path or {{path: {{option: value}}}}")
    return path


def _keys(entry: object, where: str) -> list[str]:
    keys = entry[str(PARAMS_FILE)] if isinstance(entry, dict) and list(entry) == [str(PARAMS_FILE)] else [entry]
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ParametersError(
            f"{where}: {shown(entry)}, expected a dotted key of {PARAMS_FILE} or {{{PARAMS_FILE}: [keys]}}"
        )
    return keys


def _unroll(template: Template, values: Mapping[str, Any]) -> Iterable[GraphStage]:
    axes = [_axis(axis, name, values) for name, axis in template.matrix.items()]
    for combination in itertools.product(*axes):
        item = dict(zip(template.matrix, combination, strict=True))
        scope = {**values, "item": item}
        deps = [_fill(dep, scope) for dep in template.deps]
        yield GraphStage(
            name=stage_name(template.name, item),
            template=template.name,
            inputs=tuple(dep for dep in deps if not is_code(dep)),
            code=tuple(dep for dep in deps if is_code(dep)),
            params=tuple(_fill(key, scope) for key in template.params),
            outs=tuple(_fill(out, scope) for out in template.outs),
            cores=template.cores,
            command=_fill(template.command, scope),
        )


def _axis(axis: list[str] | str, name: str, values: Mapping[str, Any]) -> list[str]:
    """The values of one axis of a matrix."""
    if not isinstance(axis, str):
        return axis
    found = lookup(values, axis[2:-1])
    if not _is_axis(found) or isinstance(found, str):
        raise ParametersError(f"{PARAMS_FILE}: {axis[2:-1]}: {shown(found)}, expected a list of values of {name}")
    return [str(value) for value in found]


def is_code(dep: str) -> bool:
    """Whether a dependency is a module or a package of ours rather than data."""
    return dep.endswith(".py") or (dep.startswith("components/") and Path(dep).name != TEMPLATES)


def _fill(text: str, scope: Mapping[str, Any]) -> str:
    return REFERENCE.sub(lambda match: str(lookup(scope, match[1])), text)


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
