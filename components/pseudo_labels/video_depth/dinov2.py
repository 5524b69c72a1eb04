"""DINOv2 (arXiv 2304.07193), the encoder of Depth Anything, under its published names.

transformers' class resizes the position embeddings by another rule, and so has other features at every size but the
native one. Legend: T frames, H height, W width, C channels, N tokens: one of the whole frame and one a patch.
"""

from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HEAD = 64  # channels of a head of attention, at every size
GROWTH = 4  # of the channels within a block
EPSILON = 1e-6
OFFSET = 0.1  # patches that the published rule adds to the new grid before it takes its ratio to the old
TAPS = {12: (2, 5, 8, 11), 24: (4, 11, 17, 23)}  # blocks whose features the depth head reads, by their number


class Dinov2(nn.Module):
    """Pictures (T,3,H,W) to features (T,C,H/patch,W/patch) after each of four blocks, normalised.

    grid: patches along a side of the pictures it was trained on.
    """

    def __init__(self, *, width: int, depth: int, grid: int, patch: int) -> None:
        super().__init__()
        self.taps, self.patch = TAPS[depth], patch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # published, though only its training used it
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + grid**2, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, patch)})
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """H and W are multiples of the patch."""
        patches = self.patch_embed["proj"](pictures)
        grid: tuple[int, int] = patches.shape[-2:]
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches.flatten(2).mT], 1) + self._places(grid)
        features = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens)
            if number in self.taps:
                features.append(self.norm(tokens)[:, 1:].mT.unflatten(2, grid))
        return features

    def _places(self, grid: tuple[int, int]) -> Tensor:
        """Position embeddings (1,N,C) of a grid of patches, which are resampled where it is not the trained one."""
        side = isqrt(self.pos_embed.shape[1] - 1)
        if grid == (side, side):
            return self.pos_embed
        whole, patches = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        resampled = F.interpolate(
            patches.mT.unflatten(2, (side, side)),
            scale_factor=((grid[0] + OFFSET) / side, (grid[1] + OFFSET) / side),
            mode="bicubic",
        )
        return torch.cat([whole, resampled.flatten(2).mT], 1)


class Block(nn.Module):
    """Attention among the tokens (T,N,C) of each frame, then a network on each, both scaled and added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.ls1 = nn.ParameterDict({"gamma": torch.ones(width)})
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, GROWTH * width), "fc2": nn.Linear(GROWTH * width, width)})
        self.ls2 = nn.ParameterDict({"gamma": torch.ones(width)})

    def forward(self, tokens: Tensor) -> Tensor:
        """(T,N,C) again."""
        tokens = tokens + self.ls1["gamma"] * self._attend(self.norm1(tokens))
        inner = F.gelu(self.mlp["fc1"](self.norm2(tokens)))
        result: Tensor = tokens + self.ls2["gamma"] * self.mlp["fc2"](inner)
        return result

    def _attend(self, tokens: Tensor) -> Tensor:
        query, key, value = self.attn["qkv"](tokens).unflatten(-1, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.attn["proj"](mixed.transpose(1, 2).flatten(2))
        return result
