"""The smoke profile through the whole graph, as a user runs it; then what makes which stage run again."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from components.index import read_index, read_split
from components.tracking import DATABASE
from tests.integration.project import DVC, PHYS4D, Project, make_project, run_smoke
from tests.report.html import read_page

SPLITS = ("appearance", "labeler", "judge", "train", "dev", "test")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return run_smoke(tmp_path_factory.mktemp("smoke"))


def stale(project: Project) -> set[str]:
    """Stages that DVC would run again for a change of their own dependencies."""
    result = project.run(*DVC, "status", "--json")
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(content)


def test_a_second_repro_runs_nothing(done: Project) -> None:
    result = done.run(*DVC, "repro")
    assert result.returncode == 0
    assert "Data and pipelines are up to date." in result.stdout
    assert "Running stage" not in result.stdout


def test_nothing_of_the_work_is_left_over(done: Project) -> None:
    assert list((done.root / ".phys4d/progress").iterdir()) == []
    hidden = [path for path in (done.root / "data").rglob(".*") if path.name != ".gitignore"]
    assert hidden == []


def test_every_split_is_there_and_every_clip_reads(done: Project) -> None:
    for split in SPLITS:
        clips = list(read_split(done.root / "data/simulation" / split))
        assert len(clips) == (8 if split in ("appearance", "train", "dev", "test") else 4)
        assert {clip.meta.split for clip in clips} == {split}


def test_splits_share_no_configuration(done: Project) -> None:
    seen = [{row.configuration for row in read_index(done.root / "data/simulation" / split)} for split in SPLITS]
    assert len(set.union(*seen)) == sum(len(hashes) for hashes in seen)


def test_only_hidden_motion_leaves_the_future_open(done: Project) -> None:
    for split in SPLITS:
        rows = read_index(done.root / "data/simulation" / split)
        assert {row.future_determined for row in rows} == {split != "appearance"}


def test_the_truth_scores_100_and_a_frozen_frame_far_less(done: Project) -> None:
    metrics = json.loads((done.root / "data/evaluation/wan22/metrics.json").read_text())
    assert metrics["truth.score"] == metrics["truth.score.low"] == metrics["truth.score.high"] == 100
    assert metrics["truth.centroid_error"] == 0
    assert metrics["first_frame.score.high"] < 50


def test_the_reports_numbers_are_those_of_mlflow(done: Project) -> None:
    (folder,) = (done.root / "data/report").glob("*.html")
    shown = read_page(folder.read_text()).numbers
    with closing(sqlite3.connect(done.root / DATABASE)) as connection:
        logged = dict(
            connection.execute(
                "select m.key, m.value from metrics m join tags t using (run_uuid) "
                "where t.key = 'stage' and t.value = 'evaluate@wan22'"
            )
        )
    assert len(shown) > 300
    assert {number.key: number.value for number in shown} == {number.key: logged.get(number.key) for number in shown}


def test_the_shell_makes_the_same_bytes_as_dvc_with_any_number_of_processes(done: Project, tmp_path: Path) -> None:
    alone = make_project(tmp_path, {"resources__processes": 2})
    assert alone.run(*PHYS4D, "simulate", "--split", "train", "--json").returncode == 0
    assert alone.hashes("data/simulation/train") == done.hashes("data/simulation/train")


def test_the_preview_is_a_picture(done: Project) -> None:
    result = done.run(*PHYS4D, "preview", "--split", "train", "--out", "preview.png")
    assert result.returncode == 0, result.stderr
    picture = cv2.imread(str(done.root / "preview.png"))
    assert picture is not None
    assert picture.std() > 20


def test_a_picture_and_a_sentence_become_a_moving_point_cloud(done: Project) -> None:
    """The same twice, from a picture of any size; a prompt longer than the model reads is said to be."""
    assert cv2.imwrite(str(done.root / "photo.png"), np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8))
    for out in ("one", "two"):
        result = done.run(
            *PHYS4D, "generate", "--image", "photo.png", "--prompt", "a red ball " * 9, "--seed", "3", "--out", out
        )
        assert result.returncode == 0, result.stderr
        assert "tokens longer than this model reads" in result.stderr
    made = done.hashes("one")
    assert made == done.hashes("two")
    assert {"rgb.mp4", "depth.npz", "motion.npz", "preview.png"} < made.keys()
    assert sum(name.endswith(".ply") for name in made) == 17


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("processes: 1", "processes: 2", set()),
        ("threads: 1", "threads: 2", set()),
        ("group_size: 2", "group_size: 4", {"stage3@wan22"}),
        ("max_speed: 40.0", "max_speed: 41.0", {f"validate_simulation@{split}" for split in SPLITS}),
        ("bootstrap_samples: 200", "bootstrap_samples: 300", {"evaluate@wan22", "report"}),
        ("ramp_angle:\n    - 15.0", "ramp_angle:\n    - 16.0", {f"simulate@{split}" for split in SPLITS}),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_a_changed_parameter_runs_only_what_looks_at_it(done: Project, old: str, new: str, expected: set[str]) -> None:
    with edited(done.root / "params.yaml", old, new):
        assert stale(done) == expected


def test_a_changed_split_runs_only_itself_and_its_gate(done: Project) -> None:
    with edited(
        done.root / "params.yaml",
        "train:\n      physics: real\n      configurations:\n        rigid: 8",
        "train:\n      physics: real\n      configurations:\n        rigid: 9",
    ):
        assert stale(done) == {"simulate@train", "validate_simulation@train"}


def test_editing_evaluation_runs_the_evaluation_only(done: Project) -> None:
    with edited(done.root / "components/evaluation/judge.py", '"""', '"""Edited. '):
        assert stale(done) == {"evaluate@wan22"}


def test_editing_the_renderer_makes_the_clips_again(done: Project) -> None:
    with edited(done.root / "components/simulation/rendering/renderer.py", '"""', '"""Edited. '):
        assert stale(done) == {f"simulate@{split}" for split in SPLITS}
