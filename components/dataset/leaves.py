"""What was drawn, leaf by leaf: the numbers and words of nested parameters under readable names, with their units.

A list of up to four numbers is a vector: its components are leaves of their own. Every other list is a collection of
like things, whose leaves are pooled.
"""

from collections.abc import Iterator, Mapping

AXES = ("x", "y", "z", "w")
VECTORS = (
    *("position", "place", "orientation", "velocity", "direction", "gravity"),
    *("pivot", "wind", "axis", "point", "centre"),
)
IDLE = ("seed",)  # numbers that say nothing
UNITS = {  # by the last word of a name, or the last two
    name: unit
    for unit, names in {
        "kg/m³": ("density",),
        "kg/m²": ("fabric density", "envelope density"),
        "kg/m": ("per metre",),
        "kg": ("mass",),
        "m": (
            *("position", "place", "pivot", "x", "distance", "offset", "gap", "clearance", "spacing", "floor scale"),
            *("size", "half extent", "radius", "diameter", "height", "length", "width", "depth", "thickness"),
        ),
        "m/s": ("velocity", "speed", "wind"),
        "m/s²": ("gravity",),
        "N/m": ("fabric stiffness", "envelope stiffness"),
        "Pa s": ("viscosity",),
        "s": ("seconds",),
        "°": ("angle", "yaw", "lean", "tilt", "azimuth", "elevation", "pitch", "roll", "orbit", "of view"),
        "°/s": ("spin", "rate"),
    }.items()
    for name in names
}
Leaf = tuple[str, float | str]


def leaves(name: str, value: object) -> Iterator[Leaf]:
    """Every leaf of `value` as (name, number or word); nothing is a leaf where nothing was drawn."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            word = str(key).replace("_", " ")
            if word not in IDLE:
                yield from leaves(f"{name} {word}" if name else word, member)
    elif isinstance(value, list | tuple):
        if value and all(_is_number(member) for member in value) and len(value) <= len(AXES):
            one = _singular(name)
            axes = AXES if one.rsplit(" ", 1)[-1] in VECTORS else "1234"
            for axis, member in zip(axes, value, strict=False):
                yield f"{one} {axis}", float(member)
        else:
            for member in value:
                yield from leaves(_singular(name), member)
    elif _is_number(value):
        yield name, float(value)  # type: ignore[arg-type]
    elif isinstance(value, str | bool):
        yield name, str(value).lower() if isinstance(value, bool) else value


def unit_of(name: str) -> str:
    """The unit of a leaf where its name says it; nothing where it does not."""
    words = name.split()
    if len(words) > 1 and words[-1] in (*AXES, *"1234"):
        words = words[:-1]
    return UNITS.get(" ".join(words[-2:])) or UNITS.get(words[-1] if words else "", "")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
