"""The evaluation of one backbone, with models that move the first frame by as many pixels a frame as they are told."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from components.errors import StoppedError
from components.evaluation import evaluate as module
from components.evaluation import sampling
from components.evaluation.evaluate import Evaluation, count_steps, evaluate
from components.evaluation.judge import METRICS
from components.evaluation.noise import noise_seed
from components.evaluation.own import OWN_METRICS
from components.evaluation.results import encode_arrays, shown_samples, write_results
from components.evaluation.sampling import Plan, keeps_video
from components.evaluation.summary import summarise
from components.evaluation.table import Table
from components.evaluation.takes import TakePlace, take_places
from components.generate import Generated
from components.index import read_index
from components.model import HEADS_FILE, Model
from tests.evaluation.scenes import FRAMES, SIDE, WALL
from tests.evaluation.splits import write_split
from tests.evaluation.test_measure import FlatDepth

CLIPS, SAMPLES = 3, 2
SPEED = {"base": -1, "stage1": -1, "stage2": 0, "stage3": 1}
Frames = NDArray[np.uint8]


class LossyCodec:
    """Latents are the frames; decoding loses the lowest bits."""

    def encode(self, frames: Frames) -> Frames:
        return frames

    def decode(self, latents: Frames) -> Frames:
        return latents & np.uint8(0xF8)


@dataclass
class Studio:
    """Stands for the models' own code, and writes down what it is asked."""

    loaded: list[str] = field(default_factory=list)
    seeds: dict[str, list[int]] = field(default_factory=dict)
    captions: list[str] = field(default_factory=list)

    def load_model(self, base: Path, variant: Path | None = None) -> Model:
        name = (variant or base).name
        self.loaded.append(name)
        heads = None if variant is None else name
        return Model(
            backbone=cast("Any", name),
            codec=cast("Any", LossyCodec()),
            text=cast("Any", ""),
            base="",
            heads=cast("Any", heads),
        )

    def generate(
        self, model: Model, *, images: Frames, captions: Sequence[str], seeds: Sequence[int], **_: object
    ) -> Generated:
        name = cast("str", model.backbone)
        self.seeds.setdefault(name, []).extend(seeds)
        self.captions.extend(captions)
        videos = [
            [np.roll(image, frame * SPEED[name] + seed % 2, axis=1) for frame in range(FRAMES)]
            for image, seed in zip(images, seeds, strict=True)
        ]
        return self._read(model, np.array(videos))

    def read_frames(self, model: Model, *, frames: Frames, **_: object) -> Generated:
        return self._read(model, frames)

    def _read(self, model: Model, frames: Frames) -> Generated:
        if model.heads is None:
            return Generated(latents=cast("Any", None), rgb=frames)
        flow = np.zeros((*frames.shape[:4], 2), np.float32)[:, 1:]
        flow[..., 0] = SPEED[cast("str", model.heads)]
        depth = np.full(frames.shape[:-1], WALL, np.float32)
        zero = np.zeros_like(depth)
        return Generated(
            latents=cast("Any", None),
            rgb=frames,
            depth=depth,
            foreground=zero,
            flow=flow,
            depth_change=zero[:, 1:],
            visibility=zero[:, 1:],
        )


@pytest.fixture
def studio() -> Iterator[Studio]:
    with standing_in() as studio:
        yield studio


@contextmanager
def standing_in() -> Iterator[Studio]:
    """Put a studio in the place of the models' own code."""
    studio = Studio()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_model", studio.load_model)
        patch.setattr(sampling, "generate", studio.generate)
        patch.setattr(sampling, "read_frames", studio.read_frames)
        yield studio


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[TakePlace]:
    folder = write_split(tmp_path_factory.mktemp("split"), configurations=CLIPS)
    return take_places(folder, read_index(folder))


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    return make_models(tmp_path)


def make_models(root: Path) -> dict[str, Path]:
    files = {"base": [], "stage1": [HEADS_FILE], "stage2": [HEADS_FILE, "transformer.safetensors"]}
    folders = {name: root / "models" / name for name in SPEED}
    for name, folder in folders.items():
        folder.mkdir(parents=True)
        for file in files.get(name, [HEADS_FILE, "adapter-stage3.safetensors"]):
            (folder / file).touch()
    return folders


def evaluation(
    places: list[TakePlace],
    models: Mapping[str, Path],
    work: Path,
    *,
    advance: Callable[[int], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Evaluation:
    plan = Plan(
        places=places,
        shown=[0, 2],
        samples=SAMPLES,
        steps=4,
        noise_level=0.05,
        seed=7,
        stopped=stopped,
        advance=advance,
    )
    return Evaluation(
        models=models,
        plan=plan,
        judge=FlatDepth(),
        mean_depth=np.full((SIDE, SIDE), WALL),
        score_size=256,
        processes=1,
        work=work,
    )


@dataclass(frozen=True)
class Done:
    """An evaluation that went through, and what it asked the studio."""

    whole: Evaluation
    table: Table
    studio: Studio
    steps: list[int]


@pytest.fixture(scope="module")
def done(places: list[TakePlace], tmp_path_factory: pytest.TempPathFactory) -> Done:
    root, steps = tmp_path_factory.mktemp("done"), list[int]()
    whole = evaluation(places, make_models(root), root / "work", advance=steps.append)
    with standing_in() as studio:
        return Done(whole, evaluate(whole), studio, steps)


def mean(table: Table, row: str, metric: str) -> float:
    return float(np.nanmean(table.videos[row][..., METRICS.index(metric)]))


def test_every_row_is_there_and_as_good_as_it_should_be(done: Done) -> None:
    table = done.table
    assert list(table.videos) == ["truth", "judged_truth", "take2", "round_trip", "first_frame", *SPEED]
    assert list(table.heads)[:3] == ["stage1", "stage2", "stage3"]
    assert table.videos["base"].shape == (CLIPS, SAMPLES, len(METRICS))
    errors = [mean(table, row, "centroid_error") for row in ("truth", "judged_truth", "stage3", "stage2", "base")]
    assert errors[:2] == [0, 0]
    assert errors == sorted(errors)
    assert mean(table, "round_trip", "centroid_error") < 0.3
    assert mean(table, "first_frame", "flow_epe") > mean(table, "judged_truth", "flow_epe")
    assert sum(done.steps) == count_steps(done.whole.models, clips=CLIPS, samples=SAMPLES)


def test_what_heads_say_of_their_own_videos_stands_in_rows_of_its_own(done: Done) -> None:
    assert list(done.table.own) == ["stage1_own", "stage2_own", "stage3_own"]
    assert set(done.table.own).isdisjoint(done.table.videos)
    for values in done.table.own.values():
        assert values.shape == (CLIPS, len(OWN_METRICS))
        agreement = values[:, OWN_METRICS.index("agreement_depth_absrel")]
        np.testing.assert_allclose(agreement, (WALL - 5) / 5)  # the judge says 5 m everywhere


def test_sets_of_videos_are_compared_with_the_true_set(done: Done) -> None:
    features = done.table.features
    assert features is not None
    assert list(features.rows) == list(done.table.videos)
    assert features.rows["stage3"].shape[:2] == (CLIPS, SAMPLES)
    np.testing.assert_array_equal(features.rows["truth"], features.rows["judged_truth"])


def test_base_and_stage_1_share_their_videos(done: Done) -> None:
    np.testing.assert_array_equal(done.table.videos["base"], done.table.videos["stage1"])
    assert "base" not in done.studio.seeds


def test_a_stage_1_that_changes_the_video_is_sampled_on_its_own(
    studio: Studio, places: list[TakePlace], models: dict[str, Path], tmp_path: Path
) -> None:
    assert keeps_video(models["stage1"])
    (models["stage1"] / "transformer.safetensors").touch()
    assert not keeps_video(models["stage1"])
    whole = evaluation(places, models, tmp_path / "work")
    evaluate(whole)
    assert set(studio.seeds) == set(SPEED)
    assert shown_samples(whole)["base/depth"].shape == (2, FRAMES, SIDE, SIDE)


def test_all_models_start_from_the_same_noise_and_captions(done: Done) -> None:
    studio = done.studio
    assert studio.seeds["stage1"] == studio.seeds["stage2"] == studio.seeds["stage3"]
    assert len(set(studio.seeds["stage1"])) == CLIPS * SAMPLES
    assert set(studio.captions) == {"A red rubber ball hangs at rest above a grey floor."}


def test_the_seed_of_a_sample_depends_on_all_that_names_it() -> None:
    seeds = {noise_seed(seed, clip, sample) for seed in (0, 1) for clip in ("a", "b") for sample in (0, 1)}
    assert len(seeds) == 8


def test_what_is_shown_is_what_the_models_made(done: Done) -> None:
    arrays = shown_samples(done.whole)
    assert arrays["clip_ids"].tolist() == ["test-rigid-000000-v0-t0", "test-rigid-000002-v0-t0"]
    fields = {(name, part) for name in ("truth", *SPEED) for part in ("rgb", "depth", "flow")}
    assert set(arrays) == {"clip_ids", "captions", *(f"{name}/{part}" for name, part in fields)}
    for name, speed in SPEED.items():
        assert (arrays[f"{name}/flow"][..., 0] == speed).all()
        assert arrays[f"{name}/depth"].dtype == np.float16
    np.testing.assert_array_equal(arrays["base/rgb"], arrays["stage1/rgb"])
    with np.load(io.BytesIO(encode_arrays(arrays)), allow_pickle=False) as file:
        np.testing.assert_array_equal(file["stage3/rgb"], arrays["stage3/rgb"])
    assert encode_arrays(arrays) == encode_arrays(shown_samples(done.whole))


def test_an_interrupted_evaluation_goes_on_and_finds_the_same(
    done: Done, studio: Studio, places: list[TakePlace], models: dict[str, Path], tmp_path: Path
) -> None:
    asked: list[int] = []

    def tired() -> bool:
        asked.append(0)
        return len(asked) > 8  # in the middle of a model's row

    with pytest.raises(StoppedError):
        evaluate(evaluation(places, models, tmp_path / "cut", stopped=tired))
    studio.seeds.clear()
    resumed = evaluate(evaluation(places, models, tmp_path / "cut"))
    assert "stage1" not in studio.seeds  # its row was finished
    for row, values in done.table.videos.items():
        np.testing.assert_array_equal(values, resumed.videos[row])
    for row, values in done.table.heads.items():
        np.testing.assert_array_equal(values, resumed.heads[row])
    for row, values in done.table.own.items():
        np.testing.assert_array_equal(values, resumed.own[row])


def test_the_results_say_what_was_measured_and_are_the_same_bytes_again(done: Done, tmp_path: Path) -> None:
    figures = summarise(done.table, seed=0, resamples=100)
    for folder in ("one", "two"):
        write_results(tmp_path / folder, done.whole, done.table, figures)
    for name in ("metrics.json", "per_clip.parquet", "samples.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    metrics = json.loads((tmp_path / "one/metrics.json").read_text())
    assert (metrics["evaluation.clips"], metrics["evaluation.noises"]) == (CLIPS, SAMPLES)
    assert metrics["truth.score"] == 100
    assert metrics["base_to_stage3.centroid_error.high"] < 0
    assert metrics["base_to_stage1.score"] == metrics["base_to_stage1.frechet_pixel_features"] == 0
    assert metrics["truth.frechet_pixel_features"] == pytest.approx(0, abs=1e-9)
    assert metrics["base.frechet_pixel_features"] > metrics["take2.frechet_pixel_features"] > 0
    assert metrics["stage3_own.agreement_depth_absrel"] == pytest.approx(0.2)
    assert metrics["stage2_own_to_stage3_own.agreement_flow_epe.n"] == CLIPS
    assert "base_own.depth_absrel" not in metrics
    assert metrics["stage1_to_stage2.head_flow_epe"] == pytest.approx(
        metrics["stage2.head_flow_epe"] - metrics["stage1.head_flow_epe"]
    )
