"""The small autoencoder of the numbers."""

import torch

from components.backbones.open_sora.vae import OpenSoraVAE
from tests.backbones.open_sora.oracle import fill

TINY_VAE = {
    "block_out_channels": (16, 16, 32, 32),
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "filters": 16,
    "num_res_blocks": 1,
    "num_groups": 8,
}


def tiny_vae() -> OpenSoraVAE:
    """Its weights drawn by their names, frozen."""
    with torch.random.fork_rng(devices=[]):
        vae: OpenSoraVAE = OpenSoraVAE(**TINY_VAE)
    fill(vae)
    vae.eval().requires_grad_(False)
    return vae
