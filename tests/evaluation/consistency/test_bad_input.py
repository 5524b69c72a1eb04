"""Whatever a model gives, every figure of `world` is finite and within its bounds, or an error says what is wrong."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.clip import Clip
from components.evaluation.consistency.arrays import MeasureError
from components.evaluation.consistency.catalogue import BY_NAME, FRECHET
from components.evaluation.consistency.observed import Observed
from components.evaluation.consistency.truth import Truth
from components.evaluation.consistency.world import world_metrics
from tests.clips import make_clip
from tests.evaluation.scenes import Disc, disc_clip

SHARES = [name for name, metric in BY_NAME.items() if metric.unit == "share"]
ANYTHING = st.floats(width=32, allow_nan=True, allow_infinity=True)


def clip(*, frames: int = 5) -> Clip:
    """Noise in which an object falls: make_clip's, with gravity, in front of a camera that sees something."""
    found = make_clip()
    meta = replace(found.meta, parameters={"gravity": [0.0, 0.0, -9.81]})
    cut = {name: array[:frames] for name, array in found.arrays().items() if len(array) == 5}
    cut |= {name: getattr(found, name)[: frames - 1] for name in ("flow", "depth_change", "visible")}
    cut.pop("track_ids", None)
    return replace(found, meta=meta, **cut)  # type: ignore[arg-type]


TRUTH = clip()


@given(
    depth=arrays(np.float32, (5, 6, 8), elements=ANYTHING),
    flow=arrays(np.float32, (4, 6, 8, 2), elements=ANYTHING),
    change=arrays(np.float32, (4, 6, 8), elements=ANYTHING),
    segmentation=arrays(np.int64, (5, 6, 8), elements=st.integers(0, 4)),
    tracks=st.none() | arrays(np.float32, (5, 4, 3), elements=ANYTHING),
    rgb=arrays(np.float32, (5, 6, 8, 3), elements=st.floats(0, 255, width=32) | st.just(math.nan)),
)
@settings(max_examples=40, deadline=None)
def test_no_reading_makes_a_figure_that_is_not_finite(**readings: np.ndarray) -> None:
    video = Observed(
        rgb=readings["rgb"],
        depth=readings["depth"],
        flow=readings["flow"],
        depth_change=readings["change"],
        segmentation=readings["segmentation"],
        tracks=readings["tracks"],
    )
    figures = world_metrics(video, Truth(clip=TRUTH, take2=TRUTH))
    assert figures.keys() <= BY_NAME.keys()
    assert {name: value for name, value in figures.items() if not math.isfinite(value)} == {}
    assert all(0 <= figures[name] <= 1 for name in SHARES if name in figures)


@given(visible=st.booleans(), valid=st.booleans(), seen=st.booleans(), frames=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_no_truth_makes_a_figure_that_is_not_finite(visible: bool, valid: bool, seen: bool, frames: int) -> None:
    """Nothing visible, nothing valid, no object, one frame."""
    truth = clip(frames=frames)
    truth = replace(
        truth,
        visible=truth.visible & visible,
        valid=truth.valid & valid,
        segmentation=(truth.segmentation * seen).astype(np.uint16),
    )
    figures = world_metrics(Observed.of(clip(frames=frames)), Truth(clip=truth, take2=truth))
    assert all(math.isfinite(value) for value in figures.values())
    assert ("depth_absrel" in figures) == valid


def test_truth_against_itself_is_as_good_as_can_be() -> None:
    truth = disc_clip(Disc(), Disc(centre=(30, 44), step=(-1, 0)))
    figures = world_metrics(Observed.of(truth), Truth(clip=truth))
    for name, value in figures.items():
        metric = BY_NAME[name]
        if name in (
            "tae",
            "divergence_time",
            "psnr",
        ):  # what moves is an error of the first; others have their own best
            continue
        assert value == pytest.approx(0 if metric.better == "lower" else 1, abs=1e-6), name


def test_everything_but_what_needs_gravity_another_take_or_a_set_is_measured() -> None:
    truth = disc_clip(Disc())
    solid = np.random.default_rng(0).normal(size=truth.tracks.shape).astype(np.float32)
    missing = BY_NAME.keys() - world_metrics(Observed.of(replace(truth, tracks=solid)), Truth(clip=truth)).keys()
    assert missing == {
        FRECHET, "divergence_time_ratio", "inertial_residual", "jerk", "energy_drift", "energy_gain"
    }  # fmt: skip


def test_every_metric_is_documented() -> None:
    text = Path("docs/metrics.md").read_text()
    assert [name for name in BY_NAME if f"`{name}`" not in text] == []


def test_only_what_is_known_is_measured() -> None:
    truth = disc_clip(Disc())
    assert world_metrics(Observed(), Truth(clip=truth)) == {}
    assert set(world_metrics(Observed(rgb=truth.rgb), Truth(clip=truth))) == {"psnr", "ssim"}
    seen = world_metrics(Observed(depth=truth.depth, segmentation=truth.segmentation), Truth(clip=truth))
    assert {"chamfer_l1", "divergence_time", "object_permanence"} <= seen.keys()
    assert not {"track_ade", "volume_variation", "dynamic_flow_epe"} & seen.keys()


def test_tensors_give_the_figures_of_arrays() -> None:
    truth = disc_clip(Disc())
    names = ("rgb", "depth", "flow", "depth_change", "tracks")
    tensors = {name: torch.tensor(getattr(truth, name)) for name in names}
    ids = torch.tensor(truth.segmentation.astype(np.int64))
    assert world_metrics(Observed(**tensors, segmentation=ids), Truth(clip=truth)) == world_metrics(
        Observed.of(truth), Truth(clip=truth)
    )


@pytest.mark.parametrize("name", ["rgb", "depth", "flow", "depth_change", "segmentation", "tracks"])
def test_a_reading_of_another_size_is_an_error_that_names_it(name: str) -> None:
    wrong = replace(Observed.of(TRUTH), **{name: getattr(TRUTH, name)[:-1]})
    with pytest.raises(MeasureError, match=f"^{name} has shape"):
        world_metrics(wrong, Truth(clip=TRUTH))
