"""A published pipeline in diffusers' layout: its files, and what all such pipelines have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.backbones.configurations import Configuration
from components.backbones.hub import PublishedFiles, describe, fetch
from components.errors import ParametersError

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


def fetch_pipeline(described: PublishedFiles) -> tuple[Path, str]:
    """The folder and the source of a pipeline; held against its sha256s, downloaded where need be."""
    return fetch(described, wanted=is_pipeline_file), described.source
