"""The estimators that parameters name."""

from pathlib import Path
from typing import TYPE_CHECKING

from components.pseudo_labels.protocols import DepthEstimator, FlowEstimator

if TYPE_CHECKING:
    from components.params import PseudoLabels


def make_depth_estimator(section: "PseudoLabels", labeler: Path) -> DepthEstimator:
    """The depth estimator of `section.depth`; `labeler` is the folder of the laptop's own network."""
    if section.depth == "labeler":
        from components import depth_network

        return depth_network.load(labeler)
    if section.depth_source is None:
        raise AssertionError("the rules of the parameters ask for a source")
    if section.depth == "video_depth_anything":
        from components.pseudo_labels.video_depth_anything import load_video_depth_anything

        return load_video_depth_anything(section.depth_source, revision=section.depth_revision)
    from components.pseudo_labels.depth_anything import load_depth_anything

    return load_depth_anything(section.depth_source, revision=section.depth_revision)


def make_flow_estimator(section: "PseudoLabels") -> FlowEstimator:
    """The flow estimator of `section.flow`; ParametersError when it cannot be had here."""
    if section.flow == "dis":
        from components.pseudo_labels.dis import DisFlow

        return DisFlow(consistency=section.consistency)
    from components.pseudo_labels.raft import load_raft

    return load_raft(consistency=section.consistency)
