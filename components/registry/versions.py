"""Versions in MLflow's registry: put there once, fetched whole and verified."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from components.errors import ParametersError, Phys4dError
from components.files import move_folder
from components.pipeline.locks import exclusive
from components.registry.contents import Contents, collect, describe, verify
from components.tracked_run import lineage, pipeline_id
from components.tracking import UnreachableError, connect, experiment_id, one_line, parent_run, silenced, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

LOCK = Path(".phys4d/registry.lock")
UNREGISTERED = "smoke"  # the profile whose models mean nothing
ARTIFACTS = "model"  # below the artifacts of the run that registered a version
MODEL_TAG, VERSION_TAG = "model_sha256", "version_sha256"


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


def register(root: Path, *, backbone: str, profile: str) -> Version:
    """Register the pipeline's model; the version there is already, when it is the same model."""
    if profile == UNREGISTERED:
        raise ParametersError(f"profile {profile!r} registers nothing: its models mean nothing; use another profile")
    contents = describe(root, backbone)
    with exclusive(root / LOCK, "registration"), registry(root) as client:
        found = _find(client, contents)
        if found:
            return _version(found, contents, created=False)
        run = _upload(client, root, contents, profile)
        tags = {MODEL_TAG: contents.model, VERSION_TAG: contents.sha256, "profile": profile}
        source = f"{client.get_run(run).info.artifact_uri}/{ARTIFACTS}"
        made = client.create_model_version(
            contents.name, source, run_id=run, tags={**tags, **lineage(root)}, await_creation_for=None
        )
        return _version(made, contents, created=True)


def fetch(root: Path, name: str, folder: Path, *, alias: str = "champion") -> Path:
    """`folder` with the files of a version, every sha256 verified: base/ and stage3/ for `load_model`.

    A folder that holds that version already is kept; one that holds anything else is refused.
    """
    with registry(root) as client:
        found = version_of(client, name, alias)
        sha256 = found.tags.get(VERSION_TAG, "")
        if folder.exists() and any(folder.iterdir()):
            verify(folder, sha256=sha256)
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            downloaded = _download(found, root, Path(temporary))
            verify(downloaded, sha256=sha256)
            move_folder(downloaded, folder)
    return folder


def version_of(client: "MlflowClient", name: str, alias: str) -> "ModelVersion":
    """The version that an alias names; Phys4dError when there is none."""
    number = aliases_of(client, name).get(alias)
    if number is None:
        raise Phys4dError(f"{name} has no {alias}: phys4d run registers and promotes a model that is good enough")
    return client.get_model_version(name, number)


def aliases_of(client: "MlflowClient", name: str) -> dict[str, str]:
    """Version numbers by their aliases; none when nothing was registered under that name."""
    for model in client.search_registered_models(filter_string=f"name = '{name}'"):
        return {alias: str(number) for alias, number in model.aliases.items()}
    return {}


@contextmanager
def registry(root: Path) -> Iterator["MlflowClient"]:
    """A client of the registry; what goes wrong with it is an UnreachableError of one line."""
    try:
        with silenced({}):
            yield connect(root)
    except Phys4dError:
        raise
    except Exception as error:
        uri = tracking_uri(root)
        raise UnreachableError(f"the registry at {one_line(uri)}: {one_line(error)}") from error


def _find(client: "MlflowClient", contents: Contents) -> "ModelVersion | None":
    versions = client.search_model_versions(f"name = '{contents.name}'")
    return next((version for version in versions if version.tags.get(MODEL_TAG) == contents.model), None)


def _upload(client: "MlflowClient", root: Path, contents: Contents, profile: str) -> str:
    """The run whose artifacts are the version's files; all are there before the version is."""
    from mlflow.exceptions import MlflowException

    experiment = experiment_id(client, f"phys4d/{profile}", root)
    tags = {"kind": "registration", MODEL_TAG: contents.model}
    if pipeline := pipeline_id():
        tags |= {"pipeline_id": pipeline, "mlflow.parentRunId": parent_run(client, experiment, pipeline)}
    run = str(client.create_run(experiment, tags=tags, run_name=f"register@{contents.backbone}").info.run_id)
    try:
        client.create_registered_model(contents.name, description=f"{contents.backbone} after all stages of Phys4D")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    with TemporaryDirectory() as temporary:
        collect(root, contents, Path(temporary))
        client.log_artifacts(run, temporary, ARTIFACTS)
    client.set_terminated(run)
    return run


def _download(version: "ModelVersion", root: Path, target: Path) -> Path:
    from mlflow.artifacts import download_artifacts

    downloaded = download_artifacts(artifact_uri=version.source, dst_path=str(target), tracking_uri=tracking_uri(root))
    return Path(downloaded)


def _version(found: "ModelVersion", contents: Contents, *, created: bool) -> Version:
    return Version(
        name=contents.name, number=int(found.version), model=contents.model, run=str(found.run_id), created=created
    )
