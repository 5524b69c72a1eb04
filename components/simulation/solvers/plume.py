"""Puffs of warm or cold smoke in a closed tank of air: the air by `boussinesq`, motes that drift with it."""

from itertools import pairwise

import numpy as np
from scipy.ndimage import map_coordinates

from components.simulation.rotations import vec3
from components.simulation.scene import IDENTITY, Body, FloatArray, Motion, Scene, Thing
from components.simulation.solvers.boussinesq import Air
from components.simulation.solvers.surfaces import Surface, assemble, static_surface
from components.simulation.things.particles import particle_surface
from components.simulation.things.smoke import AIR_TEMPERATURE, Smoke
from components.simulation.things.tank import Tank

CELL = 0.07  # metres
FASTEST, COURANT = 2.5, 0.5  # m/s the air may move, and cells it then moves in a step
SUBDIVISIONS = 0  # of the motes' spheres
LUKEWARM, YELLOW = 0.3, 80.0  # place of the air's own temperature in the temperature colours, and K up to their end


class Smoky:
    """A tank of air with smoke in it, under way."""

    def __init__(self, tank: Tank, puffs: list[Smoke], *, gravity: FloatArray, fps: int) -> None:
        shape = np.maximum(np.round(np.array(tank.size) / CELL).astype(int), 4)
        self._lower, self._upper, self._cell = tank.lower, tank.upper, np.array(tank.size) / shape
        self.steps = int(np.ceil(1 / fps * FASTEST / (COURANT * float(self._cell.min()))))
        self._dt = 1 / fps / self.steps
        index = np.stack(np.meshgrid(*[np.arange(n) + 0.5 for n in shape], indexing="ij"), axis=-1)
        centres = self._lower + index * self._cell
        excess = np.zeros(shape)
        for puff in puffs:
            inside = (puff.size - np.linalg.norm(centres - puff.position, axis=-1)) / float(self._cell.mean()) + 0.5
            excess += puff.excess * np.clip(inside, 0.0, 1.0)
        self.air = Air(excess, cell=self._cell, expansion=1 / AIR_TEMPERATURE, gravity=vec3(gravity), dt=self._dt)
        self.points = np.concatenate([puff.points for puff in puffs])
        self._gap = np.repeat([puff.radius for puff in puffs], [len(puff.points) for puff in puffs])[:, None]

    def step(self) -> None:
        """One step of the air, and of the motes by the midpoint rule."""
        self.air.step()
        half = self._kept(self.points + self._dt / 2 * self.velocity(self.points))
        self.points = self._kept(self.points + self._dt * self.velocity(half))

    def _kept(self, points: FloatArray) -> FloatArray:
        """Points (P,3) within the panes."""
        return np.clip(points, self._lower + self._gap, self._upper - self._gap)

    def velocity(self, points: FloatArray) -> FloatArray:
        """Of the air at points (P,3), in m/s: linear between faces."""
        place = ((points - self._lower) / self._cell).T
        offset = 0.5 * (1 - np.eye(3))
        return np.stack(
            [_read(faces, place - offset[axis][:, None]) for axis, faces in enumerate(self.air.faces)], axis=1
        )

    def excess(self) -> FloatArray:
        """Of the air at the motes (P,), in K: linear between cells."""
        return _read(self.air.cells[3], ((self.points - self._lower) / self._cell).T - 0.5)


def simulate(scene: Scene) -> Motion:
    """Solve a scene of puffs of smoke in a tank. Raises ValueError where something else moves or no tank is there."""
    puffs = [thing for thing in scene.bodies if isinstance(thing, Smoke)]
    tanks = [thing for thing in scene.bodies if isinstance(thing, Tank)]
    if len(tanks) != 1 or len(puffs) < sum(thing.dynamic for thing in scene.bodies):
        names = ", ".join(thing.name for thing in scene.bodies)
        raise ValueError(f"the scene holds {names}; expected puffs of smoke and one tank")
    flow = Smoky(tanks[0], puffs, gravity=np.array(scene.gravity), fps=scene.fps)
    count = len(flow.points)
    positions, speeds = np.empty((2, scene.frames, count, 3))
    excess = np.empty((scene.frames, count))
    for frame in range(scene.frames):
        if frame > 0:
            for _ in range(flow.steps):
                flow.step()
        positions[frame], speeds[frame], excess[frame] = flow.points, flow.velocity(flow.points), flow.excess()
    return _motion(scene, puffs, positions, speeds, excess)


def _motion(scene: Scene, puffs: list[Smoke], positions: FloatArray, speeds: FloatArray, excess: FloatArray) -> Motion:
    starts = np.cumsum([0] + [len(puff.points) for puff in puffs])
    parts = {id(puff): slice(*pair) for puff, pair in zip(puffs, pairwise(starts), strict=True)}
    shares = np.clip(LUKEWARM + (1 - LUKEWARM) * excess / YELLOW, 0.0, 1.0)
    states = np.zeros((scene.frames, len(puffs), 13))
    for column, puff in enumerate(puffs):
        own = parts[id(puff)]
        states[:, column, :3], states[:, column, 3:7] = positions[:, own].mean(axis=1), IDENTITY
        states[:, column, 7:10] = speeds[:, own].mean(axis=1)
    surfaces = []
    for thing in scene.bodies:
        own = parts.get(id(thing), slice(0, 0))
        surfaces.append(_surface(thing, positions[:, own], shares[:, own]))
    return assemble(surfaces, states)


def _surface(thing: Thing, centres: FloatArray, shares: FloatArray) -> Surface:
    if isinstance(thing, Smoke):
        return particle_surface(thing, centres, subdivisions=SUBDIVISIONS, heat=shares)
    if isinstance(thing, Tank):
        return thing.surface(len(centres))
    if not isinstance(thing, Body):
        raise TypeError(f"{thing.name} is a {type(thing).__name__}, expected a Body")
    return static_surface(thing, len(centres))


def _read(values: FloatArray, place: FloatArray) -> FloatArray:
    return np.asarray(map_coordinates(values, place, order=1, mode="nearest"), np.float64)
