"""`phys4d pod STAGE --run ID [--part I/N]`: one stage of a run on this machine, for a caller elsewhere, or its part.

Params.yaml and dvc.lock come from the run's folder, inputs and outs by DVC, and the stage's entry of dvc.lock goes to
the folder last: who finds it finds the data. What a stage had finished waits in the storage for the next pod, also
where this one is lost without a word. Of pods that each make a part, the first waits for the others, puts the parts
together, and is the stage. A pod ends with the stage's own exit code, 75 when it was asked to stop.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from components.checkout import IMAGE_COMMIT
from components.cluster.dvc import dvc, use_remote
from components.cluster.entry import disagreements, recorded_entry
from components.cluster.figures import KeptFigures
from components.cluster.inputs import pull_inputs
from components.cluster.kept import KeptWork
from components.cluster.run_folder import RunFolder
from components.errors import ParametersError, Phys4dError, StoppedError
from components.parameters.loader import load_params
from components.pipeline.execution import STATE, work_folder
from components.pipeline.graph import GraphStage, find_stage, load_graph
from components.pipeline.launcher import launch
from components.pipeline.part import check_has_parts, make_part, part_folder
from components.processes import signals
from components.simulation.parts import Part
from components.storage.store import Storage, storage_of
from components.tracked_run import PIPELINE

STORAGE, ENDPOINT = "PHYS4D_STORAGE", "PHYS4D_STORAGE_ENDPOINT"
KEPT = STATE / "kept"  # what is being sent
MINUTE = 60  # seconds
LOOK_EVERY = 2.0  # seconds between looks for another pod's part


def run_pod(root: Path, name: str, *, run: str, part: Part | None = None) -> None:
    """Do stage `name` of a run and publish it; raises what the stage ended with. `root` must be the working folder.

    part: other pods make the others.
    """
    folder = enter_run(root, run)
    os.environ.setdefault(PIPELINE, run)
    graph = load_graph(root)
    stage = find_stage(graph, name)
    published = folder.entry(name)
    if published and not disagreements(published, root, graph):
        sys.stderr.write(f"{name}: an earlier pod of run {run} has done it\n")
        return
    if part:
        check_has_parts(stage)
    pull_inputs(root, graph, stage)
    work, aside = work_folder(stage, root), root / KEPT
    kept = KeptWork(storage=folder.storage, stage=name, work=work, aside=aside)
    figures = folder.figures(name, root)
    if part:
        parts = [
            KeptWork(storage=folder.storage, stage=f"{name}/{work.name}", work=place, aside=aside)
            for place in (part_folder(stage, root, one) for one in (part, *part.others()))
        ]
        _make_part(stage, root, part, parts[0])
        if part.number > 1:
            return
        _bring_together(parts)
        with _figures_kept(figures):
            launch(name)
    else:
        with _figures_kept(figures), _kept(kept, figures.send):
            launch(name)
    with _unhurried():
        dvc(root, "push", "--run-cache", name)
        folder.put_entry(recorded_entry(root, graph, name))
        kept.forget()


@contextmanager
def _kept(kept: KeptWork, *beside: Callable[[], None]) -> Iterator[None]:
    """Go on from what an earlier pod kept; keep what there is regularly, and when it is not finished.

    beside: what else to keep regularly.
    """
    kept.resume()
    try:
        with kept.kept_regularly(*beside, seconds=MINUTE * load_params().cluster.keep_minutes):
            yield
    except Phys4dError:
        with _unhurried():
            kept.keep()
        raise


@contextmanager
def _figures_kept(figures: KeptFigures) -> Iterator[None]:
    """Go on with the MLflow run of an earlier pod, and leave for the next, or the caller, what MLflow did not take."""
    figures.take()
    try:
        yield
    finally:
        with _unhurried():
            figures.send()


def _make_part(stage: GraphStage, root: Path, part: Part, kept: KeptWork) -> None:
    """Make a part, unless an earlier pod has, and send it."""
    if kept.is_finished():
        return
    with _kept(kept):
        figures = make_part(stage, root, part)
    sys.stderr.write(f"{part.name}: {figures['clips_made_now']:.0f} clips made now\n")
    with _unhurried():
        kept.finish()


def _bring_together(parts: Iterable[KeptWork]) -> None:
    """Fetch parts, each as soon as its pod has finished it: one that fails ends the Job, and this pod with it."""
    with signals() as stopped:
        for kept in parts:
            said = False
            while not kept.is_finished():
                if stopped():
                    raise StoppedError(f"{kept.stage}: stopped while it waited for {kept.work.name}")
                if not said:
                    sys.stderr.write(f"waits for {kept.work.name}\n")
                    said = True
                time.sleep(LOOK_EVERY)
            kept.resume()


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


@contextmanager
def _unhurried() -> Iterator[None]:
    """Without heed of TERM: what was done is worth the time that a pod is given to end in."""
    previous = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
