"""A small project with a graph of quick stages, which can be told to fail, and its flow."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.integration.project import SOURCE, Project, make_project
from tests.tracked import make_database

FLOW = (sys.executable, "-m", "flows.pipeline")
MODULE = '''"""Stage of a test."""
import json
import os
import time
from pathlib import Path

from components.errors import ExitCode, GateRefusedError, ParametersError, Phys4dError, StoppedError
from components.files import write_atomically

UNIT = "steps"
READS = {reads}
ERRORS = {{error.code: error for error in (GateRefusedError, StoppedError, ParametersError, Phys4dError)}}


def run(params, context, **item):
    """Write what the stage saw; first fail by the codes that a file says, or wait until it is stopped."""
    orders = Path("{name}.orders")
    codes = json.loads(orders.read_text()) if orders.exists() else []
    if codes:
        orders.write_text(json.dumps(codes[1:]))
    with Path("{name}.attempts").open("a") as file:
        file.write("x")  # last: who sees it may kill this process at once
    if codes:
        if codes[0] == "wait":
            while not context.stopped():
                time.sleep(0.02)
            raise StoppedError("{name}: stopped")
        if codes[0] == "log-and-stop":
            context.log({{"before": 1.0}}, 0)
            raise StoppedError("{name}: stopped")
        raise ERRORS[ExitCode(codes[0])]("{name}: as ordered")
    if item:  # MLflow is slow to load: only the stage of a backbone has a curve
        context.log({{"loss": 0.5}}, 0)
    seen = [Path(path).read_text() for path in READS]
    text = json.dumps([*seen, params.{section}.model_dump_json() if "{section}" != "seed" else params.seed])
    write_atomically(Path("out/{name}.json"), text.encode())
    return {{"length": len(text)}}


if __name__ == "__main__":
    from components.__main__ import explain
    from components.pipeline.execution import run_stage

    try:
        run_stage("{name}", {item})
    except Exception as error:
        code, message = explain(error)
        raise SystemExit(int(code))
'''
GRAPH = {  # name: the section of the parameters it sees, what it reads
    "first": ("seed", []),
    "left": ("stage1", ["out/first.json"]),
    "right": ("stage2", ["out/first.json"]),
    "last": ("stage3", ["out/left.json", "out/right.json"]),
}


def make_toy(root: Path) -> Project:
    """first -> left, right -> last; `last` is a stage of backbone wan22. Nothing has run."""
    project = make_project(root)
    shutil.copytree(SOURCE / "flows", root / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    make_database(root)
    stages: dict[str, object] = {}
    for name, (section, reads) in GRAPH.items():
        item = {"backbone": "wan22"} if name == "last" else {}
        module = MODULE.format(name=name, section=section, reads=reads, item=item)
        (root / f"components/stages/{name}.py").write_text(module)
        stage: dict[str, object] = {
            "cmd": f"exec python components/stages/{name}.py",
            "deps": [*reads, f"components/stages/{name}.py"],
            "params": [section],
            "outs": [f"out/{name}.json"],
        }
        if item:
            stage["matrix"] = {key: [value] for key, value in item.items()}
        stages[name] = stage
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    return project


def order(project: Project, stage: str, *codes: object) -> None:
    """Have a stage's next attempts end by these codes; "wait": it waits until it is stopped."""
    (project.root / f"{stage}.orders").write_text(str(list(codes)).replace("'", '"'))


def attempts(project: Project) -> dict[str, int]:
    """How often each stage's own command began."""
    return {path.stem: len(path.read_text()) for path in sorted(project.root.glob("*.attempts"))}


def run_flow(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return project.run(*FLOW, *arguments)


def lock_hashes(project: Project) -> list[str]:
    return re.findall(r"md5: (\w+)", (project.root / "dvc.lock").read_text())
