"""How far a stage is, in Prefect's UI: read from the lines by which it says so, and sent beside it.

Nothing that goes wrong here reaches the stage, and it waits for nothing: a slow server shows the last line only.
"""

import re
import threading
from contextvars import copy_context
from types import TracebackType
from typing import Self
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.stage import percentage

PATIENCE = 10.0  # seconds that the end of a stage waits for the last update


class ProgressArtifact:
    """The artifact of one stage's task: use it as a context manager within the task."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._key = f"progress-{re.sub('[^a-z0-9]+', '-', stage.lower())}"
        self._latest = (0.0, "begun")
        self._news, self._ended = threading.Event(), False
        self._warn = get_run_logger().warning
        self._sender = threading.Thread(target=copy_context().run, args=(self._send,), daemon=True)

    def __enter__(self) -> Self:
        """Show it."""
        self._news.set()
        self._sender.start()
        return self

    def note(self, line: str) -> None:
        """Show what a line of the stage says of its progress, if it does."""
        share = percentage(line)
        if share is not None:
            self._latest = (share, line)
            self._news.set()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Show how it ended."""
        share, line = self._latest
        self._latest = (100.0, "done") if value is None else (share, f"{line}; ended: {value}")
        self._ended = True
        self._news.set()
        self._sender.join(PATIENCE)

    def _send(self) -> None:
        artifact: UUID | None = None
        ended = False
        try:
            while not ended:
                self._news.wait()
                self._news.clear()
                ended, (share, line) = self._ended, self._latest
                text = f"{self._stage}: {line}"
                if artifact is None:
                    created = create_progress_artifact(progress=share, key=self._key, description=text)
                    artifact = created if isinstance(created, UUID) else None
                else:
                    update_progress_artifact(artifact_id=artifact, progress=share, description=text)
        except Exception as error:  # noqa: BLE001 -- a display: the stage goes on without it
            self._warn(f"{self._stage}: its progress is not shown: {type(error).__name__}: {error}")
