"""What heads say of their own video: ideal where they say the truth, and the judge's agreement by formula."""

import numpy as np
import pytest

from components.evaluation.consistency.truth import Truth
from components.evaluation.heads import Read
from components.evaluation.own import AGREEMENT, OWN_METRICS, own_metrics
from tests.evaluation.scenes import Disc, disc_clip

CLIP = disc_clip(Disc(step=(3, 1), depth_step=-0.05))
TRUE = Read(depth=CLIP.depth, flow=CLIP.flow, depth_change=CLIP.depth_change)


def measured(read: Read, *, frames: np.ndarray = CLIP.rgb, judged: np.ndarray = CLIP.depth) -> dict[str, float]:
    return dict(zip(OWN_METRICS, own_metrics(read, frames, judged, Truth(clip=CLIP)).tolist(), strict=True))


def test_heads_that_say_the_truth_are_ideal() -> None:
    found = measured(TRUE)
    for metric in ("depth_absrel", "dynamic_flow_epe", "static_flow_fl", "scene_flow_epe3d", "agreement_depth_absrel"):
        assert found[metric] == 0
    assert found["depth_delta1"] == found["scene_flow_acc3ds"] == 1
    assert found["depth_warp_l1"] == pytest.approx(0, abs=1e-6)
    assert found["agreement_flow_epe"] < 0.5


def test_agreement_is_with_the_judge_not_with_truth() -> None:
    still = np.repeat(CLIP.rgb[:1], len(CLIP.rgb), axis=0)
    flow = np.broadcast_to(np.array((3, 4), np.float32), CLIP.flow.shape)
    found = measured(Read(depth=CLIP.depth, flow=flow), frames=still, judged=CLIP.depth * np.float32(1.25))
    assert [found[name] for name in AGREEMENT] == pytest.approx([0.2, 5], rel=1e-5)
    assert found["depth_absrel"] == 0


def test_what_is_not_said_and_what_is_no_number_are_defined() -> None:
    silent = measured(Read())
    assert all(np.isnan(value) for value in silent.values())
    nonsense = Read(**{name: np.full_like(getattr(TRUE, name), np.nan) for name in ("depth", "flow", "depth_change")})
    found = measured(nonsense, judged=np.full_like(CLIP.depth, np.inf))
    assert [name for name, value in found.items() if not np.isfinite(value)] == ["agreement_depth_absrel"]
    assert found["depth_absrel"] == 1
