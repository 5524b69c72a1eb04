"""CogVideoX-5b-I2V behind the protocol of a backbone."""

from components.backbones.cogvideox.backbone import make_twin
from components.backbones.cogvideox.outline import outline
from components.backbones.cogvideox.published import describe, load

__all__ = ("describe", "load", "make_twin", "outline")
