"""What a run has in object storage: `runs/<id>/`.

`params.yaml` and `dvc.lock` go first, `run.json` last: it names the commit, and who finds it finds the others. dvc.lock
grows as stages are done, so a caller publishes again before it starts a stage. Pods add `locks/<stage>.yaml`, and
`figures/<stage>/` while MLflow does not have them all.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from components.canonical import canonical_json
from components.checkout import MANIFESTS, RESULTS, read_checkout
from components.cluster.entry import LockEntry, parse_entry
from components.cluster.figures import KeptFigures
from components.errors import ParametersError, Phys4dError
from components.files import write_atomically
from components.parameters.loader import PARAMS_FILE
from components.recorded import EMPTY, LOCKFILE, read_lockfile
from components.storage.place import MissingObjectError
from components.storage.store import Storage

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What run.json says: the commit whose code the run has, and the sha256 of its params.yaml."""

    commit: str
    params: str


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """The folder of the run `run` in `storage`."""

    storage: Storage
    run: str

    def __post_init__(self) -> None:
        if not ID.fullmatch(self.run):
            raise ParametersError(
                f"run {self.run[:100]!r}: expected an id of 1 to 100 letters, digits, '.', '_' and '-', such as "
                "20260102-030405-abcdef"
            )

    def publish(self, root: Path) -> Run:
        """Have pods find params.yaml and dvc.lock as they are in `root`, with the commit that is checked out there.

        ParametersError when git has no commit there or code was changed since: a pod has the commit's; and when the run
        was published with another commit or other parameters before.
        """
        params = (root / PARAMS_FILE).read_bytes()
        run = Run(commit=_commit(root), params=hashlib.sha256(params).hexdigest())
        before = self._read()
        if before not in (None, run):
            raise ParametersError(f"run {self.run} has another commit or other parameters: begin a run with a new id")
        self.storage.put_bytes(f"{self._key}/params.yaml", params)
        self.storage.put_bytes(f"{self._key}/dvc.lock", read_lockfile(root) or EMPTY)
        self.storage.put_bytes(f"{self._key}/run.json", canonical_json(asdict(run)).encode())
        return run

    def enter(self, root: Path, *, commit: str) -> None:
        """Have `root` hold the run's params.yaml and dvc.lock; ParametersError when its code is of another commit."""
        run = self._read()
        if run is None:
            raise ParametersError(f"run {self.run} is not in the storage: the caller publishes it first")
        if run.commit != commit:
            raise ParametersError(
                f"this image has commit {commit}, run {self.run} has {run.commit}: build an image of that commit, or "
                "begin a run with this one"
            )
        params = self.storage.get_bytes(f"{self._key}/params.yaml")
        if hashlib.sha256(params).hexdigest() != run.params:
            raise Phys4dError(f"run {self.run}: params.yaml in the storage is not the run's: publish the run again")
        write_atomically(root / PARAMS_FILE, params)
        write_atomically(root / LOCKFILE, self.storage.get_bytes(f"{self._key}/dvc.lock"))

    def put_entry(self, entry: LockEntry) -> None:
        """Say that a stage is done; its data must be in the storage before."""
        self.storage.put_bytes(self._entry_key(entry.stage), entry.to_yaml())

    def entry(self, stage: str) -> LockEntry | None:
        """The entry of a stage that a pod of this run has done, None when none has."""
        key = self._entry_key(stage)
        try:
            return parse_entry(self.storage.get_bytes(key), source=key)
        except MissingObjectError:
            return None

    def figures(self, stage: str, root: Path) -> KeptFigures:
        """Figures of a stage that wait for MLflow, of or for the project `root`."""
        return KeptFigures(storage=self.storage, key=f"{self._key}/figures/{stage}", root=root)

    def _read(self) -> Run | None:
        try:
            content = self.storage.get_bytes(f"{self._key}/run.json")
        except MissingObjectError:
            return None
        try:
            return Run(**json.loads(content))
        except (ValueError, TypeError) as error:
            raise ParametersError(f"run {self.run}: run.json cannot be read ({error}): begin a new run") from error

    def _entry_key(self, stage: str) -> str:
        return f"{self._key}/locks/{stage}.yaml"

    @property
    def _key(self) -> str:
        return f"runs/{self.run}"


def _commit(root: Path) -> str:
    checkout = read_checkout(root, aside=(*RESULTS, str(PARAMS_FILE), MANIFESTS))
    if checkout is None:
        raise ParametersError(f"{root}: git has no commit here, and a pod has the code of one: git init, and commit")
    if checkout.changed:
        raise ParametersError(
            f"{root}: files were changed since commit {checkout.commit}: commit them, pods have its code"
        )
    return checkout.commit
