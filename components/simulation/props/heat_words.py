"""What captions say of bimetal strips, and of temperature colours.

The colours are painted by temperature, and begin far below where metals glow.
"""

STRIP = "strip of {metal} on invar, {length:.1f} metres"
CLAMPED = {
    "lying": (
        f"a level {STRIP} long, sticks out to the {{free}} of a grey clamp, the {{metal}} on its {{lower}} side.",
        f"a grey clamp holds a level {STRIP} long, that reaches to the {{free}}; the {{metal}} is its {{lower}} layer.",
    ),
    "standing": (
        f"a {STRIP} tall, stands upright in a grey clamp on the floor, with the {{metal}} on the {{lower}}.",
        f"on the floor, a clamp holds an upright {STRIP} tall; on the {{lower}} it is {{metal}}.",
    ),
    "hanging": (
        f"from a clamp under a grey beam hangs a {STRIP} long; the {{metal}} is on the {{lower}}.",
        f"a {STRIP} long, hangs down from a grey beam, with its {{metal}} on the {{lower}}.",
    ),
}
CURRENT = (
    "An electric current through {part} has just been switched on.",
    "A current begins to heat {part}.",
    "Just now {part} begins to carry a strong electric current.",
)
COLOURS = (
    "Colour shows temperature: dark is cold and yellow is hot.",
    "Dark is cold, red is warm and yellow is hot.",
    "The colours are those of temperature, from dark to red to yellow.",
    "What is cold is dark, what is hot is red or yellow.",
)
