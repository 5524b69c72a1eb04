"""Muon with Newton and Schulz's iteration in float32, for machines that are slow in bfloat16.

torch.optim.Muon iterates in bfloat16 whatever the machine. A processor that only emulates it spends five times as long
on that as on all else of a tiny twin's step.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Float32Muon(torch.optim.Muon):
    """The update of torch.optim.Muon (Jordan et al. 2024), its options and its state, in float32 throughout."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # noqa: ANN401 -- as torch has it
        """One step on every matrix that has a gradient."""
        loss = torch.enable_grad()(closure)() if closure else None
        for group in self.param_groups:
            parameters: list[Tensor] = []
            gradients: list[Tensor] = []
            momenta: list[Tensor] = []
            self._init_group(group, parameters, gradients, momenta)
            for parameter, gradient, momentum in zip(parameters, gradients, momenta, strict=True):
                momentum.lerp_(gradient, 1 - group["momentum"])
                direction = gradient.lerp(momentum, group["momentum"]) if group["nesterov"] else momentum
                update = orthogonalised(
                    direction, group["ns_coefficients"], steps=group["ns_steps"], least=group["eps"]
                )
                rows, columns = parameter.shape
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))
        return loss


def orthogonalised(matrix: Tensor, coefficients: tuple[float, float, float], *, steps: int, least: float) -> Tensor:
    """The matrix (R,C) with all singular values near 1, by Newton and Schulz's quintic iteration, in float32.

    It is divided by its Frobenius norm, or by `least` where that is smaller, before.
    """
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).float()
    x = x / x.norm().clamp(min=least)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
