"""A tiny twin as files: its transformer as diffusers writes it, and in the manifest what it is made by."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.backbones.adapters import copy_into
from components.backbones.base import Backbone
from components.backbones.family import TwinShape, VideoShape, family

FOLDER = "transformer"
WEIGHTS = "diffusion_pytorch_model.safetensors"


def save_twin(backbone: Backbone, folder: Path) -> None:
    """Write the transformer, as `from_pretrained` of its class reads it."""
    transformer: Any = backbone.transformer  # a ModelMixin: diffusers has no types
    transformer.save_pretrained(folder / FOLDER)


def load_twin(name: str, facts: Mapping[str, Any], folder: Path) -> Backbone:
    """The twin that `twin_facts` describes, with the weights in `folder`; Phys4dError when they do not fit."""
    from safetensors.torch import load_file

    shape = TwinShape(**{**facts["twin"], "video": VideoShape(**facts["twin"]["video"])})
    backbone = family(name).make_twin(shape, seed=0)
    path = folder / FOLDER / WEIGHTS
    copy_into(dict(backbone.transformer.state_dict()), load_file(path), source=path)
    return backbone


def twin_facts(shape: TwinShape) -> dict[str, Any]:
    """What a manifest says of a twin."""
    return {"twin": asdict(shape)}
