"""`phys4d join`: the ranks of one machine beside the first, in a training whose stage leads there."""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from components.errors import ParametersError, Phys4dError, StoppedError
from components.launched import this_node
from components.pipeline.following import TRAIN_TOGETHER
from components.pipeline.graph import GraphStage
from components.training.gang import meeting, start_rank

LOOK_EVERY = 0.5  # seconds


def join_stage(stage: GraphStage, *, ranks: int, stopped: Callable[[], bool]) -> None:
    """Compute this machine's share of a stage, by `ranks` processes, until the training has ended.

    Phys4dError in the words of the first that failed; StoppedError when a signal came: the gang is then at an end.
    """
    node = this_node()
    if node is None or node.number == 0:
        raise ParametersError(
            "join: expected PET_NNODES of 2 or more, PET_NODE_RANK of 1 or more, PET_MASTER_ADDR and PET_MASTER_PORT "
            "in the environment: the first machine runs phys4d stage, the others phys4d join"
        )
    if stage.template not in TRAIN_TOGETHER:
        raise ParametersError(f"join: {stage.name} is the work of one process: {', '.join(TRAIN_TOGETHER)} are not")
    command = [stage.template, "--backbone", stage.name.partition("@")[2]]
    shared = meeting(ranks, node.count, node.address, node.port)
    with TemporaryDirectory() as folder:
        logs = [Path(folder) / f"rank-{local}.log" for local in range(ranks)]
        processes = [
            start_rank(command, node.number * ranks + local, local=local, shared=shared, log=log)
            for local, log in enumerate(logs)
        ]
        try:
            while any(process.poll() is None for process in processes):
                if stopped():
                    raise StoppedError(f"{stage.name}: stopped on machine {node.number}; the first one has saved")
                for local, process in enumerate(processes):
                    if process.poll():
                        raise _failure(node.number * ranks + local, process.returncode, logs[local])
                time.sleep(LOOK_EVERY)
            for local, process in enumerate(processes):
                if process.returncode:
                    raise _failure(node.number * ranks + local, process.returncode, logs[local])
        finally:
            for process in processes:
                process.kill()
                process.wait()


def _failure(rank: int, code: int, log: Path) -> Phys4dError:
    said = log.read_text(errors="replace").strip().splitlines()
    return Phys4dError(f"rank {rank} ended with code {code}: {said[-1] if said else 'no word'}")
