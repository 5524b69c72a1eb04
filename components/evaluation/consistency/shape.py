"""Shape stability: how much the size of an instance varies over a clip, though nothing in it should.

The figure is the coefficient of variation: standard deviation over mean, a ratio; 0 is best. Legend: T frames, P
points, K instances, H height, W width.
"""

import numpy as np

from components.evaluation.consistency.arrays import Floats, Measured, Sizes, Values

FLAT = 1e-9  # of the cube of the points' spread: a volume below is that of a sheet


def volumes(points: Values) -> Floats:
    """Volume (T,) in m^3 of the ellipsoid with the second moments of `points` (T,P,3), in metres.

    4/3 pi sqrt(det(5 C)) with C the covariance: right for a solid ellipsoid, in a constant proportion to the volume of
    any other body, the same however the body turns, and hardly moved by one point. NaN where fewer than 4 points of a
    frame are finite.
    """
    points = Sizes().floats("points", points, "T", "P", 3)
    found = np.full(len(points), np.nan)
    for frame, cloud in enumerate(points):
        seen = cloud[np.isfinite(cloud).all(axis=-1)]
        if len(seen) >= 4:
            found[frame] = 4 / 3 * np.pi * np.sqrt(max(np.linalg.det(5 * np.cov(seen.T, bias=True)), 0.0))
    return found


def volume_variation(points: Values) -> Measured:
    """Coefficient of variation of `volumes`: 0 for a rigid body, however it moves. points (T,P,3) in metres.

    None: fewer than two frames with a volume, or the points lie in a plane.
    """
    points = Sizes().floats("points", points, "T", "P", 3)
    found = volumes(points)
    found = found[np.isfinite(found)]
    finite = points[np.isfinite(points).all(axis=-1)]
    spread = float(np.linalg.norm(np.ptp(finite, axis=0))) if len(finite) else 0.0
    if len(found) < 2 or found.mean() <= FLAT * spread**3:
        return None
    return float(found.std() / found.mean())


def depth_corrected_areas(depth: Values, segmentation: Values, ids: Values, intrinsics: Values) -> Floats:
    """Area (T,K) in m^2 that each instance shows the camera: its pixels' sum of z^2 / (fx fy).

    depth (T,H,W) in metres; segmentation (T,H,W) with `ids` (K,); intrinsics (3,3). So an instance that only comes
    nearer keeps its area. A depth that is not finite or not positive adds nothing.
    """
    sizes = Sizes()
    depth = sizes.floats("depth", depth, "T", "H", "W")
    segmentation = sizes.integers("segmentation", segmentation, "T", "H", "W")
    ids = sizes.integers("ids", ids, "K")
    intrinsics = sizes.truth("intrinsics", intrinsics, 3, 3)
    square = np.where(np.isfinite(depth) & (depth > 0), depth, 0.0) ** 2 / (intrinsics[0, 0] * intrinsics[1, 1])
    return np.stack([np.where(segmentation == one, square, 0.0).sum(axis=(1, 2)) for one in ids], axis=-1).reshape(
        len(depth), len(ids)
    )


def area_variation(areas: Values, expected: Values) -> Measured:
    """Coefficient of variation over time of the area found over the area expected, mean over instances.

    areas, expected (T,K) in m^2, as `depth_corrected_areas` gives them for a video and for truth: what turning and
    occlusion do to truth's own area cancels. Frames in which truth shows nothing of an instance are left out. A
    constant factor counts nothing; an instance that is never found counts as the most that n frames
    allow, sqrt(n - 1), which is that of one found in a single frame. None: truth shows no instance in two frames.
    """
    sizes = Sizes()
    expected = sizes.truth("expected", expected, "T", "K")
    areas = sizes.floats("areas", areas, "T", "K")
    variations = []
    for found, wanted in zip(np.nan_to_num(areas, posinf=0.0, neginf=0.0).T, expected.T, strict=True):
        seen = wanted > 0
        if np.count_nonzero(seen) >= 2:
            ratio = found[seen] / wanted[seen]
            most = float(np.sqrt(len(ratio) - 1))
            variations.append(float(ratio.std() / ratio.mean()) if ratio.any() else most)
    return float(np.mean(variations)) if variations else None
