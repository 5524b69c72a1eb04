"""The camera of a view: it looks at a point above the scene's centre, and stands still or orbits it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from components.simulation.scene import Camera, FloatArray

if TYPE_CHECKING:
    from components.parameters.simulation import CameraParams
    from components.params import Video

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class Viewpoint:
    """How a configuration is seen, whatever the view: vertical field of view and elevation in degrees, metres."""

    field_of_view: float
    distance: float
    elevation: float
    target_height: float

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: "CameraParams") -> Self:
        """Draw from the ranges."""
        return cls(
            field_of_view=float(rng.uniform(*ranges.field_of_view)),
            distance=float(rng.uniform(*ranges.distance)),
            elevation=float(rng.uniform(*ranges.elevation)),
            target_height=float(rng.uniform(*ranges.target_height)),
        )

    @classmethod
    def middle(cls, ranges: "CameraParams") -> Self:
        """The middle of the ranges: for pictures whose camera nobody knows."""
        return cls(
            field_of_view=sum(ranges.field_of_view) / 2,
            distance=sum(ranges.distance) / 2,
            elevation=sum(ranges.elevation) / 2,
            target_height=sum(ranges.target_height) / 2,
        )


def view_azimuth(view: int, views: int, between: float) -> float:
    """Azimuth of a view in degrees: `views` of them, `between` apart, spread evenly around 0."""
    return (view - (views - 1) / 2) * between


def orbit_camera(viewpoint: Viewpoint, video: "Video", *, azimuth: float, orbit: float = 0.0) -> Camera:
    """Pinhole camera at `azimuth` degrees around the target: at 0 on the negative y axis, at 90 on the x axis.

    orbit: degrees by which the azimuth grows, evenly, from the first frame to the last; above 0 to the camera's right.
    Square pixels: f = H / 2 / tan(vertical field of view / 2), principal point at the middle of the picture.
    """
    turns, rise = np.radians(azimuth + orbit * np.linspace(0.0, 1.0, video.frames)), np.radians(viewpoint.elevation)
    target = np.array([0.0, 0.0, viewpoint.target_height])
    around = np.stack([np.sin(turns) * np.cos(rise), -np.cos(turns) * np.cos(rise), np.full_like(turns, np.sin(rise))])
    focal = video.height / 2 / np.tan(np.radians(viewpoint.field_of_view) / 2)
    intrinsics = np.array([[focal, 0.0, (video.width - 1) / 2], [0.0, focal, (video.height - 1) / 2], [0.0, 0.0, 1.0]])
    return Camera(
        height=video.height,
        width=video.width,
        intrinsics=intrinsics,
        extrinsics=np.stack([look_at(target + viewpoint.distance * away, target) for away in around.T]),
    )


def look_at(position: FloatArray, target: FloatArray) -> FloatArray:
    """World-to-camera matrix (4,4) of an OpenCV camera at `position`; the world's z is upright in the picture."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, UP)
    right /= np.linalg.norm(right)
    extrinsics = np.eye(4)
    extrinsics[:3, :3] = np.stack([right, np.cross(forward, right), forward])
    extrinsics[:3, 3] = -extrinsics[:3, :3] @ position
    return extrinsics
