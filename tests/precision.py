"""Where the machine would compute in bfloat16, and a test holds numbers to float32's rounding."""

import pytest
import torch


def compute_in_float32(patch: pytest.MonkeyPatch) -> None:
    """Have this process take the machine for one without bfloat16."""
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        patch.setattr(torch.cpu, name, lambda: False)
