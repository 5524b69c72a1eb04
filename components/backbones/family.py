"""What a folder of this package gives: a family of video diffusion models, as a tiny twin and as published.

A backbone NAME of params.yaml is the package `components.backbones.NAME`. Its `__init__` has the four functions of
`Family`; another backbone is one such package, which may be one file as `ltx_video` is, and an entry in
`components.parameters.backbones`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from components.backbones.base import Backbone, Codec, TextEncoder
from components.backbones.hub import PublishedFiles
from components.backbones.laptop_latents import PATCH
from components.backbones.outline import Outline
from components.errors import Phys4dError


@dataclass(frozen=True, kw_only=True)
class VideoShape:
    """The videos that a model is made for: T frames of height x width pixels at `fps`."""

    frames: int
    height: int
    width: int
    fps: float


@dataclass(frozen=True, kw_only=True)
class TwinShape:
    """All that decides a tiny twin's transformer but its weights.

    layers, heads, head_width: of the transformer; time_shift: factor on sigma over alpha of its noise levels, above 1
    towards noise; channels: C of its latents; text_width, text_tokens: of its captions.
    """

    layers: int
    heads: int
    head_width: int
    time_shift: float
    channels: int
    text_width: int
    text_tokens: int
    video: VideoShape

    @property
    def latent_size(self) -> tuple[int, int]:
        """h and w of its latents, which are the laptop's."""
        return self.video.height // PATCH, self.video.width // PATCH


class Family(Protocol):
    """The functions of a backbone's package."""

    def make_twin(self, shape: TwinShape, *, seed: int) -> Backbone:
        """A tiny twin of the published classes, its weights drawn from `seed`; it is a diffusers ModelMixin."""
        ...

    def outline(self, video: VideoShape) -> Outline:
        """The published model without its values, for videos of one shape; nothing is downloaded."""
        ...

    def describe(self, source: str, revision: str | None) -> Mapping[str, PublishedFiles]:
        """The published weights by part, on the hub or in a folder; large files are not downloaded.

        ParametersError when they are not this family's.
        """
        ...

    def load(self, parts: Mapping[str, PublishedFiles], video: VideoShape) -> tuple[Backbone, Codec, TextEncoder]:
        """What `describe` found, for videos of one shape; downloaded where need be and held against its sha256s."""
        ...


def family(name: str) -> Family:
    """The family of that name; Phys4dError when there is no such package."""
    try:
        return cast("Family", import_module(f"{__package__}.{name}"))
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.{name}":
            raise
        raise Phys4dError(f"no backbone {name!r}: expected a package of {__package__}") from error
