"""Versions in MLflow's registry: put there once, fetched whole and verified."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from components.errors import ParametersError, Phys4dError
from components.files import move_folder, write_atomically
from components.locks import exclusive
from components.registry.aliases import aliases_of
from components.registry.contents import VERSION, Contents, Settings, describe, verify
from components.registry.measured import METRICS_FILE, TABLE_FILE, Measurement
from components.registry.packaging import build
from components.tracked_run import lineage, pipeline_id
from components.tracking import UnreachableError, connect, experiment_id, one_line, parent_run, silenced, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from components.params import Params

LOCK = Path(".phys4d/registry.lock")
UNREGISTERED = "smoke"  # the profile whose models mean nothing
ARTIFACTS = "model"  # below the artifacts of the run that registered a version
MEASURED = "measured"  # beside it: tables of what the version was measured on
LONGEST = 5000  # characters of a description in MLflow
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",  # about a minute: a server that restarts is back by then
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
DESTINATION = "MLFLOW_ARTIFACTS_DESTINATION"  # environment: what its server is told by that name
MODEL_TAG, VERSION_TAG, ARTIFACTS_TAG = "model_sha256", "version_sha256", "artifacts"


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered version: its model's name, its number, sha256 of its model.json, and the run that holds its files.

    created: whether this call made it.
    """

    name: str
    number: int
    model: str
    run: str
    created: bool


def register(root: Path, params: "Params", measured: Measurement, *, backbone: str) -> Version:
    """Register the pipeline's model; the version there is already, when it is the same model.

    Either way the version keeps what it was measured with, for the comparison with its successors.
    """
    refuse_unregistered(params.profile)
    contents = describe(root, backbone)
    with exclusive(root / LOCK, "registration"), registry(root) as client:
        found = find(client, contents)
        version = _version(found, contents, created=False) if found else _make(client, root, params, contents, measured)
        keep_measurement(client, version, measured)
    return version


def refuse_unregistered(profile: str) -> None:
    """ParametersError for the profile whose models are not registered."""
    if profile == UNREGISTERED:
        raise ParametersError(f"profile {profile!r} registers nothing: its models mean nothing; use another profile")


def find(client: "MlflowClient", contents: Contents) -> "ModelVersion | None":
    """The version of the same model, if there is one."""
    versions = client.search_model_versions(f"name = '{contents.name}'")
    return next((version for version in versions if version.tags.get(MODEL_TAG) == contents.model), None)


def fetch(root: Path, name: str, folder: Path, *, alias: str = "champion") -> Path:
    """`folder` with the files of the version that an alias names, every sha256 verified.

    A folder that holds that version already is kept; one that holds anything else is refused.
    """
    with registry(root) as client:
        return download(root, version_of(client, name, alias), folder)


def download(root: Path, found: "ModelVersion", folder: Path) -> Path:
    """`folder` with a version's files, every sha256 verified; Phys4dError names the first that is wrong."""
    expected = found.tags.get(VERSION_TAG, "")
    if folder.exists() and any(folder.iterdir()):
        verify(folder, sha256=expected)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        downloaded = _download(found, root, Path(temporary))
        verify(downloaded, sha256=expected)
        move_folder(downloaded, folder)
    return folder


def version_of(client: "MlflowClient", name: str, alias: str) -> "ModelVersion":
    """The version that an alias names; Phys4dError when there is none."""
    number = aliases_of(client, name).get(alias)
    if number is None:
        raise Phys4dError(f"{name} has no {alias}: phys4d run registers and promotes a model that is good enough")
    return client.get_model_version(name, number)


def keep_measurement(client: "MlflowClient", version: Version, measured: Measurement) -> None:
    """Put a measurement beside the version's files, unless it is there already; the tag comes last."""
    tag = f"{MEASURED}.{measured.key}"
    value = json.dumps({"scenes": measured.scenes, "instruments": measured.instruments, "sha256": measured.sha256})
    if client.get_model_version(version.name, str(version.number)).tags.get(tag) == value:
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_atomically(folder / TABLE_FILE, measured.table)
        write_atomically(folder / METRICS_FILE, json.dumps(dict(measured.metrics)).encode())
        client.log_artifacts(version.run, temporary, f"{MEASURED}/{measured.key}")
    client.set_model_version_tag(version.name, str(version.number), tag, value)


def kept_table(client: "MlflowClient", version: "ModelVersion", key: str) -> bytes | None:
    """The table of a measurement that the version keeps; None when it was not measured so. Phys4dError: damaged."""
    tag = version.tags.get(f"{MEASURED}.{key}")
    if tag is None:
        return None
    path = f"{MEASURED}/{key}/{TABLE_FILE}"
    with TemporaryDirectory() as temporary:
        table = Path(client.download_artifacts(version.run_id, path, temporary)).read_bytes()
    if sha256(table).hexdigest() != json.loads(tag)["sha256"]:
        raise Phys4dError(f"{path} of version {version.version}: not the file that the registry names")
    return table


def kept_measurements(version: "ModelVersion") -> list[dict[str, str]]:
    """Scenes and instruments of all measurements that a version keeps."""
    return [json.loads(value) for key, value in sorted(version.tags.items()) if key.startswith(f"{MEASURED}.")]


@contextmanager
def registry(root: Path) -> Iterator["MlflowClient"]:
    """A client of the registry; what goes wrong with it is an UnreachableError of one line."""
    try:
        with silenced(SETTINGS):
            yield connect(root)
    except Phys4dError:
        raise
    except Exception as error:
        uri = tracking_uri(root)
        raise UnreachableError(f"the registry at {one_line(uri)}: {one_line(error)}") from error


def _make(client: "MlflowClient", root: Path, params: "Params", contents: Contents, measured: Measurement) -> Version:
    """A new version; all its files are there before it is."""
    from mlflow.exceptions import MlflowException

    experiment = experiment_id(client, f"phys4d/{params.profile}", root)
    tags = {"kind": "registration", MODEL_TAG: contents.model}
    if pipeline := pipeline_id():
        tags |= {"pipeline_id": pipeline, "mlflow.parentRunId": parent_run(client, experiment, pipeline)}
    run = str(client.create_run(experiment, tags=tags, run_name=f"register@{contents.backbone}").info.run_id)
    try:
        client.create_registered_model(contents.name, description=f"{contents.backbone} after all stages of Phys4D")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"{client.get_run(run).info.artifact_uri}/{ARTIFACTS}"
    place = place_of(source, os.environ.get(DESTINATION, ""))
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / ARTIFACTS
        settings = Settings.of(params)
        passport = build(
            root, folder, contents=contents, settings=settings, evaluation=measured.metrics, artifacts=place
        )
        client.log_artifacts(run, str(folder), ARTIFACTS)
        card, digest = (folder / "README.md").read_text(), sha256((folder / VERSION).read_bytes()).hexdigest()
    client.set_terminated(run)
    named = {MODEL_TAG: contents.model, VERSION_TAG: digest, ARTIFACTS_TAG: place, "profile": params.profile}
    named |= {"scenes": measured.scenes, "licence": "; ".join(sorted({part["licence"] for part in passport.weights}))}
    made = client.create_model_version(
        contents.name,
        source,
        run_id=run,
        tags={**named, **lineage(root)},
        description=card[:LONGEST],
        await_creation_for=None,
    )
    return _version(made, contents, created=True)


def place_of(source: str, destination: str) -> str:
    """Where artifacts lie: of an address that a server stands before, `mlflow-artifacts:/PATH`, behind it.

    destination: the server's own --artifacts-destination; without it the server's address has to do.
    """
    parts = urlsplit(source)
    proxied = parts.scheme == "mlflow-artifacts" and destination
    return f"{destination.rstrip('/')}/{parts.path.lstrip('/')}" if proxied else source


def _download(version: "ModelVersion", root: Path, target: Path) -> Path:
    from mlflow.artifacts import download_artifacts

    downloaded = download_artifacts(artifact_uri=version.source, dst_path=str(target), tracking_uri=tracking_uri(root))
    return Path(downloaded)


def _version(found: "ModelVersion", contents: Contents, *, created: bool) -> Version:
    return Version(
        name=contents.name, number=int(found.version), model=contents.model, run=str(found.run_id), created=created
    )
