"""The files of a published model, on the hub by id and revision or in a local folder, each named with its sha256.

A description needs no weights: the hub knows the sha256 of large files, and small ones are read. What is loaded later
is held against the description first.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from components.errors import ParametersError, Phys4dError

SMALL = 2**20  # bytes: a file up to this size is read to know its hash
HASHERS = 4  # threads, which the interpreter's lock does not hold back

Wanted = Callable[[str], bool]  # of a path within the model


@dataclass(frozen=True, kw_only=True)
class PublishedFiles:
    """What a model is made of. revision: the commit on the hub; a folder has none. files: sha256 by path."""

    source: str
    revision: str | None
    files: Mapping[str, str]


def describe(source: str, revision: str | None, *, wanted: Wanted) -> tuple[PublishedFiles, Path]:
    """A model's wanted files, and a folder in which at least the small ones lie."""
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return _describe_on_hub(source, revision, wanted)
    if revision is not None:
        raise ParametersError(
            f"{source}: a folder has no revision, but {revision} was given: leave the revision empty, or give a hub id"
        )
    files = sha256_of(folder, _listed(folder, wanted))
    return PublishedFiles(source=source, revision=None, files=files), folder


def fetch(described: PublishedFiles, *, wanted: Wanted) -> Path:
    """A folder with all the files: the source itself, or a download; each was held against its sha256."""
    if described.revision is None:
        folder = Path(described.source).expanduser()
        if not folder.is_dir():
            raise Phys4dError(
                f"{described.source}: not there any more: put the folder back, or change the source and run the stage "
                "prepare again"
            )
        found = _listed(folder, wanted)
    else:
        folder = _download(described, described.revision)
        found = [path for path in described.files if (folder / path).is_file()]
    check(folder, described, sha256_of(folder, found))
    return folder


def check(folder: Path, described: PublishedFiles, found: Mapping[str, str]) -> None:
    """Phys4dError that names the first file whose sha256 is not the described one."""
    for path in sorted({*found, *described.files}):
        if found.get(path) == described.files.get(path):
            continue
        state = "is missing" if path not in found else "is new" if path not in described.files else "is another file"
        name = f"{described.source}@{described.revision}" if described.revision else described.source
        remedy = (
            "delete it, so that it is downloaded again"
            if described.revision
            else "put back what was described, or run the stage prepare again to accept it"
        )
        raise Phys4dError(f"{name}: {folder / path} {state}, by the sha256 in the base's manifest: {remedy}")


def sha256_of(folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """sha256 of files by their paths within a folder."""

    def digest(path: str) -> str:
        with (folder / path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    names = sorted(paths)
    with ThreadPoolExecutor(HASHERS) as pool:
        return dict(zip(names, pool.map(digest, names), strict=True))


def _listed(folder: Path, wanted: Wanted) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(filter(wanted, found))


def _describe_on_hub(source: str, revision: str | None, wanted: Wanted) -> tuple[PublishedFiles, Path]:
    import huggingface_hub
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # the client's own, whichever it is

    try:
        info = huggingface_hub.HfApi().model_info(source, revision=revision, files_metadata=True)
        commit, files, folder = str(info.sha), dict[str, str](), Path()
        for sibling in info.siblings or ():
            path = sibling.rfilename
            if not wanted(path):
                continue
            if sibling.lfs and sibling.lfs.size > SMALL:
                files[path] = sibling.lfs.sha256
                continue
            local = Path(huggingface_hub.hf_hub_download(source, path, revision=commit))
            folder = local.parents[len(Path(path).parts) - 1]
            files |= sha256_of(folder, [path])
    except (HTTPError, OSError, ValueError) as error:
        raise _explained(error, source, revision) from error
    return PublishedFiles(source=source, revision=commit, files=files), folder


def _download(described: PublishedFiles, revision: str) -> Path:
    import huggingface_hub
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        return Path(
            huggingface_hub.snapshot_download(
                described.source, revision=revision, allow_patterns=sorted(described.files)
            )
        )
    except (HTTPError, OSError, ValueError) as error:
        raise _explained(error, described.source, revision) from error


def _explained(error: Exception, source: str, revision: str | None) -> Phys4dError:
    """One line on what the hub refused and what to do."""
    from huggingface_hub import errors

    name = f"{source}@{revision}" if revision else source
    page = f"https://huggingface.co/{source}"
    if isinstance(error, errors.GatedRepoError):
        return ParametersError(f"{name}: gated: accept its terms on {page}, then run hf auth login or set HF_TOKEN")
    if isinstance(error, errors.RepositoryNotFoundError):
        return ParametersError(
            f"{name}: no such folder, and no such model on the hub, or a private one: correct the source, or run hf "
            "auth login"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ParametersError(f"{name}: the model has no such revision: give a commit or branch of {page}/commits")
    if isinstance(error, errors.HFValidationError):
        return ParametersError(f"{name}: neither a folder nor a hub id (owner/name): correct the source")
    if isinstance(error, errors.HfHubHTTPError):
        return Phys4dError(f"{name}: the hub refused ({_first_line(error)}): run the same command again later")
    command = f"hf download {source}" + (f" --revision {revision}" if revision else "") + " --local-dir DIR"
    return Phys4dError(
        f"{name}: no such folder, and the hub cannot be reached ({_first_line(error)}): connect, or where there is a "
        f"connection run {command} and give DIR as the source, without a revision"
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
