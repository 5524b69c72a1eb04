"""Run one stage's own command: lock, signals, resumable work, and a record of how it ended."""

import hashlib
import importlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.canonical import canonical_json
from components.errors import ExitCode, Phys4dError
from components.files import write_atomically
from components.locks import exclusive
from components.parameters.loader import PARAMS_FILE, load_params, read_yaml
from components.parameters.visible import UNTRACKED, visible
from components.params import Params
from components.pipeline.graph import GRAPH_FILE, GraphStage, find_stage, load_graph, lookup, stage_name
from components.pipeline.memory import memory_watched
from components.pipeline.order import read_outs
from components.processes import die_with_parent, keep_freed_memory, limit_threads, peak_memory, signals
from components.progress import Progress
from components.tracked_run import stage_run

STATE = Path(".phys4d")
CACHE = "__pycache__"  # beside modules: no stage's input
LAUNCH = "PHYS4D_LAUNCH"  # set by a launcher, so that it knows the record of its own run from another's


@dataclass(frozen=True, kw_only=True)
class StageContext:
    """What a stage is given beside its parameters.

    work: a folder that survives an interruption of the same work and is deleted when the stage is done;
    stopped: whether a signal asked to stop (save, then raise StoppedError); progress: opens a progress display;
    log: records figures of a step, for curves: it is cheap, and nothing that goes wrong with it reaches the stage.
    """

    work: Path
    stopped: Callable[[], bool]
    progress: Callable[[int], Progress]
    log: Callable[[Mapping[str, float], int], None]


def run_stage(template: str, item: Mapping[str, str]) -> Mapping[str, float]:
    """Run `components/stages/<template>.py` in the project folder; its figures. Its end is recorded in any case."""
    root = Path.cwd()
    name = stage_name(template, item)
    record = record_path(root, name)
    die_with_parent()
    if _orphaned():
        raise Phys4dError(f"{name}: the DVC process that started this command has ended")
    with exclusive(lock_path(root, name), name), signals() as stopped:
        code, cause = ExitCode.FAILED, "ended without a word"
        began = time.monotonic()
        try:
            params = load_params()
            limit_threads(params.resources.threads)
            keep_freed_memory()
            figures = _run(find_stage(load_graph(root), name), params, item, stopped)
            code, cause = ExitCode.DONE, ""
            return figures
        except Phys4dError as error:
            code, cause = error.code, str(error)
            raise
        except BaseException as error:
            cause = f"{type(error).__name__}: {error}"
            raise
        finally:
            end = {"stage": name, "code": int(code), "cause": cause, "launch": os.environ.get(LAUNCH, "")}
            end |= {"seconds": round(time.monotonic() - began, 1), "peak_memory_megabytes": peak_memory()}
            write_atomically(record, canonical_json(end).encode())


def _run(
    stage: GraphStage, params: Params, item: Mapping[str, str], stopped: Callable[[], bool]
) -> Mapping[str, float]:
    root = Path.cwd()
    check_inputs(stage, root)
    work = work_folder(stage, root)
    work.mkdir(parents=True, exist_ok=True)
    module = importlib.import_module(f"components.stages.{stage.template}")
    values, code = stage_values(stage, root), _code(stage, root)
    with stage_run(
        root,
        name=stage.name,
        profile=params.profile,
        params=values,
        key=work.name,
        work=work,
        reads=lambda: read_outs(root, load_graph(root), stage),
    ) as run:
        context = StageContext(
            work=work,
            stopped=stopped,
            progress=lambda total: Progress(stage.name, total, unit=module.UNIT),
            log=run.log,
        )
        with memory_watched(stage.template, item, params):
            figures: Mapping[str, float] = module.run(visible(params, (*UNTRACKED, *stage.params)), context, **item)
        changes = [f"{name} of {PARAMS_FILE}" for name in _changes(values, stage_values(stage, root))]
        changes += _changes(code, _code(stage, root))
        if changes:  # DVC would record what was made of the old ones as made of the new ones
            raise Phys4dError(
                f"{stage.name}: changed while it ran: {', '.join(changes)}: run it again, "
                "or put them back first, and it goes on from what it saved"
            )
        if run.begun or "backbone" in item:
            run.finish(figures)
    shutil.rmtree(work.parent)
    return figures


def work_folder(stage: GraphStage, root: Path) -> Path:
    """Where a stage's unfinished work lies: named by all that decides its result."""
    return root / STATE / "progress" / stage.name / work_key(stage, root)


def check_inputs(stage: GraphStage, root: Path) -> None:
    """Phys4dError when something the stage reads is not there, with the command that makes it."""
    producers = {out: other.name for other in load_graph(root).values() for out in other.outs}
    for path in stage.inputs:
        if not (root / path).exists():
            remedy = f"phys4d stage {producers[path]}, or dvc pull" if path in producers else "dvc pull"
            raise Phys4dError(f"{stage.name} reads {path}, which is not there: run {remedy}")


def work_key(stage: GraphStage, root: Path) -> str:
    """sha256 of all that decides a stage's result: its parameters' values, its inputs' bytes, its code's bytes."""
    described = {
        "params": stage_values(stage, root),
        "inputs": {path: _digest(root / path) for path in stage.inputs},
        "code": _code(stage, root),
    }
    return hashlib.sha256(canonical_json(described).encode()).hexdigest()


def stage_values(stage: GraphStage, root: Path) -> dict[str, Any]:
    """The values of params.yaml that a stage sees, by their dotted keys."""
    values = read_yaml(root / "params.yaml")
    return {key: lookup(values, key) for key in stage.params}


def record_path(root: Path, name: str) -> Path:
    """Where a stage's own command leaves its exit code and its cause in one line."""
    return root / STATE / "run" / f"{name}.json"


def read_record(root: Path, name: str, *, launch: str) -> tuple[ExitCode, str] | None:
    """Exit code and cause that the stage's command of this launch left, or None when it left none."""
    try:
        record = json.loads(record_path(root, name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return (ExitCode(record["code"]), str(record["cause"])) if record["launch"] == launch else None


def lock_path(root: Path, name: str) -> Path:
    """The lock that a running stage command holds."""
    return root / STATE / "run" / f"{name}.lock"


def project_root() -> Path:
    """The nearest folder, here or above, that holds dvc.yaml; Phys4dError when there is none."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / GRAPH_FILE).is_file():
            return folder
    raise Phys4dError(f"no {GRAPH_FILE} in {Path.cwd()} or above it: run phys4d inside the project")


def _digest(path: Path) -> str:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file() and file.parent.name != CACHE)
        lines = [f"{file.relative_to(path)} {_digest(file)}" for file in files]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _code(stage: GraphStage, root: Path) -> dict[str, str]:
    return {path: _digest(root / path) for path in stage.code}


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _orphaned() -> bool:
    """Whether DVC was killed before this process asked to die with it; DVC may itself be process 1 of a container."""
    return "DVC_STAGE" in os.environ and os.getppid() == 1 and b"dvc" not in Path("/proc/1/cmdline").read_bytes()
