"""A published pipeline in diffusers' layout: its files, what all such pipelines have in common, its manifest."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from components.backbones.configurations import Configuration
from components.backbones.hub import PublishedFiles, describe, fetch
from components.canonical import canonical_json
from components.errors import ParametersError, Phys4dError
from components.files import write_atomically
from components.manifest import MANIFEST, Manifest

INDEX = "model_index.json"
MODELS = ("transformer", "vae", "text_encoder")
CONFIGS = {**dict.fromkeys(MODELS, "config.json"), "scheduler": "scheduler_config.json"}
PARTS = (*CONFIGS, "tokenizer")
SUFFIXES = (".json", ".safetensors", ".model", ".txt")  # .model: a sentencepiece vocabulary


@dataclass(frozen=True, kw_only=True)
class PipelineKind:
    """names: of the classes that load such a pipeline; models: the class of each part; advice: what to name instead."""

    names: tuple[str, ...]
    models: Mapping[str, str]
    advice: str

    def describe(self, source: str, revision: str | None, read: Callable[[Path], object]) -> PublishedFiles:
        """The files and their sha256, on the hub or in a folder; weights are not downloaded.

        ParametersError when a part is missing, or `read` raises it of the folder's configurations.
        """
        described, folder = describe(source, revision, wanted=is_pipeline_file)
        self._check_files(described.files, source=source)
        read(folder)
        return described

    def configurations(self, folder: Path, *, source: str) -> tuple[Configuration, ...]:
        """Of the pipeline, transformer, autoencoder, text encoder and scheduler; ParametersError for other classes."""
        paths = (INDEX, *(f"{part}/{name}" for part, name in CONFIGS.items()))
        found = tuple(Configuration(folder, path, source=source, advice=self.advice) for path in paths)
        found[0].expect("_class_name", self.names)
        for part, kind in self.models.items():
            found[0].expect(part, (["diffusers", kind], ["transformers", kind]))
        return found

    def _check_files(self, files: Mapping[str, str], *, source: str) -> None:
        """ParametersError when a part of the pipeline, or its weights as safetensors, is not among the files."""
        if INDEX not in files:
            raise ParametersError(f"{source}: no {INDEX}, so it is not a pipeline in diffusers' layout: {self.advice}")
        for part in PARTS:
            if not any(path.startswith(f"{part}/") for path in files):
                raise ParametersError(f"{source}: no {part}/, expected {', '.join(PARTS)}: {self.advice}")
        for part in MODELS:
            if not any(path.startswith(f"{part}/") and path.endswith(".safetensors") for path in files):
                raise ParametersError(
                    f"{source}: no safetensors in {part}/, and pickled weights are not read: save it with "
                    "safe_serialization=True"
                )


def is_pipeline_file(path: str) -> bool:
    """Whether a pipeline is loaded from this file: its index, or a part's configuration, weights or vocabulary."""
    place = PurePosixPath(path)
    if len(place.parts) == 1:
        return path == INDEX
    return len(place.parts) == 2 and place.parts[0] in PARTS and place.suffix in SUFFIXES


def write_manifest(folder: Path, described: PublishedFiles, *, backbone: str, size: str) -> Mapping[str, float]:
    """Write the folder of a base that names published weights and holds none; the number of files it names."""
    manifest = Manifest(
        backbone=backbone, size=size, stage="base", base=None, parent=None, files={}, facts=asdict(described)
    )
    write_atomically(folder / MANIFEST, canonical_json(asdict(manifest)).encode())
    return {"files": len(described.files)}


def fetch_pipeline(facts: Mapping[str, Any]) -> tuple[Path, str]:
    """The folder and the source of what a manifest's facts name; held against its sha256s, downloaded where need be."""
    try:
        described = PublishedFiles(source=facts["source"], revision=facts["revision"], files=facts["files"])
    except KeyError as error:
        raise Phys4dError(f"the base's manifest names no {error}: run the stage prepare again") from error
    return fetch(described, wanted=is_pipeline_file), described.source
