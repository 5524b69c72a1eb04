"""One run of a project at a time: another one says whom it waits for, and begins when that one has ended.

Two runs would start the same stages, and one would promote what the other is about to replace; DVC itself does not even
say what is out of date while a stage runs.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from components.errors import StoppedError
from components.locks import TakenError, exclusive, lock_holder

LOCK = Path(".phys4d/run/pipeline.lock")  # it ends with its holder, however that ends
PATIENCE = 0.5  # seconds between looks at a request to stop


@contextmanager
def turn(root: Path, *, stopped: Callable[[], bool], say: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other run works in `root`, and keep others waiting; StoppedError when `stopped` comes first."""
    with ExitStack() as held:
        told = False
        while True:
            try:
                held.enter_context(exclusive(root / LOCK, "a run of this project", patience=PATIENCE))
                break
            except TakenError:
                if stopped():
                    raise StoppedError("stopped before it began; the same command begins") from None
                if not told and (holder := lock_holder(root / LOCK)):
                    say(f"process {holder} runs in this project: waiting for it to end")
                    told = True
        yield
