"""How dynamic things look: coloured, each scene's in different hues, before a static world that is grey.

By that the judge of the evaluation tells them apart.
"""

import numpy as np

from components.simulation.scene import Colour, Pattern, Texture

COLOURS: dict[str, Colour] = {  # hues at least 20 degrees apart
    "red": (0.72, 0.02, 0.03),
    "orange": (0.88, 0.24, 0.01),
    "yellow": (0.80, 0.62, 0.02),
    "green": (0.04, 0.45, 0.06),
    "blue": (0.03, 0.09, 0.75),
    "purple": (0.30, 0.03, 0.55),
}
STONE = Texture(pattern=Pattern.NOISE, colour=(0.25,) * 3, second_colour=(0.18,) * 3, scale=0.4)
SECOND_GREY, GRAIN = 0.7, 0.4  # of static things: the second grey over the first, and the pattern's period in metres
SECOND_COLOUR = 0.5  # of the first: the same hue, darker


def draw_colours(rng: np.random.Generator, count: int) -> list[str]:
    """`count` different colours."""
    return [str(name) for name in rng.choice(list(COLOURS), size=count, replace=False)]


def coloured(name: str, pattern: Pattern, *, scale: float = 0.5) -> Texture:
    """A pattern of the colour `name` and a darker one of the same hue; `scale` as in Texture."""
    red, green, blue = COLOURS[name]
    darker = (red * SECOND_COLOUR, green * SECOND_COLOUR, blue * SECOND_COLOUR)
    return Texture(pattern=pattern, colour=(red, green, blue), second_colour=darker, scale=scale)


def plain_grey(grey: float) -> Texture:
    """Of static things; never quite flat."""
    return Texture(pattern=Pattern.NOISE, colour=(grey,) * 3, second_colour=(SECOND_GREY * grey,) * 3, scale=GRAIN)
