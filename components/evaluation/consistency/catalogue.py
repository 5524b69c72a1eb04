"""Every metric of `world`: its group, its unit, and which way is better. docs/metrics.md speaks of each."""

from dataclasses import dataclass
from typing import Literal

GEOMETRY, MOTION, HORIZON, QUALITY = (
    "geometric coherence",
    "motion stability",
    "long-horizon plausibility",
    "generative quality",
)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """better: lower or higher."""

    name: str
    group: str
    unit: str
    better: Literal["lower", "higher"] = "lower"

    def worse(self, value: float, before: float) -> float:
        """By how much `value` is worse than `before`."""
        return value - before if self.better == "lower" else before - value


def _of(group: str, *metrics: tuple[str, str] | tuple[str, str, Literal["lower", "higher"]]) -> tuple[Metric, ...]:
    return tuple(
        Metric(name=name, group=group, unit=unit, better=better[0] if better else "lower")
        for name, unit, *better in metrics
    )


_KINDS = ("static", "dynamic", "occluded")
FRECHET = "frechet_pixel_features"  # of sets of videos, not of one

METRICS: tuple[Metric, ...] = (
    *_of(
        GEOMETRY,
        ("depth_absrel", "ratio"),
        ("depth_delta1", "share", "higher"),
        ("depth_absrel_aligned", "ratio"),
        ("depth_delta1_aligned", "share", "higher"),
        ("moving_depth_absrel", "ratio"),
        ("tae", "ratio"),
        ("moving_tae", "ratio"),
        ("volume_variation", "ratio"),
        ("area_variation", "ratio"),
        ("chamfer_l1", "m"),
        ("chamfer_l2", "m^2"),
        ("chamfer_l1_ratio", "of the diameter"),
        ("chamfer_joint_l1", "m"),
        ("chamfer_joint_l2", "m^2"),
        ("chamfer_joint_l1_ratio", "of the diameter"),
        ("track_ade", "m"),
        ("track_fde", "m"),
        ("track_ade_ratio", "of the diameter"),
        ("track_fde_ratio", "of the diameter"),
    ),
    *_of(MOTION, *((f"{kind}_flow_epe", "px") for kind in _KINDS)),
    *_of(MOTION, *((f"{kind}_flow_1px", "share") for kind in _KINDS)),
    *_of(MOTION, *((f"{kind}_flow_fl", "share") for kind in _KINDS)),
    *_of(
        MOTION,
        ("scene_flow_epe3d", "m"),
        ("scene_flow_acc3ds", "share", "higher"),
        ("scene_flow_acc3dr", "share", "higher"),
        ("depth_warp_l1", "m"),
        ("depth_warp_l1_own", "m"),
        ("jerk", "m/s^3"),
        ("inertial_residual", "m"),
    ),
    *_of(
        HORIZON,
        ("divergence_time", "s", "higher"),
        ("divergence_time_ratio", "of take 2's", "higher"),
        ("penetration_rate", "share"),
        ("energy_drift", "of weight x diameter"),
        ("energy_gain", "of weight x diameter"),
        ("object_permanence", "share", "higher"),
    ),
    *_of(QUALITY, ("psnr", "dB", "higher"), ("ssim", "1", "higher"), (FRECHET, "1")),
)
BY_NAME = {metric.name: metric for metric in METRICS}
