"""Rules of the backbones that the graph is made of: sizes, sources, and videos that they take."""

from collections.abc import Iterator
from math import ceil

from components.parameters.backbones import FAMILIES, TINY, BackboneParams, Size
from components.parameters.rules.problem import Problem
from components.params import Params


def chosen(params: Params) -> Iterator[tuple[str, BackboneParams, Size]]:
    """The backbones of the graph whose size there is: name, section, and what the size takes."""
    for name in params.pipeline.backbones:
        section: BackboneParams = getattr(params.backbones, name)
        if size := FAMILIES[name].get(section.size):
            yield name, section, size


def check_sizes(params: Params) -> Iterator[Problem]:
    """Every backbone is of a size that there is."""
    for name, section in params.backbones:
        if section.size not in FAMILIES[name]:
            yield Problem(
                field=f"backbones.{name}.size",
                message=f"{section.size[:40]!r} is wrong, expected {' or '.join(FAMILIES[name])}",
            )


def check_frames(params: Params) -> Iterator[Problem]:
    """The autoencoder covers several frames by a latent."""
    frames = params.video.frames
    for name, section, size in chosen(params):
        step, over, most = size.frames
        if size.native:
            continue
        if frames % step != over or frames > most:
            nearest = min(most, max(step + over, step * round((frames - over) / step) + over))
            rule = f"{most}" if most == step + over else f"{step} k{f' + {over}' if over else ''}, at most {most}"
            yield Problem(
                field="video.frames",
                message=f"{frames} does not fit backbone {name} ({section.size}), expected {rule}: write {nearest}, or "
                f"leave {name} out of pipeline.backbones",
            )


def check_sides(params: Params) -> Iterator[Problem]:
    """Height and width are whole numbers of tokens."""
    for name, section, size in chosen(params):
        if size.native:
            continue
        for field, value in (("video.height", params.video.height), ("video.width", params.video.width)):
            least, most = 2 * size.token, size.side or value
            if value % size.token or value < least:
                yield Problem(
                    field=field,
                    message=f"{value} does not fit backbone {name} ({section.size}), expected a multiple of "
                    f"{size.token} (VAE stride x patch), at least {least}: write "
                    f"{max(least, size.token * ceil(value / size.token))}",
                )
            elif value > most:
                yield Problem(
                    field=field,
                    message=f"{value} is more than backbone {name} ({section.size}) has positions for: write {most} "
                    "at most",
                )


def check_native(params: Params) -> Iterator[Problem]:
    """A model whose positions are a learned table takes one shape of videos."""
    video = params.video
    for name, section, size in chosen(params):
        for field, found, expected in zip(
            ("frames", "height", "width"), (video.frames, video.height, video.width), size.native or (), strict=False
        ):
            if found != expected:
                yield Problem(
                    field=f"video.{field}",
                    message=f"{found} does not fit backbone {name} ({section.size}), whose positions are learned for "
                    f"{expected} alone: write {expected}, or leave {name} out of pipeline.backbones",
                )


def check_source(params: Params) -> Iterator[Problem]:
    """A published backbone comes from somewhere; a tiny twin comes from the graph."""
    for name, section in params.backbones:
        size = FAMILIES[name].get(section.size)
        if size and size.source and not section.source:
            yield Problem(
                field=f"backbones.{name}.source",
                message=f"nothing, expected a hub id or a folder: write {size.source}",
            )
        if section.size == TINY and (section.source or section.revision):
            published = next(other for other in FAMILIES[name] if other != TINY)
            yield Problem(
                field=f"backbones.{name}.source",
                message=f"{section.source or section.revision!r} is of no use to size tiny, which the pipeline trains: "
                f"leave source and revision empty, or write size: {published}",
            )
