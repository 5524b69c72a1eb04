"""Labels of simulated videos, held against what the simulator knows: how far off they are, and that they know it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.backbones import laptop_latents
from components.clip import Clip
from components.geometry import warp
from components.index import index_row, write_index
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.pseudo_labels.accuracy import absolute_relative_error, align_disparity, end_point_error
from components.pseudo_labels.dis import DisFlow
from components.shards import new_shard
from components.simulation.clips import configuration_clips
from components.training.depth import DepthLearner, read_samples

CLIPS, TRAINED_ON = 10, 7
MOVING = 0.3  # pixels
LAPTOP = parse_params(profile_values("laptop"), source="laptop")
PARAMS = LAPTOP.model_copy(update={"video": LAPTOP.video.model_copy(update={"frames": 9})})


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return [
        clip
        for index in range(CLIPS)
        for clip in configuration_clips(PARAMS, split="labeler", category="rigid", index=index)
    ]


@pytest.fixture(scope="module")
def flows(clips: list[Clip]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    estimator = DisFlow(consistency=LAPTOP.pseudo_labels.consistency)
    return [estimator.predict(clip.rgb) for clip in clips]


def pooled(
    clips: list[Clip], flows: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_]]:
    """Of all clips: error and speed in pixels, confidence, and where the truth is seen in the next frame."""
    errors = np.stack([end_point_error(flow, clip.flow) for (flow, _), clip in zip(flows, clips, strict=True)])
    speeds = np.linalg.norm(np.stack([clip.flow for clip in clips]), axis=-1)
    confidence = np.stack([sure for _, sure in flows])
    return errors, speeds, confidence.astype(np.float64), np.stack([clip.visible for clip in clips])


def test_flow_is_near_the_truth(
    clips: list[Clip], flows: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> None:
    errors, speeds, _, visible = pooled(clips, flows)
    moving = visible & (speeds > MOVING)
    assert errors[visible & ~moving].mean() < 0.15
    assert errors[moving].mean() < 0.45 * speeds[moving].mean()  # zero flow would be 1


def test_the_more_confident_half_has_the_lower_error(
    clips: list[Clip], flows: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> None:
    errors, speeds, confidence, _ = pooled(clips, flows)
    moving = speeds > MOVING
    errors, confidence = errors[moving], confidence[moving]
    sure = confidence > np.median(confidence)
    assert errors[sure].mean() < 0.8 * errors[~sure].mean()


def test_flow_is_surer_of_what_stays_in_sight(
    clips: list[Clip], flows: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> None:
    _, _, confidence, visible = pooled(clips, flows)
    assert confidence[visible].mean() > confidence[~visible].mean() + 0.1


def test_the_next_frame_warped_back_is_nearer_where_something_moves(
    clips: list[Clip], flows: list[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> None:
    still, warped = [], []
    for clip, (flow, _) in zip(clips, flows, strict=True):
        moving = np.linalg.norm(clip.flow, axis=-1) > MOVING
        for step in range(len(flow)):
            still.append(np.abs(clip.rgb[step + 1].astype(float) - clip.rgb[step])[moving[step]])
            warped.append(np.abs(warp(clip.rgb[step + 1], flow[step]) - clip.rgb[step])[moving[step]])
    assert np.concatenate(warped).mean() < 0.7 * np.concatenate(still).mean()


def test_depth_fits_the_truth_after_one_scale_and_shift_a_clip(clips: list[Clip], tmp_path: Path) -> None:
    with new_shard(tmp_path / "shard-00000.tar") as shard:
        write_index(tmp_path, [index_row(clip, shard.add(clip)) for clip in clips])
    codec = laptop_latents.fit(np.stack([clip.rgb for clip in clips]), channels=24)
    section = LAPTOP.depth_net.model_copy(update={"width": 8, "steps": 150, "batch_size": 16, "learning_rate": 1e-2})
    samples = read_samples(tmp_path, codec)[:TRAINED_ON]
    learner = DepthLearner(samples, section, depth_kind="affine_disparity", seed=0)
    for step in range(section.steps):
        learner.update(step)
    labeler = learner.network()
    for clip in clips[TRAINED_ON:]:
        objects = np.isin(clip.segmentation, [thing.id for thing in clip.objects if thing.dynamic])
        depth = align_disparity(labeler.predict(clip.rgb), clip.depth, clip.valid)
        flat = align_disparity(np.zeros_like(clip.depth), clip.depth, clip.valid)
        assert absolute_relative_error(depth, clip.depth, clip.valid) < 0.12
        assert absolute_relative_error(depth, clip.depth, objects) < 0.3
        assert absolute_relative_error(flat, clip.depth, clip.valid) > 0.4  # what no knowledge at all gives
