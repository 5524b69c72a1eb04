"""Shapes of twins and of videos small enough for tests."""

from dataclasses import replace
from typing import Any

from components.backbones.family import TwinShape, VideoShape

VIDEO = VideoShape(frames=9, height=32, width=32, fps=8.0)
SHAPE = TwinShape(
    layers=2,
    heads=2,
    head_width=16,
    time_shift=3.0,
    channels=8,
    text_width=16,
    text_tokens=4,
    video=VIDEO,
)


def twin_shape(**changes: Any) -> TwinShape:  # noqa: ANN401 -- of any of its fields
    """SHAPE with changes."""
    return replace(SHAPE, **changes)
