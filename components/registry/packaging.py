"""The folder of a version, as MLflow loads it: model, code, requirements, model card and the hashes of them all."""

import ast
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

import components
from components.manifest import read_manifest
from components.pipeline.closure import import_closure
from components.registry.card import write_card
from components.registry.contents import (
    BASE,
    MODELS,
    VARIANT,
    VERSION,
    Contents,
    Passport,
    Settings,
    file_hashes,
    refuse_pickles,
)
from components.registry.licences import weights_of
from components.tracking import silenced

SOURCE = Path(components.__file__).parents[1]  # where this package lies
SERVED = Path("components/registry/served.py")
CARD, MLMODEL = "README.md", "MLmodel"
LEFT = ("mlflow", "components")  # MLflow is there where it loads a model; its version is written down by itself


def build(
    root: Path,
    folder: Path,
    *,
    contents: Contents,
    settings: Settings,
    evaluation: Mapping[str, float | str],
    artifacts: str,
) -> Passport:
    """Write the version's folder; artifacts: where it will lie. What version.json says."""
    models = root / MODELS / contents.backbone
    _save(folder, models, settings)
    weights = weights_of(read_manifest(models / BASE))
    write_card(folder / CARD, contents=contents, settings=settings, weights=weights, evaluation=evaluation)
    refuse_pickles(folder)
    passport = Passport(
        contents=contents,
        settings=settings,
        weights=weights,
        evaluation=evaluation,
        artifacts=artifacts,
        files=file_hashes(folder),
    )
    (folder / VERSION).write_bytes(passport.to_json())
    return passport


def _save(folder: Path, models: Path, settings: Settings) -> None:
    with silenced({}), TemporaryDirectory() as temporary, warnings.catch_warnings():
        from mlflow import pyfunc

        warnings.filterwarnings("ignore", module="mlflow")  # the signature is given below

        pyfunc.save_model(
            folder,
            python_model=str(SOURCE / SERVED),
            code_paths=[str(_copy_code(Path(temporary)))],
            artifacts={part: str(models / part) for part in (BASE, VARIANT)},
            signature=_signature(),
            model_config=asdict(settings),
            pip_requirements=_requirements(),
        )
    _forget_places(folder / MLMODEL)


def _forget_places(path: Path) -> None:
    """Leave out of MLflow's description where on this machine things came from: nothing reads it."""
    values = yaml.safe_load(path.read_text())
    flavor = values["flavors"]["python_function"]
    flavor["model_code_path"] = Path(flavor["model_code_path"]).name
    for artifact in flavor["artifacts"].values():
        artifact["uri"] = artifact["path"]
    path.write_text(yaml.safe_dump(values))


@cache
def _modules() -> list[Path]:
    return import_closure(SERVED, SOURCE)


def _copy_code(folder: Path) -> Path:
    """The modules that a loaded version runs, and no others."""
    for path in _modules():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / path, folder / path)
    return folder / "components"


def _signature() -> object:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    columns = [ColSpec("string", "prompt"), ColSpec("string", "image"), ColSpec("long", "seed", required=False)]
    return ModelSignature(inputs=Schema(columns), params=ParamSchema([ParamSpec("steps", "long", 0)]))


@cache
def _requirements() -> list[str]:
    """The packages that those modules import, each at the version that is installed here."""
    owners = packages_distributions()
    names = {name for path in _modules() for name in _packages(path)}
    found = sorted({owners[name][0] for name in names if name in owners})
    return [f"{name}=={version(name).partition('+')[0]}" for name in found]


def _packages(path: Path) -> Iterator[str]:
    """Packages that a module imports, neither this project's nor the standard library's."""
    for node in ast.walk(ast.parse((SOURCE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        else:
            continue
        tops = {name.partition(".")[0] for name in names}
        yield from tops - set(sys.stdlib_module_names) - set(LEFT)
