"""`phys4d pod STAGE --run ID`: one stage of a run on this machine, for a caller elsewhere.

Params.yaml and dvc.lock come from the run's folder, inputs and outs by DVC, and the stage's entry of dvc.lock goes to
the folder last: who finds it finds the data. What a stage had finished waits in the storage for the next pod, also
where this one is lost without a word. A pod ends with the stage's own exit code, 75 when it was asked to stop.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from components.checkout import IMAGE_COMMIT
from components.cluster.dvc import dvc, use_remote
from components.cluster.entry import disagreements, recorded_entry
from components.cluster.kept import KeptWork
from components.cluster.run_folder import RunFolder
from components.errors import ParametersError, Phys4dError
from components.parameters.loader import load_params
from components.pipeline.execution import work_folder
from components.pipeline.graph import GraphStage, find_stage, load_graph
from components.pipeline.launcher import launch
from components.pipeline.order import meet, sources
from components.storage.store import Storage, storage_of
from components.tracked_run import PIPELINE

STORAGE, ENDPOINT = "PHYS4D_STORAGE", "PHYS4D_STORAGE_ENDPOINT"
MINUTE = 60  # seconds


def run_pod(root: Path, name: str, *, run: str) -> None:
    """Do stage `name` of a run and publish it; raises what the stage ended with. `root` must be the working folder."""
    folder = enter_run(root, run)
    os.environ.setdefault(PIPELINE, run)
    graph = load_graph(root)
    stage = find_stage(graph, name)
    published = folder.entry(name)
    if published and not disagreements(published, root, graph):
        sys.stderr.write(f"{name}: an earlier pod of run {run} has done it\n")
        return
    pull_inputs(root, graph, stage)
    kept = KeptWork(storage=folder.storage, stage=name, work=work_folder(stage, root))
    kept.resume()
    try:
        with kept.kept_regularly(seconds=MINUTE * load_params().cluster.keep_minutes):
            launch(name)
    except Phys4dError:
        with _unhurried():
            kept.keep()
        raise
    with _unhurried():
        dvc(root, "push", "--run-cache", name)
        folder.put_entry(recorded_entry(root, graph, name))
        kept.forget()


def enter_run(root: Path, run: str) -> RunFolder:
    """Have `root` hold what a run travels with, and DVC its remote; ParametersError for code of another commit."""
    commit = os.environ.get(IMAGE_COMMIT)
    if not commit:
        raise ParametersError(
            f"{IMAGE_COMMIT}: not set, expected the commit that this image has: build it with that argument"
        )
    folder = RunFolder(storage=pod_storage(os.environ), run=run)
    folder.enter(root, commit=commit)
    use_remote(root, folder.storage)
    return folder


def pod_storage(environment: Mapping[str, str]) -> Storage:
    """Where the run's folder is: PHYS4D_STORAGE and PHYS4D_STORAGE_ENDPOINT, or else params.yaml of the image."""
    place = environment.get(STORAGE)
    if not place:
        return storage_of(load_params().storage)
    parts = urlsplit(place)
    if parts.scheme != "s3" or not parts.netloc:
        raise ParametersError(f"{STORAGE}: {place[:100]!r} is wrong, expected s3://bucket/prefix")
    return Storage(endpoint=environment.get(ENDPOINT) or None, bucket=parts.netloc, prefix=parts.path.strip("/"))


def pull_inputs(root: Path, graph: Mapping[str, GraphStage], stage: GraphStage) -> None:
    """Fetch what a stage reads of other stages' outs, and no more."""
    outs = sources(graph, stage)
    wanted = {
        path if Path(path).is_relative_to(out) else out for path in stage.inputs for out in outs if meet(path, out)
    }
    if wanted:
        dvc(root, "pull", *sorted(wanted))


@contextmanager
def _unhurried() -> Iterator[None]:
    """Without heed of TERM: what was done is worth the time that a pod is given to end in."""
    previous = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
