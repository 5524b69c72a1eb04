"""Low-rank adapters of a backbone: added, switched off, stored and loaded again. Source: LoRA, Hu et al. 2021.

An adapter is named after the stage that trained it; those of earlier stages stay on beneath it, frozen.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from components.backbones.base import Backbone
from components.errors import Phys4dError

PATTERN = "adapter-*.safetensors"
POLICY = "stage3"  # the adapter that reinforcement learning trains


def add_adapter(backbone: Backbone, name: str, *, rank: int, seed: int) -> list[torch.nn.Parameter]:
    """Adapt every linear layer of the blocks by a product of two matrices; the parameters to train.

    The second matrix is zero, so that nothing changes before the first step. All else of the transformer is frozen.
    """
    from peft import LoraConfig

    transformer: torch.nn.Module = backbone.transformer
    below = _adapters(backbone)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LoraConfig(r=rank, lora_alpha=rank, target_modules=list(backbone.adapter_targets))
        with warnings.catch_warnings():  # of adapters beneath, which are wanted
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")
            backbone.transformer.add_adapter(config, adapter_name=name)  # type: ignore[operator]
    backbone.transformer.set_adapters([*below, name])  # type: ignore[operator]
    transformer.requires_grad_(False)
    parameters = [value for key, value in transformer.named_parameters() if f".{name}." in key]
    for value in parameters:
        value.data = value.data.float()  # small steps would be lost in a transformer of half precision
        value.requires_grad_(True)
    return parameters


@contextmanager
def adapter_off(backbone: Backbone, name: str) -> Iterator[None]:
    """The backbone as it was before adapter `name` was added, if it was; what trains is the same afterwards."""
    trained = [value for value in backbone.transformer.parameters() if value.requires_grad]
    names = _adapters(backbone)
    if name not in names:
        yield
        return
    below = names[: names.index(name)]
    if below:
        backbone.transformer.set_adapters(below)  # type: ignore[operator]
    else:
        backbone.transformer.disable_adapters()  # type: ignore[operator]
    try:
        yield
    finally:
        backbone.transformer.enable_adapters()  # type: ignore[operator]
        backbone.transformer.set_adapters(names)  # type: ignore[operator]
        backbone.transformer.requires_grad_(False)  # an adapter that is switched on trains, unless it is told not to
        for value in trained:
            value.requires_grad_(True)


def own_tensors(backbone: Backbone) -> dict[str, Tensor]:
    """The transformer's own tensors, by the names that they have where no adapter was added."""
    tensors = backbone.transformer.state_dict()
    return {key.replace(".base_layer.", "."): value for key, value in tensors.items() if ".lora_" not in key}


def adapter_tensors(backbone: Backbone, name: str) -> dict[str, Tensor]:
    """The matrices of an adapter."""
    return {key: value.detach() for key, value in backbone.transformer.named_parameters() if f".{name}." in key}


def save_adapter(backbone: Backbone, name: str, folder: Path, *, rank: int) -> None:
    """Write an adapter's matrices; its rank stands in the file's own header."""
    from safetensors.torch import save_file

    tensors = {key: value.contiguous().cpu() for key, value in adapter_tensors(backbone, name).items()}
    save_file(tensors, folder / f"adapter-{name}.safetensors", {"rank": str(rank)})


def load_adapters(backbone: Backbone, folder: Path) -> None:
    """Put the adapters in a model's folder onto the backbone, in the order of their stages; frozen."""
    from safetensors import safe_open

    for path in sorted(folder.glob(PATTERN)):
        with safe_open(path, "pt") as file:
            rank = int(file.metadata()["rank"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 -- not a mapping
        name = path.stem.removeprefix("adapter-")
        add_adapter(backbone, name, rank=rank, seed=0)
        copy_into(adapter_tensors(backbone, name), tensors, source=path)
    backbone.transformer.requires_grad_(False)


@torch.no_grad()
def copy_into(targets: Mapping[str, Tensor], values: Mapping[str, Tensor], *, source: Path) -> None:
    """Copy tensors by name; Phys4dError names the first that is missing, unknown or of another shape; then none is."""
    if different := sorted(set(targets) ^ set(values)):
        place = "the file" if different[0] in targets else "the model"
        raise Phys4dError(f"{source}: {different[0]} is not in {place}: it was saved from a model of another shape")
    for name, target in targets.items():
        if target.shape != values[name].shape:
            raise Phys4dError(
                f"{source}: {name} has shape {list(values[name].shape)}, expected {list(target.shape)}: it was saved "
                "from a model of another shape; write the parameters it was trained with, or train again"
            )
    for name, target in targets.items():
        target.copy_(values[name])


def adapter_ranks(backbone: Backbone) -> dict[str, int]:
    """The adapters that are on, the lowest first, with their ranks."""
    return {name: backbone.transformer.peft_config[name].r for name in _adapters(backbone)}  # type: ignore[index,union-attr]


def _adapters(backbone: Backbone) -> list[str]:
    """Names of the adapters that are on, the lowest first."""
    return sorted(getattr(backbone.transformer, "peft_config", {}))
