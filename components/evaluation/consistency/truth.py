"""What videos of one clip are measured against: the simulator's clip, and what of it is computed once for all videos.

Legend: T frames, H height, W width, K dynamic objects. Metres in the world.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.evaluation.chamfer import dynamic_pixels
from components.evaluation.consistency import points, shape, stability
from components.evaluation.consistency.alignment import ends_on_own
from components.evaluation.consistency.arrays import Floats
from components.evaluation.consistency.observed import centres_of, dynamic_ids, surface_points

if TYPE_CHECKING:
    from components.clip import Clip


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What videos of one clip are measured against; `take2` has the same objects and another start."""

    clip: "Clip"
    take2: "Clip | None" = None

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """Dynamic objects (K,)."""
        return dynamic_ids(self.clip)

    @cached_property
    def moving(self) -> NDArray[np.bool_]:
        """Their pixels (T,H,W)."""
        return dynamic_pixels(self.clip)

    @cached_property
    def seen_moving(self) -> NDArray[np.bool_]:
        """Pixels (T-1,H,W) of them whose point is visible in the next frame, on the pixel of their own object."""
        clip = self.clip
        return clip.visible & self.moving[:-1] & ends_on_own(clip.flow.astype(np.float64), clip.segmentation)

    @cached_property
    def seen_surface(self) -> NDArray[np.bool_]:
        """Pixels (T-1,H,W) whose point is visible in the next frame, with its own surface all around it."""
        clip = self.clip
        whole = stability.on_one_surface(clip.flow.astype(np.float64), clip.segmentation)
        return clip.visible & clip.valid[:-1] & whole

    @cached_property
    def areas(self) -> Floats:
        """What the dynamic objects show (T,K) in m^2."""
        clip = self.clip
        return shape.depth_corrected_areas(clip.depth, clip.segmentation, self.ids, clip.intrinsics)

    @cached_property
    def seen_centres(self) -> Floats:
        """Centres (T,K,3) of what is seen of them; NaN where nothing is."""
        return _seen_centres(self.clip, self.ids)

    @cached_property
    def seen_centres_of_take2(self) -> Floats | None:
        """The same in take 2; None: there is no take 2 as long, of the same objects."""
        other = self.take2
        if (
            other is None
            or len(other.depth) != len(self.clip.depth)
            or dynamic_ids(other).tolist() != self.ids.tolist()
        ):
            return None
        return _seen_centres(other, self.ids)

    @cached_property
    def points(self) -> list[Floats]:
        """Their visible points (N,3) of every frame."""
        return surface_points(self.clip.depth.astype(np.float64), self.moving, self.clip)

    @cached_property
    def diameter(self) -> float:
        """Of the box of these points, in metres."""
        return points.diameter(self.points)

    @cached_property
    def gravity(self) -> Floats | None:
        """(3,) in m/s^2, where the clip says it."""
        found = self.clip.meta.parameters.get("gravity")
        return None if found is None else np.asarray(found, np.float64)

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Where (T-2,K) nothing touches the objects."""
        columns = [number for number, thing in enumerate(self.clip.objects) if thing.dynamic]
        gravity = np.zeros(3) if self.gravity is None else self.gravity
        if len(self.clip.poses) < 3:
            return np.zeros((0, len(columns)), np.bool_)
        return stability.free_flight(self.clip.poses[:, columns, :3], fps=self.clip.meta.fps, gravity=gravity)


def _seen_centres(clip: "Clip", ids: NDArray[np.int64]) -> Floats:
    depth = clip.depth.astype(np.float64)
    seen = {int(one): surface_points(depth, clip.segmentation == one, clip) for one in ids}
    return centres_of(seen) if seen else np.zeros((len(depth), 0, 3))
