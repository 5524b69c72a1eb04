"""What a project reaches over the network: MLflow, Prefect, the object storage with DVC's remote, and the cluster."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from components.doctor.findings import Finding, bad, good, note, unused
from components.errors import Phys4dError

if TYPE_CHECKING:
    from components.params import Params

TIMEOUT = 5.0  # seconds
ROLE = (  # verb, group, resource, subresource: what k8s/10-accounts.yaml lets a driver do
    ("create", "batch", "jobs", None),
    ("list", "batch", "jobs", None),
    ("get", "batch", "jobs", None),
    ("delete", "batch", "jobs", None),
    ("list", "", "pods", None),
    ("get", "", "pods", "log"),
    ("list", "", "events", None),
)


def look(root: Path, params: "Params") -> Iterator[Finding]:
    """Each service that is used; those that are not are named too."""
    yield _mlflow(root)
    yield _prefect()
    yield from _storage(root, params)
    yield from _cluster(params)


def _mlflow(root: Path) -> Finding:
    from components.tracking import connect, one_line, silenced, tracking_uri

    uri = one_line(tracking_uri(root))
    try:
        with silenced({"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": f"{TIMEOUT:.0f}"}):
            connect(root).search_experiments(max_results=1)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is the finding
        remedy = "start it, or set MLFLOW_TRACKING_URI; figures wait on disk until phys4d tracking sync"
        return bad("mlflow", f"{uri}: {one_line(error)}", remedy)
    return good("mlflow", uri)


def _prefect() -> Finding:
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        return unused(
            "prefect", "PREFECT_API_URL is not set: phys4d run starts a server of its own; phys4d serve another"
        )
    if not address.startswith(("http://", "https://")):
        return bad("prefect", f"PREFECT_API_URL is {address!r}", "expected http(s)://host:port/api")
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=TIMEOUT) as answer:  # noqa: S310 -- http
            healthy = json.loads(answer.read()) is True
    except (OSError, ValueError, urllib.error.URLError) as error:
        return bad("prefect", f"{address}: {error}", "start it (phys4d serve), or unset PREFECT_API_URL")
    return good("prefect", address) if healthy else bad("prefect", f"{address}: is not healthy", "look at its log")


def _storage(root: Path, params: "Params") -> Iterator[Finding]:
    from components.storage.store import storage_of

    if params.storage.bucket is None:
        yield unused("storage", "storage.bucket is empty: nothing travels to other machines")
        return
    try:
        found = storage_of(params.storage).check()
    except Phys4dError as error:
        yield bad("storage", str(error), "see storage in params.yaml")
        return
    for one in found:
        remedy = "see storage in params.yaml, and boto3's own places for keys (AWS_SHARED_CREDENTIALS_FILE)"
        yield good("storage", one.text) if one.good else bad("storage", one.text, remedy)
    yield _remote(root)


def _remote(root: Path) -> Finding:
    """DVC's remote, by which data travel."""
    from configparser import ConfigParser

    config = ConfigParser()
    config.read([root / ".dvc/config", root / ".dvc/config.local"])
    remote = config.get("core", "remote", fallback=None)
    if remote is None:
        return good("dvc remote", "none of its own: the folder dvc of the storage, once a stage runs in a pod")
    url = config.get(f"'remote \"{remote}\"'", "url", fallback="")
    return good("dvc remote", f"{remote}: {url}")


def _cluster(params: "Params") -> Iterator[Finding]:
    from components.cluster.client import ClusterClient

    cluster = params.cluster
    if "kubernetes" not in cluster.executor.values():
        yield unused("cluster", "cluster.executor has no stage run in a pod")
        return
    try:
        client = ClusterClient(cluster.namespace, cluster.context)
        missing = [
            f"{verb} {resource}{f'/{inner}' if inner else ''}"
            for verb, group, resource, inner in ROLE
            if not client.may(verb, resource, group=group, subresource=inner)
        ]
    except Phys4dError as error:
        yield bad("cluster", str(error), "see cluster in params.yaml, and kubectl cluster-info")
        return
    if missing:
        remedy = "kubectl apply -f k8s/10-accounts.yaml, and use the account driver"
        yield bad("cluster", f"in namespace {cluster.namespace} not allowed: {', '.join(missing)}", remedy)
    else:
        yield good("cluster", f"namespace {cluster.namespace}: Jobs may be made, followed and deleted")
    if cluster.image and "@sha256:" not in cluster.image:
        yield note("image", f"{cluster.image} is a tag, which can be moved", "name its digest")
