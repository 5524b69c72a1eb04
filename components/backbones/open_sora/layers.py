"""Layers of STDiT3. Legend: B samples, F latent frames, S tokens of a frame, L text tokens, C width, D width of a head.

Tokens go through as (B,F,S,C). What modulates them is (B,1,C), or (B,F,C) where frames differ in their time.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from components.backbones.open_sora.embeddings import rotate

EPSILON = 1e-6  # of every normalisation
Rotation = tuple[Tensor, Tensor]


class RMSNorm(nn.Module):
    """Root-mean-square normalisation with statistics in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis; rounded to x's type before the weight is applied."""
        exact = x.float()
        normalised = exact * torch.rsqrt(exact.square().mean(-1, keepdim=True) + EPSILON)
        return normalised.to(x.dtype) * self.weight


class Mlp(nn.Module):
    """Two linear layers with GELU, in its approximation by tanh, between them."""

    def __init__(self, width: int, hidden: int, output: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, output)

    def forward(self, x: Tensor) -> Tensor:
        """(...,width) to (...,output)."""
        output: Tensor = self.fc2(F.gelu(self.fc1(x), approximate="tanh"))
        return output


class SelfAttention(nn.Module):
    """Attention within sequences; queries and keys are normalised, then rotated where a rotation is given."""

    def __init__(self, width: int, heads: int, *, qk_norm: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm: nn.Module = RMSNorm(width // heads) if qk_norm else nn.Identity()
        self.k_norm: nn.Module = RMSNorm(width // heads) if qk_norm else nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, rotation: Rotation | None) -> Tensor:
        """(N,n,C) to (N,n,C); rotation: cosines and sines (n,D/2)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k = self.q_norm(q), self.k_norm(k)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        attended = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v)
        output: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return output


class CrossAttention(nn.Module):
    """Attention from video to text, without normalisation."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_linear = nn.Linear(width, width)
        self.kv_linear = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, text: Tensor, text_mask: Tensor | None) -> Tensor:
        """(B,N,C) and text (B,L,C) to (B,N,C); text_mask: (B,L), True where there is a token."""
        q = self.q_linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.kv_linear(text).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = None if text_mask is None else text_mask[:, None, None]
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        output: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return output


class Block(nn.Module):
    """Self-attention along space or along time, attention to the text, and an MLP, each added to what comes in."""

    def __init__(self, width: int, heads: int, *, mlp_ratio: float, qk_norm: bool, along_time: bool) -> None:
        super().__init__()
        self.along_time = along_time
        self.attn = SelfAttention(width, heads, qk_norm=qk_norm)
        self.cross_attn = CrossAttention(width, heads)
        self.mlp = Mlp(width, int(width * mlp_ratio), width)
        self.scale_shift_table = nn.Parameter(torch.randn(6, width) / width**0.5)

    def forward(
        self, x: Tensor, text: Tensor, text_mask: Tensor | None, modulation: Tensor, rotation: Rotation
    ) -> Tensor:
        """(B,F,S,C) to (B,F,S,C); modulation: (B,1 or F,6 C); rotation: of the frames."""
        table = self.scale_shift_table + modulation.unflatten(-1, (6, -1))
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = table[:, :, :, None].unbind(2)
        x = x + gate * self._attend(modulate(x, shift, scale), rotation)
        x = x + self.cross_attn(x.flatten(1, 2), text, text_mask).view_as(x)
        output: Tensor = x + mlp_gate * self.mlp(modulate(x, mlp_shift, mlp_scale))
        return output

    def _attend(self, x: Tensor, rotation: Rotation) -> Tensor:
        if not self.along_time:
            attended: Tensor = self.attn(x.flatten(0, 1), None)
            return attended.view_as(x)
        across = x.transpose(1, 2)
        attended = self.attn(across.flatten(0, 1), rotation)
        return attended.view(across.shape).transpose(1, 2)


class FinalLayer(nn.Module):
    """Modulation by the time's own embedding, and the projection to the values of a patch."""

    def __init__(self, width: int, values: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, values)
        self.scale_shift_table = nn.Parameter(torch.randn(2, width) / width**0.5)

    def forward(self, x: Tensor, time: Tensor, clean_time: Tensor | None, noisy_frames: Tensor | None) -> Tensor:
        """(B,F,S,C) to (B,F,S,values); time, clean_time: embeddings (B,C); noisy_frames: (B,F) bool.

        Clean frames are normalised and modulated a second time, on top of the first: so the published weights were
        trained. No loss or sampler reads what comes out there.
        """
        modulated = self._modulated(x, time)
        if clean_time is not None and noisy_frames is not None:
            modulated = torch.where(noisy_frames[:, :, None, None], modulated, self._modulated(modulated, clean_time))
        output: Tensor = self.linear(modulated)
        return output

    def _modulated(self, x: Tensor, time: Tensor) -> Tensor:
        shift, scale = (self.scale_shift_table + time[:, None])[:, :, None, None].unbind(1)
        return modulate(x, shift, scale)


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Layer normalisation without weights of (...,C), scaled by 1 + scale and shifted."""
    return F.layer_norm(x, x.shape[-1:], eps=EPSILON) * (1 + scale) + shift
