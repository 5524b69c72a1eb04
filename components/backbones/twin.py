"""A tiny twin as files: its transformer as diffusers writes it, and in the manifest what it is made by."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.backbones.adapters import copy_into
from components.backbones.base import Backbone
from components.backbones.family import TwinShape, VideoShape, family

if TYPE_CHECKING:
    from components.params import Params

FOLDER = "transformer"
WEIGHTS = "diffusion_pytorch_model.safetensors"


def shape_of(params: "Params", name: str, *, channels: int) -> TwinShape:
    """The shape that the parameters give the twin of the backbone of that name, on latents of so many channels."""
    return TwinShape(
        **getattr(params.backbones, name).tiny.model_dump(),
        channels=channels,
        text_width=params.text.width,
        text_tokens=params.text.length,
        video=VideoShape(**params.video.model_dump()),
    )


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
