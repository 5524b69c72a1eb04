"""Positions, times and rates as vectors, for STDiT3.

Legend: B samples, F latent frames, S tokens of a frame, C width.
"""

import math

import torch
from torch import Tensor, nn

SINUSOID = 256  # values that a time or a frame rate becomes before its two linear layers
LONGEST = 10000.0  # wavelength, over 2 pi, of every sinusoid here


class ScalarEmbedding(nn.Module):
    """Numbers (B,) to vectors (B,C): sinusoids in float32, then two linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(SINUSOID, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        """Vectors in `dtype`, that of the weights."""
        embedded: Tensor = self.mlp(sinusoid(values).to(dtype))
        return embedded


class RotaryFrequencies(nn.Module):
    """Rotations of queries and keys by their latent frame's number (Su et al. 2021), pairs side by side.

    The checkpoint has the frequencies as `rope.freqs`. They follow from the width and are computed anew, so that they
    are exact also where the checkpoint was rounded to bfloat16.
    """

    freqs: Tensor

    def __init__(self, head_width: int) -> None:
        super().__init__()
        self.register_buffer("freqs", rotary_frequencies(head_width))

    def forward(self, frames: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines (F, head width / 2), float32."""
        positions = torch.arange(frames, device=self.freqs.device, dtype=torch.float32)
        angles = positions[:, None] * rotary_frequencies(2 * len(self.freqs), device=self.freqs.device)
        return angles.cos(), angles.sin()


def rotary_frequencies(head_width: int, device: torch.device | None = None) -> Tensor:
    """Frequencies (head width / 2,), float32."""
    steps = torch.arange(0, head_width, 2, device=device, dtype=torch.float32)
    return (-math.log(LONGEST) * steps / head_width).exp()


def rotate(states: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the pairs of states (...,F,D) by cosines and sines (F,D/2)."""
    cos, sin = rotation
    first, second = states.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([first * cos - second * sin, first * sin + second * cos], -1).flatten(-2)


def sinusoid(values: Tensor) -> Tensor:
    """Numbers (B,) to (B,256), float32: cosines, then sines."""
    half = SINUSOID // 2
    steps = torch.arange(half, device=values.device, dtype=torch.float32)
    angles = values.float()[:, None] * (-math.log(LONGEST) * steps / half).exp()
    return torch.cat([angles.cos(), angles.sin()], -1)


def position_embedding(
    rows: int, columns: int, width: int, *, scale: float, device: torch.device | None = None
) -> Tensor:
    """Vectors (S,C) of a grid of tokens, row by row, float32: sine and cosine of the column, then of the row.

    scale: of the video's side to the side that the network's positions are counted at. The grid is stretched to a
    square of as many tokens, so that the aspect ratio changes neither range.
    """
    side, quarter = round(math.sqrt(rows * columns)), width // 4
    steps = torch.arange(quarter, device=device, dtype=torch.float32)
    frequencies = (-math.log(LONGEST) * steps / quarter).exp()

    def along(count: int) -> Tensor:
        positions = torch.arange(count, device=device, dtype=torch.float32) / scale * (side / count)
        angles = positions[:, None] * frequencies
        return torch.cat([angles.sin(), angles.cos()], -1)

    of_row = along(rows)[:, None].expand(rows, columns, -1)
    of_column = along(columns)[None].expand(rows, columns, -1)
    return torch.cat([of_column, of_row], -1).flatten(0, 1)
