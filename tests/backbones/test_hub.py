"""The hub: revisions are pinned, weights are not downloaded to be described, and a refusal says what to do."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import errors
from huggingface_hub.hf_api import BlobLfsInfo, RepoSibling

from components.backbones import hub
from components.backbones.hub import PublishedFiles, fetch
from components.backbones.pipeline_files import is_pipeline_file
from components.backbones.wan22.published import PART, describe, load
from components.errors import ExitCode, ParametersError, Phys4dError
from tests.backbones.shapes import VIDEO

MODEL, COMMIT = "Wan-AI/Tiny", "c0ffee" + 34 * "0"


class Hub:
    """A hub with one model on it; remembers what was asked of it."""

    def __init__(self, origin: Path, cache: Path) -> None:
        self.origin, self.snapshot = origin, cache / "snapshots" / COMMIT
        self.asked: list[str | None] = []
        self.downloaded: list[str] = []

    def model_info(self, source: str, *, revision: str | None, files_metadata: bool) -> SimpleNamespace:
        assert (source, files_metadata) == (MODEL, True)
        self.asked.append(revision)
        files = sorted(path for path in self.origin.rglob("*") if path.is_file())
        return SimpleNamespace(sha=COMMIT, siblings=[self._sibling(path) for path in files])

    def _sibling(self, path: Path) -> RepoSibling:
        large = path.suffix == ".safetensors"
        content = path.read_bytes()
        lfs = BlobLfsInfo(size=len(content), sha256=hashlib.sha256(content).hexdigest(), pointer_size=1)
        return RepoSibling(path.relative_to(self.origin).as_posix(), len(content), "blob", lfs if large else None)

    def download(self, source: str, path: str, *, revision: str) -> str:
        assert (source, revision) == (MODEL, COMMIT)
        self.downloaded.append(path)
        target = self.snapshot / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.origin / path, target)
        return str(target)

    def download_all(self, source: str, *, revision: str, allow_patterns: list[str]) -> str:
        for path in allow_patterns:
            self.download(source, path, revision=revision)
        return str(self.snapshot)


@pytest.fixture
def served(pipeline_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The tiny pipeline on a hub, beside files that are no part of it."""
    origin = shutil.copytree(pipeline_folder, tmp_path / "origin")
    (origin / "README.md").write_text("about")
    (origin / "transformer/pytorch_model.bin").write_text("pickled")
    served = Hub(origin, tmp_path / "cache")
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda _, *args, **named: served.model_info(*args, **named))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", served.download)
    monkeypatch.setattr("huggingface_hub.snapshot_download", served.download_all)
    monkeypatch.setattr(hub, "SMALL", 0)  # the tiny weights are not to be read as if they were small files
    return served


def test_a_manifest_of_the_hub_names_commit_and_files_without_weights(served: Hub, pipeline_folder: Path) -> None:
    described = describe(MODEL, "main")[PART]
    assert (described.source, described.revision) == (MODEL, COMMIT)
    assert described.files == describe(str(pipeline_folder), None)[PART].files
    assert not [path for path in served.downloaded if path.endswith(".safetensors")]
    assert served.asked == ["main"]


def test_a_manifest_is_loaded_at_its_commit(served: Hub) -> None:
    described = describe(MODEL, None)[PART]
    backbone, _, _ = load({PART: described}, VIDEO)
    assert backbone.channels == 48
    assert set(served.downloaded) == set(described.files)


def test_a_download_with_another_content_is_refused(served: Hub) -> None:
    described = describe(MODEL, None)[PART]
    weights = served.origin / "vae/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(Phys4dError, match=rf"{MODEL}@{COMMIT}: .*/vae/.* is another file, .* downloaded again"):
        fetch(described, wanted=is_pipeline_file)


def test_a_download_with_a_hole_is_refused(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    described = describe(MODEL, None)[PART]
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(served.snapshot))
    with pytest.raises(Phys4dError, match=r"/text_encoder/model.safetensors is missing"):
        fetch(described, wanted=is_pipeline_file)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda folder: (folder / "vae/config.json").write_text("{}"), "vae/config.json is another file"),
        (lambda folder: (folder / "vae/config.json").unlink(), "vae/config.json is missing"),
        (lambda folder: (folder / "tokenizer/added_tokens.json").write_text("{}"), "added_tokens.json is new"),
    ],
)
def test_a_folder_that_changed_is_refused(
    pipeline_folder: Path, tmp_path: Path, change: Callable[[Path], object], state: str
) -> None:
    folder = shutil.copytree(pipeline_folder, tmp_path / "pipeline")
    described = describe(str(folder), None)[PART]
    (folder / "README.md").write_text("no part of the pipeline")
    assert fetch(described, wanted=is_pipeline_file) == folder
    change(folder)
    with pytest.raises(Phys4dError, match=rf"{state}, by the sha256 in the base's manifest: put back"):
        fetch(described, wanted=is_pipeline_file)


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    described = PublishedFiles(source=str(tmp_path / "gone"), revision=None, files={})
    with pytest.raises(Phys4dError, match=r"gone: not there any more"):
        fetch(described, wanted=is_pipeline_file)


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=r"a folder has no revision, but v1 was given"):
        hub.describe(str(tmp_path), "v1", wanted=is_pipeline_file)


def refusal(kind: type[errors.HfHubHTTPError]) -> errors.HfHubHTTPError:
    return kind("refused\nmore", response=SimpleNamespace(headers={}, request=None))  # type: ignore[arg-type]


REFUSALS = [
    (refusal(errors.GatedRepoError), r"@v1: gated: accept its terms on https://huggingface.co/Wan-AI/Tiny", 78),
    (refusal(errors.RepositoryNotFoundError), r"@v1: no such folder, and no such model on the hub", 78),
    (refusal(errors.RevisionNotFoundError), r"@v1: the model has no such revision: give a commit", 78),
    (errors.HFValidationError("bad"), r"@v1: neither a folder nor a hub id", 78),
    (refusal(errors.HfHubHTTPError), r"@v1: the hub refused \(refused\): run the same command again", 1),
    (
        errors.OfflineModeIsEnabled("offline"),
        r"cannot be reached \(offline\): .* hf download Wan-AI/Tiny --revision v1",
        1,
    ),
    (errors.LocalEntryNotFoundError("nothing here"), r"cannot be reached \(nothing here\)", 1),
    (errors.HTTPError("no route"), r"cannot be reached \(no route\)", 1),  # type: ignore[attr-defined]
]


@pytest.mark.parametrize(("error", "message", "code"), REFUSALS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("call", ["model_info", "snapshot_download"])
def test_what_the_hub_refuses_is_one_line_that_says_what_to_do(
    call: str, error: Exception, message: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    name = "HfApi.model_info" if call == "model_info" else call
    monkeypatch.setattr(f"huggingface_hub.{name}", refuse)
    with pytest.raises(Phys4dError, match=message) as caught:
        if call == "model_info":
            hub.describe(MODEL, "v1", wanted=is_pipeline_file)
        else:
            fetch(PublishedFiles(source=MODEL, revision="v1", files={"model_index.json": "0"}), wanted=is_pipeline_file)
    assert caught.value.code == ExitCode(code)
    assert "\n" not in str(caught.value)
