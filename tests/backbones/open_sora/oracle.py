"""Numbers of the released Open-Sora 1.2 on small random weights, and the rules by which weights and inputs are drawn.

oracle.npz holds its outputs, oracle.json statistics, losses, gradients and tables; all were made by running tag v1.2.0
of hpcaitech/Open-Sora on a CPU in float32. `_meta` says with which inputs.
"""

import json
import math
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from components.backbones.open_sora.stdit3 import STDiT3

HERE = Path(__file__).parent
GATE = 2e-5  # largest relative L2 error; the smallest known mistake, the exact GELU, makes 1.3e-4
AS_BUILT = ("rope.freqs", "scale", "shift")  # not drawn
TINY = {"hidden_size": 96, "depth": 2, "num_heads": 4, "caption_channels": 64, "model_max_length": 16}
SIZE = {"height": 240.0, "width": 426.0}
TIMES = torch.tensor([713.25, 120.5])
FPS = torch.tensor([24.0, 8.0])
NOISY_FRAMES = torch.tensor([[0, 1, 1, 1, 0], [1, 1, 0, 1, 1]]).bool()
TEXT_MASK = torch.arange(16)[None] < torch.tensor([[11], [4]])
LATENTS = (2, 4, 5, 6, 10)


@cache
def numbers() -> Mapping[str, Any]:
    """oracle.json."""
    found: Mapping[str, Any] = json.loads((HERE / "oracle.json").read_text())
    return found


@cache
def array(case: str) -> Tensor:
    """One array of oracle.npz."""
    with np.load(HERE / "oracle.npz") as file:
        return torch.from_numpy(file[case])


def drawn(name: str, *shape: int) -> Tensor:
    """The input of this name."""
    source = np.random.RandomState(zlib.crc32(f"input:{name}".encode()))
    return torch.from_numpy(source.standard_normal(shape).astype(np.float32))


@torch.no_grad()
def fill(model: nn.Module) -> None:
    """Draw every tensor of a model by its name."""
    for name, tensor in model.state_dict().items():
        if name in AS_BUILT:
            continue
        shape = tuple(tensor.shape)
        source = np.random.RandomState(zlib.crc32(name.encode()))
        values = source.standard_normal(shape)
        if name.endswith("scale_shift_table"):
            values = 0.3 * values
        elif len(shape) >= 2 and not name.endswith("y_embedding"):
            values = values / math.sqrt(math.prod(shape[1:]))
        elif len(shape) < 2:
            values = 0.1 * values + (1 if name.endswith(".weight") else 0)
        tensor.copy_(torch.from_numpy(values.astype(np.float32)))


def tiny(**changes: Any) -> STDiT3:  # noqa: ANN401
    """The small transformer of the numbers."""
    with torch.random.fork_rng(devices=[]):
        model = STDiT3(**{**TINY, **changes})
    fill(model)
    return model.eval()  # type: ignore[no-any-return]


def inputs() -> dict[str, Any]:
    """What cases C1, C2, C5, C8 and C9 put in, text and latents aside."""
    return {"times": TIMES, "fps": FPS, **SIZE}


def latents() -> Tensor:
    return drawn("x", *LATENTS)


def text() -> Tensor:
    return drawn("y", 2, 1, 16, 64)[:, 0]


def relative_error(found: Tensor, expected: Tensor) -> float:
    """|found - expected| / |expected|, in float64; shapes are the same."""
    assert found.shape == expected.shape
    return float((found.double() - expected.double()).norm() / expected.double().norm())


def statistics(values: Tensor) -> Iterator[tuple[str, Any]]:
    """What oracle.json says of an array that is not kept."""
    exact = values.detach().double()
    yield "mean", float(exact.mean())
    yield "std", float(exact.std(correction=0))
    yield "absmax", float(exact.abs().max())
    yield "first8", exact.flatten()[:8].tolist()
    yield "last4", exact.flatten()[-4:].tolist()
