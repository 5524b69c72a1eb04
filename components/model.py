"""A model as files: the base and what a stage changed of it, each file named with its sha256 in model.json.

The base's folder holds transformer, codec and text encoder of a tiny twin, or for published weights the manifest alone.
A stage's folder holds heads.safetensors, the transformer's tensors that differ from the base (stage 2 on) and adapters
(stage 3, or stage 2 with LoRA); it is complete beside its base.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from components.backbones import laptop_latents
from components.backbones.adapters import copy_into, load_adapters, own_tensors, save_adapter
from components.backbones.base import Backbone, Codec, TextEncoder
from components.backbones.twin import load_twin
from components.canonical import canonical_json
from components.errors import Phys4dError
from components.files import write_atomically
from components.heads import Heads, HeadsShape, make_heads, tap_numbers
from components.manifest import MANIFEST, Manifest, hashes, manifest_hash, verify

CODEC_FILE = "codec.safetensors"
HEADS_FILE = "heads.safetensors"
TRANSFORMER_FILE = "transformer.safetensors"
LOSSES_FILE = "losses.csv"
TINY = "tiny"


@dataclass(frozen=True, kw_only=True)
class Model:
    """Everything that turns a first frame and a caption into 4D; a base has no heads."""

    backbone: Backbone
    codec: Codec
    text: TextEncoder
    base: str  # sha256 of the model.json of its base
    heads: Heads | None = None
    changed: tuple[str, ...] = ()  # the transformer's tensors that differ from the base

    @property
    def with_heads(self) -> Heads:
        """The heads; Phys4dError for a base, which has none."""
        if self.heads is None:
            raise Phys4dError("this model is a base and has no heads: give a stage's folder beside it")
        return self.heads

    @property
    def taps(self) -> tuple[int, ...]:
        """The blocks that the heads read."""
        return tap_numbers(len(self.backbone.blocks()), self.heads.shape.taps) if self.heads else ()


def seal(
    folder: Path,
    *,
    backbone: Backbone,
    stage: str,
    facts: Mapping[str, Any],
    base: str | None = None,
    parent: Path | None = None,
) -> None:
    """Write the manifest: the last act on a finished model's folder."""
    manifest = Manifest(
        backbone=backbone.name,
        size=backbone.size,
        stage=stage,
        base=base,
        parent=manifest_hash(parent) if parent else None,
        files=hashes(folder),
        facts=facts,
    )
    (folder / MANIFEST).write_text(canonical_json(asdict(manifest)))


def load_model(base: Path, variant: Path | None = None) -> Model:
    """The base, or what a stage made of it; verified, in evaluation mode, nothing to train."""
    manifest = verify(base)
    backbone, codec, text = _load_base(base, manifest)
    heads: Heads | None = None
    changed: tuple[str, ...] = ()
    if variant is not None:
        found = verify(variant)
        if (found.backbone, found.size) != (manifest.backbone, manifest.size):
            raise Phys4dError(
                f"{variant}: made for {found.backbone} {found.size}, but {base} holds {manifest.backbone} "
                f"{manifest.size}: give the base it was trained from"
            )
        if found.base != manifest_hash(base):
            raise Phys4dError(
                f"{variant}: made from the base {found.base}, but {base} is {manifest_hash(base)}: run dvc repro, or "
                "give the base it was trained from"
            )
        heads = load_heads(variant)
        _check_shape(heads.shape, backbone, codec, source=variant / HEADS_FILE)
        changed = load_changes(backbone, variant)
        load_adapters(backbone, variant)
    backbone.transformer.eval().requires_grad_(False)
    return Model(backbone=backbone, codec=codec, text=text, base=manifest_hash(base), heads=heads, changed=changed)


def _check_shape(shape: HeadsShape, backbone: Backbone, codec: Codec, *, source: Path) -> None:
    fits = replace(
        shape,
        tap_width=backbone.width,
        channels=codec.channels,
        patch=backbone.patch,
        stride=codec.spatial_stride,
        slots=backbone.covers,
    )
    for field in fields(shape):
        found, expected = getattr(shape, field.name), getattr(fits, field.name)
        if found != expected:
            raise Phys4dError(
                f"{source}: heads of {field.name} {found}, expected {expected}, the base's: give the base that they "
                "were trained on"
            )


def _load_base(base: Path, manifest: Manifest) -> tuple[Backbone, Codec, TextEncoder]:
    if manifest.size != TINY:
        from components.backbones.published import load_published

        return load_published(manifest)
    from components.backbones import text

    backbone = load_twin(manifest.backbone, manifest.facts, base)
    return backbone, laptop_latents.load(base / CODEC_FILE), text.load(base / "text")


def write_variant(
    folder: Path,
    model: Model,
    *,
    losses: bytes,
    stage: str,
    parent: Path,
    facts: Mapping[str, Any],
    adapters: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Write what a stage made: heads, changed tensors, adapters by name with their rank, losses, manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    save_heads(model.with_heads, folder)
    if model.changed:
        save_changes(model.backbone, model.changed, folder)
    for name, rank in adapters.items():
        save_adapter(model.backbone, name, folder, rank=rank)
    write_atomically(folder / LOSSES_FILE, losses)
    seal(folder, backbone=model.backbone, stage=stage, base=model.base, parent=parent, facts=facts)


def save_heads(heads: Heads, folder: Path) -> None:
    """Write the heads; their shape stands in the file's own header."""
    from safetensors.torch import save_file

    tensors = {name: value.contiguous().cpu() for name, value in heads.state_dict().items()}
    values = ((field, getattr(heads.shape, field.name)) for field in fields(heads.shape))
    # a default is left out: heads from before it was a field have the same bytes
    shape = {field.name: value for field, value in values if value != field.default}
    # one entry: safetensors writes several in an order that differs from file to file
    save_file(tensors, folder / HEADS_FILE, {"shape": canonical_json(shape)})


def load_heads(folder: Path) -> Heads:
    """The heads written by `save_heads`, frozen."""
    from safetensors import safe_open

    path = folder / HEADS_FILE
    with safe_open(path, "pt") as file:
        shape = json.loads(file.metadata()["shape"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 -- not a mapping
    with torch.random.fork_rng(devices=[]):  # weights that are drawn only to be replaced
        heads = make_heads(HeadsShape(**shape))
    copy_into(heads.state_dict(), tensors, source=path)
    return heads.eval().requires_grad_(False)


def save_changes(backbone: Backbone, names: Sequence[str], folder: Path) -> None:
    """Write the transformer's tensors of these names: those that a stage trained."""
    from safetensors.torch import save_file

    tensors = own_tensors(backbone)
    save_file({name: tensors[name].contiguous().cpu() for name in names}, folder / TRANSFORMER_FILE)


def load_changes(backbone: Backbone, folder: Path) -> tuple[str, ...]:
    """Put a stage's changed tensors into the transformer; their names, none when the stage changed nothing."""
    from safetensors.torch import load_file

    path = folder / TRANSFORMER_FILE
    if not path.is_file():
        return ()
    tensors = load_file(path)
    own = own_tensors(backbone)
    copy_into({name: own[name] for name in tensors if name in own}, tensors, source=path)
    return tuple(tensors)
