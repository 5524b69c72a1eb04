"""What the page calls the rows, metrics and comparisons of metrics.json, and which way a metric is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from components.evaluation.consistency.catalogue import BY_NAME

Kind = Literal["floor", "model", "external", "ceiling", "rival", "own", "other"]
Better = Literal["higher", "lower", "unknown"]
# generated video, the parts of its score, heads on ground-truth video, all metrics of 4D world consistency
Subject = Literal["video", "parts", "heads", "world"]

BACKBONES: Mapping[str, str] = {  # one that is not here is called by its key
    "wan22": "Wan2.2-TI2V",
    "cogvideox": "CogVideoX",
    "open_sora": "Open-Sora 1.2",
    "ltx_video": "LTX-Video",
}
MODELS = ("base", "stage1", "stage2", "stage3")
PAIRS = (
    ("base", "stage2"),
    ("stage2", "stage3"),
    ("base", "stage3"),
    ("stage1", "stage2"),
    ("base", "stage1"),
)
HEADLINES = ("score", "centroid_error", "chamfer", "permanence")
OWN = {"_own": "own heads", "_agreement": "own heads against the judge"}  # what ends the name of a model's row so


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the tables: a model, or what the models are compared with."""

    key: str
    label: str
    kind: Kind
    about: str = ""


class Metric(NamedTuple):
    """A column of the tables. digits: decimals shown; group: of the metrics of 4D world consistency."""

    key: str
    subject: Subject
    label: str
    unit: str
    better: Better
    digits: int
    group: str = ""

    @property
    def about(self) -> str:
        """What it measures; empty when the page does not know it."""
        return ABOUT.get(self.key, "")


ROWS: Mapping[str, Row] = {
    row.key: row
    for row in (
        Row(key="first_frame", label="Still picture", kind="floor", about="the first frame, repeated"),
        Row(key="base", label="Base", kind="model", about="before any stage"),
        Row(key="stage1", label="Stage 1", kind="model", about="heads on pseudo-labels; the backbone is frozen"),
        Row(key="stage2", label="Stage 2", kind="model", about="backbone and heads on simulation"),
        Row(key="stage3", label="Stage 3", kind="model", about="reinforcement learning, 4D Chamfer reward"),
        Row(key="round_trip", label="Latent round trip", kind="ceiling", about="truth through the model's own latents"),
        Row(
            key="judged_truth",
            label="Truth, judged",
            kind="ceiling",
            about="the true video, its depth read by the judge",
        ),
        Row(key="take2", label="Second take", kind="ceiling", about="the same scene, start moved by about 1 %"),
        Row(key="truth", label="Ground truth", kind="ceiling", about="the simulator, against itself"),
        Row(key="first_frame_depth", label="First frame's depth", kind="rival", about="repeated"),
        Row(key="dataset_mean_depth", label="Mean depth of the data", kind="rival", about="one map for every clip"),
        Row(key="zero_flow", label="Zero flow", kind="rival", about="nothing moves"),
        Row(key="dis_flow", label="DIS optical flow", kind="rival", about="on the same decoded video"),
    )
}


ABOUT: Mapping[str, str] = {
    "score": "overlap of where, when and how much moves with the truth, relative to two takes of it; 0 to 100",
    "centroid_error": "distance of an object's centre from the true one, mean over all frames (ADE)",
    "centroid_final_error": "the same over the last frames (FDE)",
    "chamfer": "distance between the moving objects' points and the simulator's, frame by frame, capped",
    "chamfer_ratio": "the same, divided by the size of the scene",
    "permanence": "share of frames in which a fifth of an object is there that should be; a still picture loses none",
    "depth_warp": "how far depth, followed along optical flow, is from the simulator's; lost objects cost the cap",
    "flow_epe": "end-point error of the video's optical flow against the simulator's, on moving objects",
    "static_flow_epe": "the same on all else",
    "agreement_depth_absrel": "relative difference of the heads' depth from the judge's: no error of either",
    "agreement_flow_epe": "the same of their flow, over all pixels",
    "st_iou": "overlap of motion masks, frame by frame: where and when",
    "s_iou": "overlap of motion masks joined over time: where",
    "ws_iou": "overlap of motion masks averaged over time: where and how much",
    "mse": "squared difference of pixels in [0, 1]: how it looks",
    "head_depth_absrel": "relative error of metric depth",
    "head_depth_delta1": "share of pixels whose metric depth is right to 25 %",
    "head_foreground_absrel": "relative error of metric depth on moving objects alone",
    "head_depth_absrel_aligned": "relative error after one scale and shift a clip: all that pseudo-labels can teach",
    "head_foreground_absrel_aligned": "the same on moving objects alone",
    "head_flow_epe": "end-point error on all visible points",
    "head_moving_flow_epe": "the same on moving objects alone",
    "head_depth_change_error": "error of the change of depth of moving objects",
    "head_foreground_iou": "overlap of the read foreground with the moving objects",
    "head_depth_warp": "how much the heads' own depth and motion contradict each other",
}

METRICS: Mapping[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("score", "video", "Physics-IQ-style score", "", "higher", 1),
        Metric("centroid_error", "video", "Centroid error", "px", "lower", 2),
        Metric("centroid_final_error", "video", "Final centroid error", "px", "lower", 2),
        Metric("chamfer", "video", "4D Chamfer", "m", "lower", 3),
        Metric("chamfer_ratio", "video", "4D Chamfer, relative", "", "lower", 3),
        Metric("permanence", "video", "Permanence", "", "higher", 3),
        Metric("depth_warp", "video", "Depth-warp", "m", "lower", 3),
        Metric("flow_epe", "video", "Flow of what moves", "px", "lower", 2),
        Metric("static_flow_epe", "video", "Flow of what rests", "px", "lower", 2),
        Metric("agreement_depth_absrel", "video", "Depth, heads against judge", "", "unknown", 3),
        Metric("agreement_flow_epe", "video", "Flow, heads against judge", "px", "unknown", 3),
        Metric("st_iou", "parts", "ST-IoU", "", "higher", 3),
        Metric("s_iou", "parts", "S-IoU", "", "higher", 3),
        Metric("ws_iou", "parts", "WS-IoU", "", "higher", 3),
        Metric("mse", "parts", "MSE", "", "lower", 4),
        Metric("head_depth_absrel", "heads", "Depth, AbsRel", "", "lower", 3),
        Metric("head_depth_delta1", "heads", "Depth within 25 %", "", "higher", 3),
        Metric("head_foreground_absrel", "heads", "Depth of objects, AbsRel", "", "lower", 3),
        Metric("head_depth_absrel_aligned", "heads", "Depth, aligned AbsRel", "", "lower", 3),
        Metric("head_foreground_absrel_aligned", "heads", "Depth of objects, aligned AbsRel", "", "lower", 3),
        Metric("head_flow_epe", "heads", "Flow", "px", "lower", 3),
        Metric("head_moving_flow_epe", "heads", "Flow of what moves", "px", "lower", 3),
        Metric("head_depth_change_error", "heads", "Depth change", "m", "lower", 3),
        Metric("head_foreground_iou", "heads", "Foreground IoU", "", "higher", 3),
        Metric("head_depth_warp", "heads", "Depth-warp", "m", "lower", 3),
    )
}


def row_of(key: str) -> Row:
    """The row of that name; one that the page does not know is shown under its own."""
    for end, about in OWN.items():
        if key.endswith(end):
            return Row(key=key, label=f"{row_of(key.removesuffix(end)).label}, {about}", kind="own")
    return ROWS.get(key) or Row(key=key, label=plain(key), kind="other")


def metric_of(key: str) -> Metric:
    """The metric of that name; of one that nobody knows it cannot be said which way is better."""
    if key in METRICS:
        return METRICS[key]
    if key in BY_NAME:
        world = BY_NAME[key]
        unit = "" if world.unit == "1" else world.unit
        return Metric(key, "world", plain(key), unit, world.better, 3, world.group)
    return Metric(key, "heads" if key.startswith("head_") else "video", plain(key), "", "unknown", 3)


def plain(key: str) -> str:
    """A key as words."""
    return key[:1].upper() + key[1:].replace("_", " ")
