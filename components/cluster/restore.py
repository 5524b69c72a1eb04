"""The caller's side of a stage that a pod has done: its entry of dvc.lock, and its data if they are wanted here."""

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from components.cluster.dvc import dvc, use_remote
from components.cluster.entry import LockEntry, disagreements, round_trip
from components.cluster.run_folder import RunFolder
from components.errors import Phys4dError
from components.files import write_atomically
from components.locks import exclusive
from components.pipeline.execution import STATE
from components.pipeline.graph import load_graph
from components.recorded import DVC_LOCK, EMPTY, LOCKFILE

LOCKS = (STATE / "run" / "lockfile.lock", DVC_LOCK)  # of those who keep dvc.lock, and DVC's own
LOCK_ATTEMPTS = 30  # of ten seconds each: DVC holds its lock while it moves data


def restore_entry(root: Path, folder: RunFolder, stage: str) -> None:
    """Merge what a pod recorded of a stage: `dvc repro --allow-missing` then finds it unchanged, without its data."""
    entry = folder.entry(stage)
    if entry is None:
        raise Phys4dError(f"run {folder.run}: no pod has published {stage}: run it again")
    merge(root, entry)


def restore_data(root: Path, folder: RunFolder, stage: str) -> None:
    """Merge what a pod recorded of a stage and fetch its outs; nothing is run here, whatever is missing."""
    restore_entry(root, folder, stage)
    use_remote(root, folder.storage)
    dvc(root, "pull", "--run-cache", stage)


def merge(root: Path, entry: LockEntry) -> None:
    """Put an entry into dvc.lock, in one step; Phys4dError when it is not of the stage as it is in `root`."""
    with _alone(root):
        different = disagreements(entry, root, load_graph(root))
        if different:
            raise Phys4dError(
                f"{entry.stage}: what the pod did is not this stage: {', '.join(different)} differ: run it again"
            )
        yaml, lockfile = round_trip(), root / LOCKFILE
        document = yaml.load(lockfile.read_bytes() if lockfile.exists() else EMPTY)
        if not document["stages"]:
            document = {"schema": "2.0", "stages": {}}  # not in the flow style of the empty one
        document["stages"][entry.stage] = entry.recorded
        stream = io.BytesIO()
        yaml.dump(document, stream)
        write_atomically(lockfile, stream.getvalue())


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """While nobody else, DVC included, writes dvc.lock."""
    with ExitStack() as stack:
        for lock in LOCKS:
            for attempt in range(1, LOCK_ATTEMPTS + 1):
                try:
                    stack.enter_context(exclusive(root / lock, f"what writes {LOCKFILE}"))
                    break
                except Phys4dError:
                    if attempt == LOCK_ATTEMPTS:
                        raise
        yield
