"""Open-Sora 1.2: its transformer STDiT3, its two-part autoencoder, and its rectified flow behind a backbone's protocol.

Written from the published description of hpcaitech/Open-Sora v1.2.0; tensors bear the names of its checkpoints.
"""

from components.backbones.open_sora.backbone import make_twin
from components.backbones.open_sora.outline import outline
from components.backbones.open_sora.published import describe, load

__all__ = ("describe", "load", "make_twin", "outline")
