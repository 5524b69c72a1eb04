"""What captions say of syrup, smoke, bimetal strips and temperature colours: wordings that would fill a family's file.

The colours are painted by temperature, and begin far below where metals glow.
"""

SYRUP = {
    "column": (
        "a column of thick {colour} syrup, {height:.1f} metres high, stands on a grey floor.",
        "on a grey floor stands {colour} syrup, as a column {height:.1f} metres tall.",
        "a round {height:.1f} metre pillar of slow {colour} syrup on the floor.",
    ),
    "ball": (
        "a ball of thick {colour} syrup in the air, {height:.1f} metres above a grey floor.",
        "{height:.1f} metres over a grey floor there is a ball of {colour} syrup.",
        "above a grey floor, at {height:.1f} metres, a round blob of slow {colour} syrup.",
    ),
}
SMOKE = {
    1: (
        "a puff of smoke, {how}, hangs in the still air of a glass tank.",
        "in a closed glass tank of still air there is one round puff of smoke, {how}.",
        "a glass tank of air with a ball of smoke in it that is {how}.",
    ),
    2: (
        "two puffs of smoke in a glass tank of still air: the {first} one is {how}, the other {then}.",
        "in the still air of a glass tank hang two balls of smoke, the {first} one {how}, the other {then}.",
    ),
}
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
