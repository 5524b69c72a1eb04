"""Bimetal strips: heat along them by finite volumes, their shape by the elastica they are at rest in at every moment.

At rest, because heating takes longer than a strip's slowest swing (.3 to .5 s): what that leaves out is a swing of 2 to
6 % of the way. A strip is made so that it is straight under its own weight when cold; its weight then acts against what
heat bends. Sideways, where it is thousands of times as stiff, it does not bend. All is serial: same scene, same bytes.
"""

import numpy as np

from components.simulation.scene import IDENTITY, Body, FloatArray, Motion, Scene, Vec3
from components.simulation.solvers.bimetal_surface import strip_surface
from components.simulation.solvers.conduction import Bar
from components.simulation.solvers.surfaces import assemble, static_surface
from components.simulation.things.strip import Strip

CELLS = 96  # of a strip
STEPS = 8  # of a frame
ONSET = 0.4  # s in which the current rises: about a swing of a strip, which it therefore hardly excites
SETTLED, MOST_ROUNDS = 1e-10, 200  # radians between two rounds of the elastica, and rounds


def simulate(scene: Scene) -> Motion:
    """Solve a scene of strips. Raises TypeError where something else in it moves, RuntimeError as `elastica`."""
    surfaces, states = [], []
    for thing in scene.bodies:
        if isinstance(thing, Strip):
            temperatures = strip_temperatures(thing, frames=scene.frames, fps=scene.fps)
            points, normals = np.stack([_centreline(thing, now, scene.gravity) for now in temperatures], axis=1)
            surfaces.append(strip_surface(thing, points, normals, _heat(thing, temperatures)))
            states.append(_state(points, scene.fps))
        elif isinstance(thing, Body) and not thing.dynamic:
            surfaces.append(static_surface(thing, scene.frames))
        else:
            raise TypeError(f"{thing.name} is a {type(thing).__name__} that moves, expected strips and static bodies")
    return assemble(surfaces, np.stack(states, axis=1))


def strip_temperatures(strip: Strip, *, frames: int, fps: int) -> FloatArray:
    """Degrees C (T,CELLS) of the cells from the clamp on."""
    dt = 1 / fps / STEPS
    bar = Bar(
        np.full(CELLS, strip.cold),
        length=strip.length,
        conductivity=strip.conductivity,
        capacity=strip.capacity,
        ends=(strip.cold, None),
        dt=dt,
    )
    place = (np.arange(CELLS) + 0.5) / CELLS
    carries = (place >= strip.heated[0]) & (place <= strip.heated[1])
    found = [bar.temperature]
    for step in range((frames - 1) * STEPS):
        current = min(1.0, (step + 0.5) * dt / ONSET)
        regulated = max(0.0, 1 - float(np.max(bar.temperature) - strip.cold) / (strip.hot - strip.cold))
        bar.step(strip.capacity * strip.rate * current * regulated * carries.astype(np.float64))
        found.append(bar.temperature)
    return np.stack(found[::STEPS])


def elastica(
    natural: FloatArray, *, length: float, rigidity: float, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Points (N+1,2) and angles (N+1,) of a clamped planar strip of N cells with natural curvatures (N,).

    It leaves the origin along (1, 0); weight (2,) in N/m and rigidity in N m, both for a metre of width. The bending
    moment of all that hangs beyond a place is rigidity times what curvature differs there from the natural one.
    Raises RuntimeError where the weight is too much for a solution to be found.
    """
    cell = length / len(natural)
    curvature = natural
    for _ in range(MOST_ROUNDS):
        angles, points = _arcs(curvature, cell)
        previous, curvature = curvature, natural + _moment(points, cell=cell, weight=weight) / rigidity
        if np.abs(np.cumsum(curvature - previous)).max() * cell < SETTLED:
            return points, angles
    raise RuntimeError(f"a strip of {length:.2f} m found no rest under its weight: expected a thicker or a shorter one")


def _arcs(curvature: FloatArray, cell: float) -> tuple[FloatArray, FloatArray]:
    """Angles (N+1,) and points (N+1,2) of circular arcs, one a cell, that join smoothly."""
    angles = np.concatenate([[0.0], np.cumsum(curvature * cell)])
    middle = (angles[1:] + angles[:-1]) / 2
    chord = cell * np.sinc(curvature * cell / (2 * np.pi))
    points = np.cumsum(np.stack([chord * np.cos(middle), chord * np.sin(middle)], axis=1), axis=0)
    return angles, np.concatenate([np.zeros((1, 2)), points])


def _moment(points: FloatArray, *, cell: float, weight: FloatArray) -> FloatArray:
    """Bending moment (N,) about every cell's middle, in N for a metre of width, of the weight of the cells beyond."""
    middles = (points[1:] + points[:-1]) / 2
    cells_beyond = np.arange(len(middles) - 1, -1, -1)[:, None]
    arms = np.cumsum(middles[::-1], axis=0)[::-1] - middles - cells_beyond * middles
    return np.asarray(cell * (arms[:, 0] * weight[1] - arms[:, 1] * weight[0]), np.float64)


def _centreline(strip: Strip, temperature: FloatArray, gravity: Vec3) -> FloatArray:
    """Points and unit normals towards the second metal (2,N+1,3) of the strip at the temperatures (N,) of its cells."""
    weight, cell = strip.weight(gravity), strip.length / CELLS
    straight = np.stack([np.linspace(0.0, strip.length, CELLS + 1), np.zeros(CELLS + 1)], axis=1)
    natural = strip.curvature(temperature) - _moment(straight, cell=cell, weight=weight) / strip.rigidity
    points, angles = elastica(natural, length=strip.length, rigidity=strip.rigidity, weight=weight)
    axes = np.array([strip.along, strip.towards])
    normals = np.stack([-np.sin(angles), np.cos(angles)], axis=1)
    return np.stack([np.array(strip.root) + points @ axes, normals @ axes])


def _heat(strip: Strip, temperatures: FloatArray) -> FloatArray:
    """Place in the temperature colours (T,N+1) between the cells."""
    ends = temperatures[:, :1], temperatures[:, -1:]
    between = np.concatenate([ends[0], (temperatures[:, 1:] + temperatures[:, :-1]) / 2, ends[1]], axis=1)
    return np.clip((between - strip.cold) / (strip.hot - strip.cold), 0.0, 1.0)


def _state(points: FloatArray, fps: int) -> FloatArray:
    """State (T,13) of the centre of mass of strips with points (T,N+1,3)."""
    centres = ((points[:, 1:] + points[:, :-1]) / 2).mean(axis=1)
    states = np.zeros((len(points), 13))
    states[:, :3], states[:, 3:7] = centres, IDENTITY
    states[:, 7:10] = np.gradient(centres, 1 / fps, axis=0)
    states[0, 7:10] = 0.0
    return states
