"""Videos from outside are measured as the rows of the project's own evaluation are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from components.errors import ClipError, ParametersError, Phys4dError, StoppedError
from components.evaluation import measure
from components.evaluation.consistency.frechet import PixelFeatures, frechet_of_videos
from components.evaluation.external import evaluate as module
from components.evaluation.external import kept
from components.evaluation.external.answers import find_answers
from components.evaluation.external.evaluate import Done, evaluate_videos
from components.evaluation.external.footage import Footage, read_footage
from components.evaluation.external.kept import Keeper
from components.evaluation.external.measuring import ClipTask, measure_answers
from components.evaluation.external.prompts import Prompt
from components.evaluation.external.standing import standing
from components.evaluation.judge import WORLD_METRICS
from components.generation_files import write_video
from tests.evaluation.external.project import (
    CONFIGURATIONS,
    JUDGE,
    Display,
    Frames,
    answer_all,
    external,
    frozen,
    make_project,
    prompts_of,
    run_external,
    save_judge,
    true_frames,
    write_lossless,
)

SETS: Mapping[str, Callable[[Frames], Frames]] = {"true": lambda frames: frames, "frozen": frozen}
METRICS = (*WORLD_METRICS, "score", "mse", "st_iou")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def perfect(root: Path) -> Done:
    """The true videos, given back without loss."""
    return run_external(external(root, answer_all(root, root / "perfect"), name="perfect"))


def row(document: Mapping[str, float | str], name: str) -> list[float]:
    return [float(document[f"{name}.{metric}"]) for metric in METRICS]


def test_the_true_videos_score_as_the_row_of_the_true_videos(root: Path, perfect: Done) -> None:
    document = perfect.document
    assert row(document, "perfect") == row(document, "judged_truth")
    assert document["perfect.centroid_error"] == 0
    assert document["perfect.score"] == document["truth.score"] == 100
    assert document["evaluation.first_frame_error"] == 0
    assert document["take2.centroid_error"] > 0  # type: ignore[operator]


def test_a_codec_costs_little(root: Path, tmp_path: Path, perfect: Done) -> None:
    for prompt in prompts_of(root):
        write_video(tmp_path / f"{prompt.id}.mp4", true_frames(prompt), fps=prompt.fps)
    document = run_external(external(root, tmp_path, name="coded")).document
    for metric, loss in {"centroid_error": 0.3, "flow_epe": 0.3, "permanence": 0.0, "mse": 1e-3}.items():
        assert document[f"coded.{metric}"] == pytest.approx(perfect.document[f"perfect.{metric}"], abs=loss)
    assert 0 < float(document["evaluation.first_frame_error"]) < 10


def test_a_frozen_first_frame_scores_as_the_still_picture(root: Path, tmp_path: Path) -> None:
    """Also in two samples a prompt: they are averaged."""
    for prompt in prompts_of(root):
        for seed in (3, 11):
            write_lossless(tmp_path / f"{prompt.id}-s{seed}.mov", frozen(true_frames(prompt)))
    document = run_external(external(root, tmp_path, name="still")).document
    assert row(document, "still") == row(document, "first_frame")
    assert document["evaluation.noises"] == 2
    table = pq.read_table(root / "data/evaluation/external/still/per_clip.parquet").to_pylist()
    assert [line["sample"] for line in table if line["row"] == "still"] == [0, 1] * CONFIGURATIONS


def test_metrics_json_says_what_was_measured(root: Path, perfect: Done) -> None:
    folder = root / "data/evaluation/external/perfect"
    document = json.loads((folder / "metrics.json").read_text())
    assert document == perfect.document
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.json", "per_clip.parquet"]
    assert document["external.name"] == "perfect"
    assert (document["evaluation.split"], document["evaluation.clips"]) == ("test", CONFIGURATIONS)
    assert {key.partition(".")[0] for key in document if key.partition(".")[0] not in ("evaluation", "external")} == {
        *("perfect", "truth", "judged_truth", "take2", "first_frame")
    }
    assert document["perfect.chamfer.n"] == CONFIGURATIONS
    assert document["perfect.chamfer.low"] <= document["perfect.chamfer"] <= document["perfect.chamfer.high"]
    look = json.loads((root / "docs/evidence/looks.jsonl").read_text().splitlines()[0])
    assert look["models"] == {"perfect": document["evaluation.videos"]}
    assert "perfect" in standing(document, "perfect").splitlines()[0]


@dataclass(frozen=True)
class Watched:
    """Clips that were read from videos, and clips that were measured."""

    read: list[str]
    measured: list[str]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    seen = Watched([], [])

    def reading(files: Sequence[Path], prompt: Prompt) -> Footage:
        seen.read.append(prompt.id)
        return read_footage(files, prompt)

    def measuring(task: ClipTask) -> None:
        seen.measured.append(task.place.take1.clip_id)
        measure_answers(task)

    monkeypatch.setattr(kept, "read_footage", reading)
    monkeypatch.setattr(module, "measure_answers", measuring)
    return seen


def test_the_set_of_videos_has_its_distance_to_the_true_set(root: Path, perfect: Done, tmp_path: Path) -> None:
    assert perfect.document["perfect.frechet_pixel_features"] == pytest.approx(0, abs=1e-6)
    still = run_external(external(root, answer_all(root, tmp_path, frozen), name="frozen")).document
    assert float(still["frozen.frechet_pixel_features"]) > 1e-4
    assert still["frozen.frechet_pixel_features"] == still["first_frame.frechet_pixel_features"]
    videos = {row: [make(true_frames(prompt)) for prompt in prompts_of(root)] for row, make in SETS.items()}
    assert still["frozen.frechet_pixel_features"] == pytest.approx(
        frechet_of_videos(videos["frozen"], videos["true"], PixelFeatures()), rel=1e-6
    )


def test_a_network_that_cannot_be_used_is_told_before_any_video_is_read(
    root: Path, tmp_path: Path, watched: Watched
) -> None:
    wanted = replace(external(root, answer_all(root, tmp_path), name="other"), network=str(tmp_path / "none.pt"))
    with pytest.raises(ParametersError, match=r"evaluation\.frechet_network: .*none\.pt is not a file"):
        run_external(wanted)
    assert watched.read == []


def test_the_same_videos_are_measured_once_and_a_changed_one_alone(
    root: Path, tmp_path: Path, watched: Watched
) -> None:
    wanted = external(root, answer_all(root, tmp_path), name="changing")
    first = run_external(wanted)
    assert len(watched.measured) == CONFIGURATIONS
    watched.measured.clear()
    display = Display()
    again = evaluate_videos(wanted, stopped=lambda: False, progress=display.open)
    assert again.document == first.document
    assert watched.measured == []
    assert display.done == display.total == 2 * CONFIGURATIONS
    changed = prompts_of(root)[1]
    write_lossless(tmp_path / f"{changed.id}.mov", frozen(true_frames(changed)))
    after = run_external(wanted).document
    assert watched.measured == [changed.clip_id]
    assert after["evaluation.videos"] != first.document["evaluation.videos"]
    assert after["changing.centroid_error"] > 0  # type: ignore[operator]
    assert len(list(wanted.work.rglob("*.npz"))) == CONFIGURATIONS  # nothing is kept of the video that was there


def test_what_is_kept_is_of_one_judge_one_network_and_one_size(root: Path, tmp_path: Path) -> None:
    answers = find_answers(answer_all(root, tmp_path / "videos"), prompts_of(root), allow_missing=False).answers
    save_judge(tmp_path / "judge", seed=1)
    network = tmp_path / "network.pt"
    network.write_bytes(b"its hash alone counts here")
    keeper = Keeper(folder=tmp_path / "work", judge=root / JUDGE, network=None, size=64)
    others = (
        *(keeper, replace(keeper, judge=tmp_path / "judge"), replace(keeper, size=128)),
        replace(keeper, network=str(network)),
    )
    assert len({clip.measured for other in others for clip in other.clips(answers)}) == len(others) * CONFIGURATIONS
    assert keeper.clips(answers) == keeper.clips(answers)


def test_a_stopped_run_goes_on_where_it_was_and_has_written_nothing(
    root: Path, tmp_path: Path, perfect: Done, watched: Watched
) -> None:
    wanted = external(root, answer_all(root, tmp_path), name="cut")

    def after_one() -> bool:
        return len(watched.measured) == 1

    with pytest.raises(StoppedError):
        run_external(wanted, stopped=after_one)
    assert not wanted.out.exists()
    resumed = run_external(wanted).document
    assert len(watched.read) == len(watched.measured) == CONFIGURATIONS  # in both runs together
    assert row(resumed, "cut") == row(perfect.document, "perfect")


@pytest.mark.slow
def test_several_processes_find_what_one_finds(
    root: Path, tmp_path: Path, perfect: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "CLIPS_PER_PROCESS", 2)
    wanted = replace(external(root, answer_all(root, tmp_path), name="both"), processes=2)
    assert row(run_external(wanted).document, "both") == row(perfect.document, "perfect")


def test_missing_videos_are_said_or_allowed(root: Path, tmp_path: Path) -> None:
    answer_all(root, tmp_path)
    first, *others = prompts_of(root)
    (tmp_path / f"{first.id}.mov").unlink()
    wanted = external(root, tmp_path, name="partial")
    with pytest.raises(ParametersError, match=f"1 of {CONFIGURATIONS} prompts have no video: {first.id}"):
        run_external(wanted)
    done = run_external(replace(wanted, allow_missing=True))
    assert (done.document["evaluation.clips"], done.document["evaluation.missing"]) == (len(others), 1)
    assert done.document["partial.chamfer.n"] == done.document["first_frame.chamfer.n"] == len(others)
    assert any(f"{len(others)} of {CONFIGURATIONS} prompts were measured" in note for note in done.notes)


def test_all_bad_videos_are_named_before_any_is_measured(root: Path, tmp_path: Path, watched: Watched) -> None:
    answer_all(root, tmp_path)
    short, broken, _ = prompts_of(root)
    write_lossless(tmp_path / f"{short.id}.mov", true_frames(short)[:6])
    (tmp_path / f"{broken.id}.mov").write_text("no video")
    wanted = external(root, tmp_path, name="bad")
    with pytest.raises(ParametersError) as caught:
        run_external(wanted)
    message = str(caught.value)
    assert f"{short.id}.mov is too short: 0.38 s, 6 frames at 16 a second; expected 0.56 s or more, 9 frames" in message
    assert f"{broken.id}.mov cannot be read" in message
    assert "2 of 3 prompts" in message
    assert watched.measured == []
    assert not wanted.out.exists()


def test_a_video_that_changes_while_it_is_read_is_not_taken(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = external(root, answer_all(root, tmp_path), name="growing")
    growing = prompts_of(root)[0]

    def reading(files: Sequence[Path], prompt: Prompt) -> Footage:
        if prompt.id == growing.id:
            write_lossless(files[0], frozen(true_frames(prompt)))
        return read_footage(files, prompt)

    monkeypatch.setattr(kept, "read_footage", reading)
    with pytest.raises(ParametersError, match=f"{growing.id}.mov changed while it was read"):
        run_external(wanted)


def test_results_replace_those_of_the_same_name_and_nothing_else(root: Path, perfect: Done, tmp_path: Path) -> None:
    wanted = external(root, root / "perfect", name="perfect")
    run_external(wanted)  # again
    for out, cause in {
        wanted.videos: "which is no result of this command",
        root / "docs/evidence/looks.jsonl": "is a file, expected a folder",
    }.items():
        with pytest.raises(ParametersError, match=cause):
            run_external(replace(wanted, out=out))
    with pytest.raises(ParametersError, match="the results of perfect on the split test, expected those of other"):
        run_external(replace(wanted, name="other"))
    with pytest.raises(
        ParametersError, match="the results of perfect on the split test, expected those of perfect on dev"
    ):
        run_external(replace(wanted, split=wanted.split.with_name("dev")))


def test_what_must_be_made_first_is_said(root: Path, perfect: Done) -> None:
    wanted = external(root, root / "perfect", name="perfect")
    with pytest.raises(Phys4dError, match="run phys4d stage depth_net@judge, or dvc pull"):
        run_external(replace(wanted, judge=root / "absent/judge"))
    with pytest.raises(ClipError, match="phys4d stage simulate@dev --force"):
        run_external(replace(wanted, split=root / "data/simulation/dev", out=root / "new"))
