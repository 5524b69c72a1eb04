"""One stage in a pod: a Job is made or found again, followed to its end, and read to its last line.

The Job of the same work has the same labels, whoever asks for it: a driver that was started again goes on with the Job
that is there, and makes no second one.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from components.cluster.client import ClusterError, Fields, ForbiddenError, JobsApi, newest
from components.cluster.standing import CONTAINER, Phase, Standing, standing_of
from components.cluster.templates import JobRequest, render
from components.errors import Phys4dError, StoppedError
from components.stopping import LEAVING

LOOK_EVERY = 3.0  # seconds
OUT_OF_REACH = 100  # looks in a row, after which the cluster is given up
FORBIDDEN = 5  # the same, of one that does not allow them


@dataclass(frozen=True, kw_only=True)
class Executor:
    """Runs stages as Jobs of one cluster.

    stopping: asks to end, by deleting the Job, unless leaving was set before: the Job is left to the next driver then.
    look_every: seconds between looks.
    """

    api: JobsApi
    stopping: threading.Event
    say: Callable[[str], None]
    look_every: float = LOOK_EVERY
    leaving: threading.Event = LEAVING

    def run(self, request: JobRequest) -> None:
        """Bring a request to its end; raises what its command ended by, StoppedError when it was stopped or taken away.

        request.attempt is not looked at: the next one is taken, when none is there to go on with.
        """
        name = self._make_or_find(request)
        reader = _LogReader(self.api, self.say, self.look_every)
        try:
            standing = self._follow(name, request.stage, reader)
        finally:
            if not self.leaving.is_set():  # the log of a pod that goes on does not end
                reader.finish()
        if standing.phase is Phase.HOPELESS:
            self.api.delete_job(name)
        if standing.error:
            raise standing.error

    def _make_or_find(self, request: JobRequest) -> str:
        last = newest(self.api.jobs(request.labels))
        attempt = 1
        if last is not None:
            name, attempt = str(last["metadata"]["name"]), int(last["metadata"]["labels"]["phys4d/attempt"]) + 1
            if not _ended_badly(last) and not last["metadata"].get("deletionTimestamp"):
                self.say(f"goes on with Job {name}, which is there")
                return name
        request = replace(request, attempt=attempt)
        (document,) = render(request)
        if self.api.create_job(document):
            self.say(f"Job {request.name}, attempt {attempt}")
        else:
            self.say(f"goes on with Job {request.name}, which another driver has just made")
        return request.name

    def _follow(self, name: str, stage: str, reader: "_LogReader") -> Standing:
        """Look until the Job has ended; say what it waits for, once for each reason."""
        said, missed, deleted = "", 0, False
        while True:
            if self.leaving.is_set() and not deleted:
                raise StoppedError(f"{stage}: its driver was stopped; Job {name} goes on, the next driver finds it")
            try:
                job = self.api.job(name)
                pods = self.api.pods(name)
                refusal = self.api.refusal(name) if job and not pods else ""
                missed = 0
            except (ClusterError, ForbiddenError) as error:
                missed += 1
                if missed >= (FORBIDDEN if isinstance(error, ForbiddenError) else OUT_OF_REACH):
                    raise
                self.say(f"{error}; looks again")
                self.stopping.wait(self.look_every)
                continue
            if job is None:
                if deleted:
                    raise StoppedError(f"{stage}: stopped; its Job {name} is gone, what it saved is kept")
                raise Phys4dError(f"{stage}: its Job {name} was deleted by somebody else")
            standing = standing_of(job, pods, stage=stage)
            if standing.pod:
                reader.read(standing.pod)
            if standing.ended:
                return standing
            why = f"{standing.why}: {refusal}" if refusal else standing.why
            if why != said:
                said = why
                self.say(said)
            if self.stopping.is_set() and not self.leaving.is_set() and not deleted:
                self.say(f"stops: Job {name} is deleted, its pods save")
                self.api.delete_job(name)
                deleted = True
            if deleted:
                threading.Event().wait(self.look_every)
            else:
                self.stopping.wait(self.look_every)


def _ended_badly(job: Fields) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Failed" and one.get("status") == "True" for one in conditions)


class _LogReader:
    """Says the lines of a Job's leading pod, each once; a connection that breaks is taken up again."""

    def __init__(self, api: JobsApi, say: Callable[[str], None], pause: float) -> None:
        self._api, self._say, self._pause = api, say, pause
        self._ended = threading.Event()
        self._pod: str | None = None
        self._thread: threading.Thread | None = None

    def read(self, pod: str) -> None:
        """Read that pod, from its first line on, unless it is the one that is read."""
        if pod == self._pod:
            return
        self.finish()
        self._ended.clear()
        self._pod = pod
        self._thread = threading.Thread(target=self._read, args=(pod,), daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the last line of what is read."""
        self._ended.set()
        if self._thread:
            self._thread.join()
            self._thread = None

    def _read(self, pod: str) -> None:
        said, last = 0, False
        while not last:
            last = self._ended.is_set()  # asked before: what is read after the end is all there is
            try:
                for number, line in enumerate(self._api.log(pod, CONTAINER)):
                    if number >= said:
                        self._say(line)
                        said = number + 1
            except Phys4dError as error:
                if last:
                    self._say(f"the rest of the log of {pod} could not be read: {error}")
            self._ended.wait(self._pause)
