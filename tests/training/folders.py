"""Models of the tiny world as folders, written as the stages write them, without training."""

from dataclasses import replace
from pathlib import Path

import torch

from components.backbones import laptop_latents, text
from components.backbones.adapters import adapter_tensors, add_adapter, own_tensors
from components.backbones.twin import save_twin, twin_facts
from components.model import CODEC_FILE, LOSSES_FILE, Model, load_model, seal, write_variant
from tests.training.twins import make_backbone, make_codec, make_heads, make_text, twin_shape

LOSSES = b"step,name,value\n0,diffusion,1\n"
ADAPTERS = {"stage2": 4, "stage3": 2}  # ranks


def write_base(folder: Path, *, seed: int = 0, layers: int = 2, heads: int = 2) -> Path:
    """A base with weights drawn from `seed`."""
    backbone = make_backbone(seed=seed, layers=layers, heads=heads)
    save_twin(backbone, folder)
    laptop_latents.save(make_codec(), folder / CODEC_FILE)
    text.save(make_text(), folder / "text")
    (folder / LOSSES_FILE).write_bytes(LOSSES)
    seal(folder, backbone=backbone, stage="base", facts=twin_facts(twin_shape(layers=layers, heads=heads)))
    return folder


def write_heads_alone(folder: Path, base: Path, *, width: int = 12, tap_width: int = 64) -> Path:
    """Stage 1: heads, and nothing of the transformer."""
    heads = make_heads(width=width, tap_width=tap_width, seed=3)
    model = replace(load_model(base), heads=heads)
    write_variant(folder, model, losses=LOSSES, stage="stage1", parent=base, facts={})
    return folder


def write_blocks(folder: Path, base: Path, parent: Path) -> tuple[Path, Model]:
    """Stage 2 with trained blocks: the folder, and the model in memory."""
    model = load_model(base, parent)
    changed = tuple(name for name in own_tensors(model.backbone) if name.startswith(("blocks.1.", "proj_out.")))
    for number, name in enumerate(changed):
        stir(own_tensors(model.backbone)[name], seed=number)
    write_variant(folder, replace(model, changed=changed), losses=LOSSES, stage="stage2", parent=parent, facts={})
    return folder, model


def write_adapters(folder: Path, base: Path, parent: Path, *names: str) -> tuple[Path, Model]:
    """A stage with adapters above all that its parent holds: the folder, and the model in memory."""
    model = load_model(base, parent)
    for number, name in enumerate(names):
        add_adapter(model.backbone, name, rank=ADAPTERS[name], seed=number)
        for value in adapter_tensors(model.backbone, name).values():
            stir(value, seed=number)
    model.backbone.transformer.requires_grad_(False)
    write_variant(
        folder,
        model,
        losses=LOSSES,
        stage=names[-1],
        parent=parent,
        facts={},
        adapters={name: ADAPTERS[name] for name in names},
    )
    return folder, model


@torch.no_grad()
def stir(value: torch.Tensor, *, seed: int) -> None:
    """Add noise to a tensor, in place."""
    value.add_(0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(seed)))
