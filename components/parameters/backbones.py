"""The backbones of params.yaml: their sections, and which videos each of them takes.

Another backbone has an entry in `FAMILIES`, a field of `Backbones`, a section in params.yaml, and a package of its own
name in `components.backbones`: docs/backbones.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from components.parameters.fields import Section

TINY = "tiny"
LAPTOP_STRIDE, PATCH = 8, 2  # pixels of a latent pixel of the laptop's latents, and those of a token


@dataclass(frozen=True, kw_only=True)
class Size:
    """One size of a family, and the videos it takes.

    source: a hub id to name where a user names none; "": the pipeline trains it. token: pixels of a token along height
    and width. frames: (step, over, most), T = step k + over and at most `most`; side: most pixels, 0 for any; native:
    the only frames, height and width there are, where positions are learned.
    """

    source: str = ""
    token: int
    frames: tuple[int, int, int]
    side: int = 0
    native: tuple[int, int, int] | None = None


def _twin(*, frames: tuple[int, int, int] = (4, 1, 1025), side: int = 0) -> Size:
    """A tiny twin, whose latents are the laptop's: a frame, then four by four."""
    return Size(token=LAPTOP_STRIDE * PATCH, frames=frames, side=side)


FAMILIES: Mapping[str, Mapping[str, Size]] = {
    "wan22": {
        TINY: _twin(frames=(4, 1, 1021), side=4096),  # 256 positions of its rotary embedding along each axis
        "5b": Size(source="Wan-AI/Wan2.2-TI2V-5B-Diffusers", token=32, frames=(4, 1, 1025)),
    },
    "cogvideox": {
        TINY: _twin(),
        "5b": Size(source="THUDM/CogVideoX-5b-I2V", token=16, frames=(8, 1, 1025), native=(49, 480, 720)),
    },
    "open_sora": {
        TINY: _twin(frames=(17, 0, 17)),  # one chunk: the laptop's latents know no second one
        "1b": Size(source="hpcai-tech/OpenSora-STDiT-v3", token=16, frames=(17, 0, 1020)),
    },
    "ltx_video": {
        TINY: Size(token=LAPTOP_STRIDE, frames=(4, 1, 1025)),  # a token is a latent pixel
        "2b": Size(source="Lightricks/LTX-Video", token=32, frames=(8, 1, 257)),
    },
}


class Tiny(Section):
    """The tiny twin's transformer: the published class, less of everything."""

    layers: Annotated[int, Field(ge=1, le=48)]  # of open_sora: pairs of blocks
    heads: Annotated[int, Field(ge=1, le=64)]
    head_width: Annotated[int, Field(ge=16, le=256, multiple_of=16)]  # rotary embeddings split it by three axes
    time_shift: Annotated[float, Field(gt=0, le=100)]  # factor on sigma over alpha of its noise levels


class BackboneParams(Section):
    """One backbone: `tiny` is a twin of the same classes."""

    size: str
    source: str | None  # of published weights: hub id or folder; a twin has none
    revision: str | None
    tiny: Tiny


class Backbones(Section):
    """The backbones there are."""

    wan22: BackboneParams
    cogvideox: BackboneParams
    open_sora: BackboneParams
    ltx_video: BackboneParams


def _known(names: list[str]) -> list[str]:
    for name in names:
        if name not in FAMILIES:
            raise ValueError(f"unknown backbone {name[:40]!r}, expected one of {', '.join(FAMILIES)}")
    if len(set(names)) < len(names):
        raise ValueError(f"{names} names a backbone twice: write each once")
    return names


class Pipeline(Section):
    """What the graph is made of."""

    backbones: Annotated[list[str], Field(min_length=1), AfterValidator(_known)]
