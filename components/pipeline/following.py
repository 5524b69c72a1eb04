"""Run a stage's work as a rank that follows: it computes its share; lock, record and results are the leader's."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from components.errors import Phys4dError
from components.launched import leader_process
from components.parameters.loader import load_params
from components.parameters.visible import UNTRACKED, visible
from components.pipeline.execution import StageContext, check_inputs
from components.pipeline.graph import find_stage, load_graph, stage_name
from components.processes import die_with_parent, keep_freed_memory, limit_threads, signals
from components.progress import Unseen

TRAIN_TOGETHER = ("prepare", "stage1", "stage2", "stage3")


def follow_stage(template: str, item: Mapping[str, str]) -> Mapping[str, float]:
    """Do the share of `components/stages/<template>.py`; Phys4dError for a stage that is one process's work."""
    name = stage_name(template, item)
    if template not in TRAIN_TOGETHER:
        raise Phys4dError(f"{name} is the work of one process: run it without torchrun")
    die_with_parent(leader_process())
    root = Path.cwd()
    stage = find_stage(load_graph(root), name)
    with signals() as stopped, TemporaryDirectory() as folder:
        params = load_params()
        limit_threads(params.resources.threads)
        keep_freed_memory()
        check_inputs(stage, root)
        context = StageContext(
            work=Path(folder),
            stopped=stopped,
            progress=lambda total: Unseen(name, total),
            log=lambda figures, step: None,
        )
        module = importlib.import_module(f"components.stages.{template}")
        figures: Mapping[str, float] = module.run(visible(params, (*UNTRACKED, *stage.params)), context, **item)
    return figures
