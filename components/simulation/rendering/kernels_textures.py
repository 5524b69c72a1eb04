"""Procedural textures and what else a scene looks like.

Patterns are averaged over a sub-sample's footprint, which keeps a fine pattern far away from shimmering (the filtered
square wave is I. Quilez's).
"""
# The kernel language is Warp's, and Warp's compiler checks its types.
# mypy: ignore-errors
# ruff: noqa: UP018

import warp as wp

wp.set_module_options({"enable_backward": False})

PLAIN = wp.constant(0)
CHECKER = wp.constant(1)
STRIPES = wp.constant(2)
NOISE = wp.constant(3)

SOFTNESS = wp.constant(0.01)  # of half a period: the least footprint
MIX_ONE = wp.constant(wp.uint32(0x7FEB352D))
MIX_TWO = wp.constant(wp.uint32(0x846CA68B))

# Temperature colours, linear: what a dark grey body adds to its own colour as it gets hotter, from 0 to 1.
RED_AT, ORANGE_AT = wp.constant(0.4), wp.constant(0.7)
RED = wp.constant(wp.vec3(0.42, 0.015, 0.005))
ORANGE = wp.constant(wp.vec3(0.85, 0.17, 0.005))
YELLOW = wp.constant(wp.vec3(0.95, 0.62, 0.06))
GLANCING = wp.constant(0.5)  # of it remains where a surface is seen along itself: shows its shape


@wp.struct
class Look:
    """Textures of all bodies, and at most three directional lights."""

    patterns: wp.array[wp.int32]
    colours: wp.array[wp.vec3]
    second_colours: wp.array[wp.vec3]
    periods: wp.array[wp.float32]
    lights: wp.array[wp.vec3]  # unit vectors towards the lights, no component 0
    inverse_lights: wp.array[wp.vec3]  # 1 over each component
    intensities: wp.array[wp.float32]
    ambient: wp.float32
    horizon: wp.vec3
    zenith: wp.vec3


@wp.func
def glow(heat: wp.float32, cosine: wp.float32):
    """Light that a surface adds at a share of heat: black, red, orange, yellow; cosine: of its normal and the ray."""
    colour = wp.lerp(ORANGE, YELLOW, wp.clamp((heat - ORANGE_AT) / (1.0 - ORANGE_AT), 0.0, 1.0))
    if heat < RED_AT:
        colour = RED * wp.max(heat / RED_AT, 0.0)
    elif heat < ORANGE_AT:
        colour = wp.lerp(RED, ORANGE, (heat - RED_AT) / (ORANGE_AT - RED_AT))
    return colour * wp.lerp(GLANCING, 1.0, wp.abs(cosine))


@wp.func
def square_wave(x: wp.float32, width: wp.float32):
    """Mean over [x - width/2, x + width/2] of a wave that is +1 on [0, 1), -1 on [1, 2), and so on."""
    wide = wp.max(width, SOFTNESS)
    upper = (x + 0.5 * wide) * 0.5
    lower = (x - 0.5 * wide) * 0.5
    rise = wp.abs(lower - wp.floor(lower) - 0.5) - wp.abs(upper - wp.floor(upper) - 0.5)
    return 2.0 * rise / wide


@wp.func
def lattice(x: wp.int32, y: wp.int32, z: wp.int32):
    """A pseudo-random number 0..1 of a lattice point (multiply and mix, after H. Wellons' lowbias32)."""
    key = wp.uint32(x) * wp.uint32(73856093) ^ wp.uint32(y) * wp.uint32(19349663) ^ wp.uint32(z) * wp.uint32(83492791)
    key = (key ^ (key >> wp.uint32(16))) * MIX_ONE
    key = (key ^ (key >> wp.uint32(15))) * MIX_TWO
    return float(key >> wp.uint32(8)) * (1.0 / 16777216.0)


@wp.func
def value_noise(x: wp.vec3):
    """Smooth noise 0..1: lattice values, interpolated with a cubic."""
    i = wp.int32(wp.floor(x[0]))
    j = wp.int32(wp.floor(x[1]))
    k = wp.int32(wp.floor(x[2]))
    a = wp.smoothstep(0.0, 1.0, x[0] - float(i))
    b = wp.smoothstep(0.0, 1.0, x[1] - float(j))
    c = wp.smoothstep(0.0, 1.0, x[2] - float(k))
    near = wp.lerp(
        wp.lerp(lattice(i, j, k), lattice(i + 1, j, k), a),
        wp.lerp(lattice(i, j + 1, k), lattice(i + 1, j + 1, k), a),
        b,
    )
    far = wp.lerp(
        wp.lerp(lattice(i, j, k + 1), lattice(i + 1, j, k + 1), a),
        wp.lerp(lattice(i, j + 1, k + 1), lattice(i + 1, j + 1, k + 1), a),
        b,
    )
    return wp.lerp(near, far, c)


@wp.func
def fractal_noise(x: wp.vec3, width: wp.vec3):
    """Three octaves of noise as a share 0..1; an octave finer than the footprint fades out."""
    footprint = 0.5 * (width[0] + width[1] + width[2])  # of a surface seen aslant: between its long and its short side
    value = float(0.5)
    frequency = float(1.0)
    amplitude = float(1.0)
    for _ in range(3):
        fade = 1.0 - wp.smoothstep(0.4, 1.6, footprint * frequency)
        if fade > 0.0:
            value += fade * amplitude * (value_noise(x * frequency) - 0.5)
        frequency *= 2.0
        amplitude *= 0.6
    return wp.smoothstep(0.15, 0.85, value)


@wp.func
def texture(look: Look, body: wp.int32, reference: wp.vec3, width: wp.vec3):
    """Albedo of a body at a point in its own coordinates, averaged over a box of `width`."""
    colour = look.colours[body]
    pattern = look.patterns[body]
    cells = 2.0 / look.periods[body]
    x = reference * cells
    wide = width * cells
    share = float(0.0)
    if pattern == CHECKER:
        share = 0.5 - 0.5 * square_wave(x[0], wide[0]) * square_wave(x[1], wide[1]) * square_wave(x[2], wide[2])
    elif pattern == STRIPES:
        # slanted, so that no face of a box and no plane of the world is parallel to them
        slant = wp.vec3(2.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0)
        share = 0.5 - 0.5 * square_wave(wp.dot(x, slant), wp.dot(wide, slant))
    elif pattern == NOISE:
        share = fractal_noise(x, wide)
    return wp.lerp(colour, look.second_colours[body], share)
