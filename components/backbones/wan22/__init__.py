"""Wan2.2-TI2V behind the protocol of a backbone."""

from components.backbones.wan22.backbone import make_twin
from components.backbones.wan22.outline import outline
from components.backbones.wan22.published import describe, load

__all__ = ("describe", "load", "make_twin", "outline")
