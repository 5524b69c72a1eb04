"""What a pod has finished of a stage, or of a part of one, in the storage: the next pod goes on from it.

It is sent when the stage stops or fails, and every so often while it runs: a machine that is lost says nothing first.
"""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.errors import Phys4dError
from components.files import PART
from components.storage.place import MissingObjectError
from components.storage.store import Storage

COPIED = 2**20  # bytes: files up to this size may be ones that grow; larger ones are replaced whole


@dataclass(frozen=True, kw_only=True)
class KeptWork:
    """The work folder `work` of `stage`, whose last part names all that decides what it will hold.

    aside: a folder on the same disk, in which nobody looks for work.
    """

    storage: Storage
    stage: str
    work: Path
    aside: Path

    def resume(self) -> None:
        """Have the stage go on from what an earlier pod kept, unless there is work here already."""
        if self.work.exists() or not self.storage.published(self.key):
            return
        try:
            self.storage.fetch(self.key, self.work)
        except MissingObjectError as error:  # two pods of a split network took away each other's
            shutil.rmtree(self.work, ignore_errors=True)
            sys.stderr.write(f"{self.stage}: what an earlier pod kept is not whole ({error}): begun anew\n")

    def keep(self) -> None:
        """Send what there is; why a stage ended matters more than what goes wrong here, which is only said."""
        try:
            self._send(self.work)
        except (Phys4dError, OSError) as error:
            sys.stderr.write(f"{self.stage}: what it had finished is lost with this pod: {error}\n")

    def finish(self) -> None:
        """Send all there is, and then say that nothing is missing; raises where that did not succeed."""
        self._send(self.work)
        self.storage.put_bytes(self._finished, b"")

    def is_finished(self) -> bool:
        """Whether a pod has finished it."""
        return self.storage.exists(self._finished)

    def forget(self) -> None:
        """Remove what was sent, with what lies below it: the stage's parts."""
        for key in self.storage.keys(f"{self.key}/"):
            self.storage.delete(key)

    @contextmanager
    def kept_regularly(self, *beside: Callable[[], None], seconds: float) -> Iterator[None]:
        """Send what is new every so often, from a thread of its own; what goes wrong is said, and tried again.

        beside: what else to send then.
        """
        ended = threading.Event()

        def keep() -> None:
            sent: object = ()
            while not ended.wait(seconds):
                try:
                    now = self._state()
                    if now != sent:
                        self._send_snapshot()
                        sent = now
                    for send in beside:
                        send()
                except (Phys4dError, OSError) as error:
                    sys.stderr.write(f"{self.stage}: what it has finished could not be sent yet: {error}\n")

        thread = threading.Thread(target=keep, name=f"keep {self.stage}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _send_snapshot(self) -> None:
        """Send the folder as it is now, while the stage writes on: what is replaced meanwhile stays in the snapshot."""
        snapshot = self.aside / self.stage
        shutil.rmtree(snapshot, ignore_errors=True)
        try:
            for path in self._files():
                target = snapshot / path.relative_to(self.work)
                target.parent.mkdir(parents=True, exist_ok=True)
                if path.stat().st_size <= COPIED:
                    shutil.copyfile(path, target)
                else:
                    os.link(path, target)
            self._send(snapshot)
        finally:
            shutil.rmtree(snapshot, ignore_errors=True)

    def _send(self, folder: Path) -> None:
        if not any(path.is_file() for path in folder.rglob("*")):
            return
        contents = self.storage.publish(folder, self.key)
        wanted = {f"{self.key}/files/{file.sha256}/{name}" for name, file in contents.files.items()}
        for key in self.storage.keys(f"{self.key}/files/"):
            if key not in wanted:
                self.storage.delete(key)

    def _state(self) -> object:
        return [(path, path.stat().st_size, path.stat().st_mtime_ns) for path in self._files()]

    def _files(self) -> list[Path]:
        found = (path for path in self.work.rglob("*") if path.is_file())
        return sorted(path for path in found if not path.name.endswith(PART))

    @property
    def key(self) -> str:
        """Where it is in the storage."""
        return f"progress/{self.stage}/{self.work.name}"

    @property
    def _finished(self) -> str:
        return f"{self.key}/finished"
