"""A small API server on loopback: it keeps Jobs, plays the pods that a test writes, and refuses what is not strict.

A script says what becomes of a Job: each look at it plays one step. So nothing here depends on time.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate

from tests.cluster.checks import CHECKS, schema
from tests.cluster.objects import everything

MEANING = [check for check in CHECKS if check is not schema]
beside = cache(everything)  # the cluster that a Job comes into
Fields = dict[str, Any]
VERSION = "1.32"
JOBS = re.compile(r"/apis/batch/v1/namespaces/(?P<namespace>[^/]+)/jobs(/(?P<name>[^/]+))?")
PODS = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/pods(/(?P<name>[^/]+)/log)?")
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class FakeCluster:
    """What the server keeps. script: steps to play, one a look at a Job; drops: lines after which a log breaks."""

    def __init__(self) -> None:
        self.jobs: dict[str, Fields] = {}
        self.pods: dict[str, Fields] = {}
        self.logs: dict[str, list[str]] = {}
        self.created: list[Fields] = []
        self.deleted: list[str] = []
        self.script: list[Callable[[str], object]] = []
        self.drops: list[int] = []
        self.refuses: list[int] = []  # statuses to answer the next looks with
        self.refusals: list[str] = []  # why pods could not be made
        self.faults: list[str] = []  # what a server takes, and no object may be
        self.full = ""  # why no Job can be
        self.allowed: Callable[[Fields], bool] = lambda _: True
        self.url = ""

    def look(self, name: str) -> None:
        """Play the next step."""
        if self.script:
            self.script.pop(0)(name)

    def end(self, name: str, kind: str, **words: str) -> None:
        """Give a Job its last condition."""
        self.jobs[name]["status"] = {"conditions": [{"type": kind, "status": "True", **words}]}

    def pod(
        self,
        job: str,
        *,
        index: int = 0,
        turn: int = 0,
        deleted: bool = False,
        phase: str = "Running",
        **status: Any,  # noqa: ANN401
    ) -> str:
        """A pod of a Job as it stands now. turn: how many of its index were before it; deleted: it was told to stop."""
        name = f"{job}-{index}-abcd{'efgh'[turn]}"
        self.pods[name] = {
            "metadata": {
                "name": name,
                "creationTimestamp": f"2026-01-01T00:0{turn}:00Z",
                "labels": {"batch.kubernetes.io/job-name": job},
                "annotations": {"batch.kubernetes.io/job-completion-index": str(index)},
                **({"deletionTimestamp": "2026-01-01T01:00:00Z"} if deleted else {}),
            },
            "status": {"phase": phase, **status},
        }
        return name


def ended(code: int, **more: str) -> Fields:
    """The status of a pod whose stage exited with `code`."""
    return {"containerStatuses": [{"name": "stage", "state": {"terminated": {"exitCode": code, **more}}}]}


def waiting(reason: str, message: str) -> Fields:
    """The status of a pod whose stage waits."""
    return {"containerStatuses": [{"name": "stage", "state": {"waiting": {"reason": reason, "message": message}}}]}


@contextmanager
def serving() -> Iterator[FakeCluster]:
    """A server for as long as the block lasts."""
    cluster = FakeCluster()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert cluster.faults == []


def _handler(cluster: FakeCluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, body: Fields) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def refuse(self, status: int, message: str) -> None:
            self.answer(status, {"kind": "Status", "status": "Failure", "message": message, "code": status})

        @property
        def query(self) -> dict[str, str]:
            return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}

        def selected(self, things: dict[str, Fields]) -> list[Fields]:
            wanted = dict(pair.split("=", 1) for pair in self.query["labelSelector"].split(","))
            return [one for one in things.values() if wanted.items() <= one["metadata"].get("labels", {}).items()]

        def body(self) -> Fields:
            found: Fields = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
            return found

        def do_POST(self) -> None:
            path, body = urlsplit(self.path).path, self.body()
            if path == REVIEW:
                allowed = cluster.allowed(body["spec"]["resourceAttributes"])
                self.answer(201, {**body, "status": {"allowed": allowed}})
                return
            try:
                kubernetes_validate.validate(body, VERSION, strict=True)
            except kubernetes_validate.ValidationError as error:
                self.refuse(422, str(error.message))
                return
            cluster.faults += [fault for check in MEANING for fault in check([*beside(), body])]
            name = body["metadata"]["name"]
            if cluster.full:
                self.refuse(403, f'jobs.batch "{name}" is forbidden: {cluster.full}')
                return
            if name in cluster.jobs:
                self.refuse(409, f'jobs.batch "{name}" already exists')
                return
            cluster.created.append(body)
            cluster.jobs[name] = {**body, "status": {}}
            self.answer(201, cluster.jobs[name])

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if found := JOBS.fullmatch(path):
                self.get_job(found["name"])
            elif found := PODS.fullmatch(path):
                if found["name"]:
                    self.stream(found["name"])
                else:
                    self.answer(200, {"kind": "PodList", "metadata": {}, "items": self.selected(cluster.pods)})
            elif path.endswith("/events"):
                job = dict(pair.split("=", 1) for pair in self.query["fieldSelector"].split(","))
                assert job["reason"] == "FailedCreate"
                assert job["involvedObject.name"] in cluster.jobs
                items = [{"message": text, "lastTimestamp": f"{at}"} for at, text in enumerate(cluster.refusals)]
                self.answer(200, {"kind": "EventList", "metadata": {}, "items": items})

        def get_job(self, name: str | None) -> None:
            if name is None:
                self.answer(200, {"kind": "JobList", "metadata": {}, "items": self.selected(cluster.jobs)})
                return
            if cluster.refuses:
                self.refuse(cluster.refuses.pop(0), "etcd leader changed")
                return
            cluster.look(name)
            if name in cluster.jobs:
                self.answer(200, cluster.jobs[name])
            else:
                self.refuse(404, f'jobs.batch "{name}" not found')

        def stream(self, pod: str) -> None:
            lines = cluster.logs.get(pod, [])
            if cluster.drops:
                lines = lines[: cluster.drops.pop(0)]
            data = "".join(f"{line}\n" for line in lines).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_DELETE(self) -> None:
            found = JOBS.fullmatch(urlsplit(self.path).path)
            self.body()
            if not found or found["name"] not in cluster.jobs:
                self.refuse(404, "not found")
                return
            cluster.deleted.append(found["name"])
            cluster.jobs[found["name"]]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:01Z"
            self.answer(200, {"kind": "Status", "status": "Success"})

    return Handler
