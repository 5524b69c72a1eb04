"""How tensors are computed on this machine: cores, precision, and attention's kernels."""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from components.params import Resources


def use_cores(resources: "Resources", *, beside: int = 1) -> None:
    """Have torch use all the cores a stage may use; ranks that train together share them.

    beside: how many such stages run side by side, and share the cores too.
    """
    torch.set_num_threads(max(1, resources.processes * resources.threads // resources.ranks // beside))


def device() -> torch.device:
    """An accelerator where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def on_device(values: torch.Tensor) -> torch.Tensor:
    """`values` where models compute; on their way to an accelerator they do not hold up what it is at."""
    place = device()
    if place.type == "cuda" and values.device.type == "cpu":
        values = values.pin_memory()
    return values.to(place, non_blocking=True)


def has_fast_bfloat16() -> bool:
    """Whether matrix products in bfloat16 are faster than in float32: a CPU that only emulates them is 8 times slower.

    With AVX-512's own instructions for them (an AMD of the fifth generation) a training step of a tiny twin takes six
    tenths of the time; with AMX less.
    """
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


@contextmanager
def mixed_precision() -> Iterator[None]:
    """Matrix products in bfloat16 where that is fast; attention on a CPU through plain matrix products.

    The fused attention's backward pass on a CPU took 28 % of a training step of the tiny twins.
    """
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="Mismatch dtype between input and weight")  # it is slower, not wrong
        if has_fast_bfloat16():
            stack.enter_context(torch.autocast(device().type, torch.bfloat16))
        if device().type == "cpu":
            from torch.nn.attention import SDPBackend, sdpa_kernel

            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        yield
