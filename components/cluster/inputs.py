"""What a stage reads of other stages' outs, fetched from DVC's remote: in a pod, and here where entries came alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.cluster.dvc import dvc, use_remote
from components.cluster.requests import runs_in_pod
from components.errors import Phys4dError
from components.pipeline.graph import GraphStage
from components.pipeline.order import meet, read_outs, sources
from components.storage.store import storage_of

if TYPE_CHECKING:
    from components.params import Params


def pull_inputs(root: Path, graph: Mapping[str, GraphStage], stage: GraphStage) -> None:
    """Fetch what a stage reads of other stages' outs, and no more."""
    wanted = _read(graph, stage)
    if wanted:
        dvc(root, "pull", *sorted(wanted))


def bring_inputs(
    stage: GraphStage, graph: Mapping[str, GraphStage], params: "Params", root: Path, *, say: Callable[[str], None]
) -> None:
    """Have here what a stage reads and dvc.lock has an entry of; Phys4dError names what cannot be fetched.

    Where entries come alone (`cluster.bring`), what is here may be of an older entry: DVC is asked for it too, which
    leaves alone what is right.
    """
    recorded = read_outs(root, graph, stage)
    wanted = sorted(
        path
        for path, (out, maker) in _read(graph, stage).items()
        if out in recorded
        and (not (root / path).exists() or (params.cluster.bring == "entry" and runs_in_pod(maker, params.cluster)))
    )
    if not wanted:
        return
    say(f"fetches what it reads: {', '.join(wanted)}")
    use_remote(root, storage_of(params.storage))
    try:
        dvc(root, "pull", *wanted)
    except Phys4dError as error:
        makers = sorted({maker.name for path, (_, maker) in _read(graph, stage).items() if path in wanted})
        raise Phys4dError(
            f"{stage.name} reads {', '.join(wanted)}, of which only the entry in dvc.lock is here, and its data could "
            f"not be fetched ({error}): mend that and run the same command, or run {stage.name} in a pod "
            f"(cluster.executor), or make it here: {'; '.join(f'phys4d stage {name}' for name in makers)}"
        ) from error


def _read(graph: Mapping[str, GraphStage], stage: GraphStage) -> dict[str, tuple[str, GraphStage]]:
    """What a stage reads of other stages' outs, by the smaller of its path and the out's: the out, and its maker."""
    return {
        path if Path(path).is_relative_to(out) else out: (out, maker)
        for out, maker in sources(graph, stage).items()
        for path in stage.inputs
        if meet(path, out)
    }
