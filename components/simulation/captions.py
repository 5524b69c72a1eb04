"""Sentences about a scene's first frame: what is there and how it moves; never what will come of it."""

import re
from collections.abc import Iterable, Sequence

import numpy as np

from components.simulation.scene import Captions, FloatArray, Thing, Vec3

BEFORE_VOWEL = re.compile(r"\b([Aa]) (?=[aeiou])")  # in wordings that a colour is filled into
NOTED = 0.25  # share of the whole from which a part of a velocity is put into words

AT_REST = (
    "Everything is at rest at first.",
    "At the start nothing moves.",
    "All is still in the first frame.",
    "In the first frame everything is at rest.",
)


def article(phrase: str) -> str:
    """The phrase with a or an."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def choose(rng: np.random.Generator, wordings: Sequence[str]) -> str:
    """One of the wordings."""
    return wordings[int(rng.integers(len(wordings)))]


def write_captions(
    rng: np.random.Generator,
    *,
    extrinsics: FloatArray,
    sentences: Sequence[str],
    objects: Iterable[tuple[str, Thing]],
) -> Captions:
    """`sentences` say what is there; `objects` gives the phrase of every dynamic thing, at rest or not.

    Directions are those seen by the camera of `extrinsics` (4,4); the choice of words is the same for every camera.
    """
    caption = BEFORE_VOWEL.sub(r"\1n ", " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences))
    motions = [
        f"The {phrase} starts at {np.linalg.norm(body.velocity):.2f} m/s "
        f"{direction(seen(extrinsics, body.position, body.velocity))}."
        for phrase, body in objects
        if any(body.velocity)
    ]
    return Captions(caption=caption, caption_initial=" ".join([caption, *(motions or [choose(rng, AT_REST)])]))


def describe(
    rng: np.random.Generator,
    extrinsics: FloatArray,
    wordings: Sequence[Sequence[str]],
    objects: Iterable[tuple[str, Thing]],
    /,
    **words: object,
) -> Captions:
    """A sentence from each of `wordings`, filled in with `words`; the rest as in `write_captions`."""
    sentences = [choose(rng, each).format(**words) for each in wordings]
    return write_captions(rng, extrinsics=extrinsics, sentences=sentences, objects=objects)


def with_orbit(rng: np.random.Generator, captions: Captions, degrees: float) -> Captions:
    """The captions of a scene whose camera orbits it; above 0 degrees to the camera's right."""
    side, far = "right" if degrees > 0 else "left", f"{abs(degrees):.1f} degrees"
    sentence = choose(
        rng,
        (
            f"The camera circles the scene to the {side}, by {far}.",
            f"Meanwhile the camera moves {far} around the scene, to the {side}.",
            f"The camera orbits to the {side} by {far} and keeps looking at the same place.",
        ),
    )
    return Captions(caption=captions.caption, caption_initial=f"{captions.caption_initial} {sentence}")


def seen(extrinsics: FloatArray, position: Vec3, velocity: Vec3) -> Vec3:
    """How a velocity at a place looks through a camera: to the right in the picture, away in depth, up in the world.

    The pixel of a point (X, Y, Z) of the camera moves as f (X' - X / Z * Z') / Z: the first part is the bracket.
    """
    x, _, depth = extrinsics[:3, :3] @ position + extrinsics[:3, 3]
    across, _, away = extrinsics[:3, :3] @ velocity
    return (float(across - x / depth * away), float(away), velocity[2])


def side(extrinsics: FloatArray, position: Vec3, way: Vec3) -> str:
    """On which side of a place something is in the picture that lies from there in the direction of `way`."""
    return "right" if seen(extrinsics, position, way)[0] > 0 else "left"


def direction(parts: Vec3) -> str:
    """What `seen` gives, in words."""
    whole = float(np.linalg.norm(parts))
    words = [
        word
        for part, positive, negative in zip(
            parts,
            ("to the right", "away from the camera", "up"),
            ("to the left", "towards the camera", "down"),
            strict=True,
        )
        for word in ((positive if part > 0 else negative),)
        if abs(part) > NOTED * whole
    ]
    return " and ".join(words)
