"""Long-horizon plausibility: when a future leaves truth, what goes through what, energy from nowhere, what is lost.

Legend: T frames, K objects, P points, N points of a frame. Metres and seconds in the world, z upwards.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from components.evaluation.consistency.arrays import Floats, Measured, Sizes, Values
from components.evaluation.consistency.points import carried_forward
from components.evaluation.trajectories import permanence

DIVERGED = 0.05  # of the scene's size
DEEP = 0.02  # metres: a solver lets bodies in by less


def divergence_time(tracks: Values, truth: Values, *, fps: float, size: float) -> Measured:
    """Seconds until the mean distance of corresponded points first exceeds 5 % of the scene's `size` in metres.

    tracks, truth (T,P,3) in metres, of points or centres. The clip's whole length, (T - 1) / fps, when it never does:
    larger is better. A lost point (not finite) stays where it was seen last. None: one frame, no points, or no size.
    """
    sizes = Sizes()
    truth = sizes.truth("truth", truth, "T", "P", 3)
    tracks = sizes.floats("tracks", tracks, "T", "P", 3)
    if truth.shape[0] < 2 or truth.shape[1] == 0 or size <= 0:
        return None
    apart = np.linalg.norm(carried_forward(tracks, truth[0]) - truth, axis=-1).mean(axis=1)
    beyond = np.flatnonzero(apart > DIVERGED * size)
    return float(beyond[0] if len(beyond) else len(truth) - 1) / fps


def relative_divergence_time(tracks: Values, truth: Values, take2: Values, *, fps: float, size: float) -> Measured:
    """`divergence_time` over that of the second take from the first: 1 is as long as the world repeats itself.

    take2 (T,P,3) are the same points in the other take. Takes that never part, such as two that are equal, last for the
    whole clip. A take that is apart at once counts one frame. Above 1 the video is nearer to take 1 than take 2 is.
    """
    found = divergence_time(tracks, truth, fps=fps, size=size)
    spread = divergence_time(take2, truth, fps=fps, size=size)
    return None if found is None or spread is None else found / max(spread, 1 / fps)


def penetration_rate(
    objects: Mapping[int, Sequence[Values]],
    *,
    floor: float | None = 0.0,
    solid: Sequence[int] = (),
    deep: float = DEEP,
) -> Measured:
    """Share of frames of objects in which a point of it is deeper than `deep` metres in the floor or a solid object.

    objects: id to its points (N,3) of every frame, in metres; floor: height of the ground, None for none; solid: ids of
    convex bodies, each the convex hull of its own points. Points that are not finite are left out, a flat hull holds
    nothing. Slopes and other static things are not looked at. None: no object has a point in any frame.
    """
    clouds = {one: [_finite(points) for points in frames] for one, frames in objects.items()}
    found = []
    for one, frames in clouds.items():
        for frame, points in enumerate(frames):
            if not len(points):
                continue
            depths = [floor - float(points[:, 2].min())] if floor is not None else []
            others = [clouds[other][frame] for other in solid if other != one and frame < len(clouds.get(other, ()))]
            found.append(any(depth > deep for depth in depths) or any(_inside(points, body) > deep for body in others))
    return float(np.mean(found)) if found else None


def mechanical_energy(centres: Values, masses: Values, *, fps: float, gravity: Values) -> Floats:
    """Energy (T-1,) in joules of all objects between frames: sum of m |dx/dt|^2 / 2 - m g.x, x at the middle.

    centres (T,K,3) in metres; masses (K,) in kg; gravity (3,) in m/s^2. It is constant in free fall exactly. Rotation
    is not in it: centres do not show it. A lost centre (not finite) stays where it was seen last; one that is never
    seen has no energy.
    """
    sizes = Sizes()
    centres = sizes.floats("centres", centres, "T", "K", 3)
    masses = sizes.truth("masses", masses, "K")
    pull = sizes.truth("gravity", gravity, 3)
    centres = carried_forward(centres, _first_seen(centres))
    speed = np.linalg.norm(np.diff(centres, axis=0), axis=-1) * fps
    middle = (centres[:-1] + centres[1:]) / 2
    return np.asarray((masses * (speed**2 / 2 - middle @ pull)).sum(axis=1), np.float64)


def energy_drift(energy: Values, scale: float) -> Measured:
    """(last - first energy) / scale, with its sign: below 0 energy went, which contacts may; above 0 it came.

    energy (T-1,) and scale in joules, such as weight times the scene's size. None: fewer than two values, or no scale.
    """
    energy = Sizes().floats("energy", energy, "T-1")
    return float(energy[-1] - energy[0]) / scale if len(energy) >= 2 and scale > 0 else None


def energy_gain(energy: Values, scale: float) -> Measured:
    """(highest - first energy) / scale: what a scene that nobody drives must not have; 0 is best.

    Not the largest rise: within the frame of a bounce the mean speed is too small, and energy seems to dip and return.
    """
    energy = Sizes().floats("energy", energy, "T-1")
    return float(energy.max() - energy[0]) / scale if len(energy) >= 2 and scale > 0 else None


def object_permanence(areas: Values, expected: Values) -> Measured:
    """Share of frames in which an object that should be seen has at least 20 % of its expected area; 1 is best.

    areas, expected (T,K) in pixels, of the video and of truth; frame 0, which is given, is left out. An object should
    be seen where truth shows at least `colours.SEEN` pixels. None: truth shows none.
    """
    sizes = Sizes()
    expected = sizes.integers("expected", expected, "T", "K")
    found = permanence(sizes.integers("areas", areas, "T", "K"), expected)
    return found if np.isfinite(found) else None


def _first_seen(centres: Floats) -> Floats:
    """Where each (K,3) is first finite; the origin where it never is."""
    return np.asarray(carried_forward(centres[::-1], np.zeros(centres.shape[1:]))[-1], np.float64)


def _finite(points: Values) -> Floats:
    found = Sizes().floats("points", points, "N", 3)
    return found[np.isfinite(found).all(axis=-1)]


def _inside(points: Floats, body: Floats) -> float:
    """How deep in metres the deepest of `points` lies in the convex hull of `body`; 0 outside."""
    from scipy.spatial import ConvexHull, QhullError

    if len(body) < 4:
        return 0.0
    near = points[((points > body.min(axis=0)) & (points < body.max(axis=0))).all(axis=-1)]
    if not len(near):
        return 0.0
    try:
        faces = ConvexHull(body).equations
    except QhullError:  # flat: nothing is inside of it
        return 0.0
    return max(float(-(near @ faces[:, :3].T + faces[:, 3]).max(axis=1).min()), 0.0)
