"""Sentences about a scene's first frame: what is there and how it moves; never what will come of it."""

from collections.abc import Sequence

import numpy as np

from components.simulation.scene import Captions, Vec3

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
    rng: np.random.Generator, *, sentences: Sequence[str], moving: Sequence[tuple[str, Vec3]]
) -> Captions:
    """`sentences` say what is there; `moving` gives the phrase and velocity (m/s) of every object, at rest or not."""
    caption = " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)
    motions = [
        f"The {phrase} starts at {np.linalg.norm(velocity):.2f} m/s {direction(velocity)}."
        for phrase, velocity in moving
        if any(velocity)
    ]
    return Captions(caption=caption, caption_initial=" ".join([caption, *(motions or [choose(rng, AT_REST)])]))


def direction(velocity: Vec3) -> str:
    """A velocity in words, as seen by the camera of azimuth 0: x to the right, y away, z up."""
    speed = float(np.linalg.norm(velocity))
    words = [
        word
        for part, positive, negative in zip(
            velocity,
            ("to the right", "away from the camera", "up"),
            ("to the left", "towards the camera", "down"),
            strict=True,
        )
        for word in ((positive if part > 0 else negative),)
        if abs(part) > 0.25 * speed
    ]
    return " and ".join(words)
