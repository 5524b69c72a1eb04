"""Which metric must react to which fault, and rise with its strength: declared here, held against what is measured.

What is not declared may react too. Some figures cannot see a fault, and some get better by it: a film that stands still
has the least flicker there is, and a 4D model that is wrong about everything may agree with itself. So no metric stands
alone in a verdict.
"""

from collections.abc import Mapping

from components.evaluation.consistency.catalogue import FRECHET

DEPTH = (
    "depth_absrel",
    "depth_delta1",
    "depth_absrel_aligned",
    "depth_delta1_aligned",
    "moving_depth_absrel",
    "moving_tae",
    "depth_warp_l1",
)
CHAMFER = (
    "chamfer_l1",
    "chamfer_l2",
    "chamfer_l1_ratio",
    "chamfer_joint_l1",
    "chamfer_joint_l2",
    "chamfer_joint_l1_ratio",
)
PLACE = ("track_ade", "track_fde", "track_ade_ratio", "track_fde_ratio")
TRACKS = (*PLACE, "divergence_time", "divergence_time_ratio")
MOVING_FLOW = ("dynamic_flow_epe", "dynamic_flow_1px", "scene_flow_epe3d", "scene_flow_acc3ds", "scene_flow_acc3dr")
OUTLIERS = ("static_flow_fl", "dynamic_flow_fl", "occluded_flow_fl")
ALL_FLOW = (
    *MOVING_FLOW,
    *OUTLIERS,
    "static_flow_epe",
    "static_flow_1px",
    "occluded_flow_epe",
    "occluded_flow_1px",
)
PICTURES = ("psnr", "ssim", FRECHET)
SEEN = (*DEPTH, *CHAMFER, *TRACKS, *MOVING_FLOW, *PICTURES)  # objects that are not where they should be

REACTS: Mapping[str, frozenset[str]] = {
    "freeze": frozenset({*SEEN, "dynamic_flow_fl", "inertial_residual"}),
    "wrong_gravity": frozenset({*SEEN, "inertial_residual", "energy_drift", "energy_gain"}),
    "vanish": frozenset({*SEEN, "area_variation", "object_permanence"}),
    "jitter": frozenset(
        {
            *SEEN,
            *ALL_FLOW,
            "tae",
            "area_variation",
            "jerk",
            "inertial_residual",
            "penetration_rate",
            "energy_drift",
            "energy_gain",
        }
    ),
    "interpenetrate": frozenset({*SEEN, "area_variation", "penetration_rate", "object_permanence"}),
    "swap_identities": frozenset({*TRACKS, "psnr", "ssim"}),  # a set of videos is as likely with its objects swapped
    "late_shadow": frozenset(PICTURES),
    "swell": frozenset(
        {*DEPTH, *CHAMFER, *PLACE, *PICTURES, "volume_variation", "area_variation", "dynamic_flow_epe"}
        | {"occluded_flow_epe", "occluded_flow_1px", "penetration_rate"}
    ),
    "flicker": frozenset({*DEPTH, *CHAMFER, "tae", "area_variation", "depth_warp_l1_own", "scene_flow_epe3d"}),
}
