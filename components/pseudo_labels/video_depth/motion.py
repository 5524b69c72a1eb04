"""Attention along time (Video-Depth-Anything, arXiv 2501.12375, section 3.1), under its published names.

Every place of the feature maps attends to the same place in the clip's other frames. Legend: T frames, H height,
W width, C channels, P places: H times W.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HEADS = 8
GROUPS = 32  # of channels that are normalised together
GROWTH = 4  # of the channels within a block
ATTENTIONS = 2  # in a block


class MotionModule(nn.Module):
    """Features (T,C,H,W) of a clip of at most `frames` to features of the same shape."""

    def __init__(self, channels: int, *, frames: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.transformer_blocks = nn.ModuleList([TemporalBlock(channels, frames=frames)])
        self.proj_out = nn.Linear(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """What is learnt from other frames is added."""
        tokens = self.proj_in(self.norm(features).flatten(2).permute(2, 0, 1))
        for block in self.transformer_blocks:
            tokens = block(tokens)
        learnt: Tensor = self.proj_out(tokens).permute(1, 2, 0).unflatten(2, features.shape[-2:])
        return features + learnt


class TemporalBlock(nn.Module):
    """Tokens (P,T,C): attention twice, then a gated network on each token."""

    def __init__(self, channels: int, *, frames: int) -> None:
        super().__init__()
        self.attention_blocks = nn.ModuleList(TemporalAttention(channels, frames=frames) for _ in range(ATTENTIONS))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(ATTENTIONS))
        inner = GROWTH * channels
        gated = [Gated(channels, inner), nn.Identity(), nn.Linear(inner, channels)]
        self.ff = nn.ModuleDict({"net": nn.Sequential(*gated)})
        self.ff_norm = nn.LayerNorm(channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(P,T,C) again."""
        for attention, norm in zip(self.attention_blocks, self.norms, strict=True):
            tokens = tokens + attention(norm(tokens))
        result: Tensor = tokens + self.ff["net"](self.ff_norm(tokens))
        return result


class TemporalAttention(nn.Module):
    """Attention among the T tokens of each place, to which the embeddings of their times are added."""

    def __init__(self, channels: int, *, frames: int) -> None:
        super().__init__()
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(channels, channels, bias=False)
        self.to_v = nn.Linear(channels, channels, bias=False)
        self.to_out = nn.Sequential(nn.Linear(channels, channels))
        self.pos_encoder = Times(channels, frames=frames)

    def forward(self, tokens: Tensor) -> Tensor:
        """(P,T,C) again."""
        tokens = self.pos_encoder(tokens)
        query, key, value = (
            project(tokens).unflatten(-1, (HEADS, -1)).transpose(1, 2) for project in (self.to_q, self.to_k, self.to_v)
        )
        mixed = F.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.to_out(mixed.transpose(1, 2).flatten(2))
        return result


class Times(nn.Module):
    """Embeddings of the times 0 to frames-1, which are published with the weights."""

    pe: Tensor

    def __init__(self, channels: int, *, frames: int) -> None:
        super().__init__()
        self.register_buffer("pe", torch.zeros(1, frames, channels))

    def forward(self, tokens: Tensor) -> Tensor:
        """(P,T,C) plus those of its T times."""
        return tokens + self.pe[:, : tokens.shape[1]]


class Gated(nn.Module):
    """A linear layer times the GELU of another (GEGLU, arXiv 2002.05202)."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.proj = nn.Linear(channels, 2 * out)

    def forward(self, tokens: Tensor) -> Tensor:
        """(...,C) to (...,out)."""
        values, gate = self.proj(tokens).chunk(2, -1)
        result: Tensor = values * F.gelu(gate)
        return result
