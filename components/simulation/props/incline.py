"""The plane of a ramp: where its foot is, and which way is down."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from components.simulation.captions import side
from components.simulation.props.looks import plain_grey
from components.simulation.rotations import about, quaternion, vec3
from components.simulation.scene import Body, FloatArray, Shape

LENGTH, WIDTH, THICKNESS = 2.8, 1.3, 0.1  # metres: over half of the picture's width, and half as wide again as any ball


@dataclass(frozen=True, kw_only=True)
class Incline:
    """angle and yaw in degrees (yaw 0: downhill is +x)."""

    angle: float
    yaw: float

    @property
    def rotation(self) -> Rotation:
        """Of the slope: x downhill, y across, z its normal."""
        return about("z", self.yaw) * about("y", self.angle)

    @property
    def foot(self) -> FloatArray:
        """The middle (3,) of the lower edge, on the floor."""
        half = LENGTH / 2 * np.cos(np.radians(self.angle))
        return np.asarray(about("z", self.yaw).apply([half, 0.0, 0.0]), np.float64)

    @property
    def downhill(self) -> FloatArray:
        """The unit vector (3,) down the slope."""
        return np.asarray(self.rotation.apply([1.0, 0.0, 0.0]), np.float64)

    def lower_side(self, extrinsics: FloatArray) -> str:
        """On which side of the picture its foot is."""
        return side(extrinsics, vec3(self.foot), vec3(self.downhill))

    def place(self, *, distance: float, offset: float, height: float) -> FloatArray:
        """The point (3,) `distance` up the slope from the foot, `offset` across it and `height` above it; metres."""
        return np.asarray(self.foot + self.rotation.apply([-distance, offset, height]), np.float64)

    def body(self, *, grey: float, friction: float) -> Body:
        """The ramp, whose upper surface meets the floor at its foot."""
        return Body(
            name="ramp",
            shape=Shape.BOX,
            size=(LENGTH / 2, WIDTH / 2, THICKNESS / 2),
            texture=plain_grey(grey),
            position=vec3(self.place(distance=LENGTH / 2, offset=0.0, height=-THICKNESS / 2)),
            orientation=quaternion(self.rotation),
            restitution=1.0,
            friction=friction,
        )
