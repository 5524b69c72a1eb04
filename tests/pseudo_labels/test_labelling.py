"""Every video gets its labels, the same whoever makes them and however often they are interrupted."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from components import depth_network
from components.errors import ClipError, StoppedError
from components.pseudo_labels.collecting import collect
from components.pseudo_labels.dis import DisFlow
from components.pseudo_labels.labelling import Labelling
from components.pseudo_labels.sources import FILES_PER_SHARD, split_source
from components.pseudo_labels.storage import LabelRow, read_labelled, read_rows, read_videos
from tests.pseudo_labels.labelled import make_labelling, run, save_labeler
from tests.pseudo_labels.videos import LIMITS, SMOKE, Counter
from tests.test_quality import write_split


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos in two shards and a labeler."""
    folder = tmp_path_factory.mktemp("project")
    make_labelling(folder, folder / "work", videos=FILES_PER_SHARD + 2, frames=5)
    return folder


def labelling(project: Path, work: Path) -> Labelling:
    return Labelling(videos=project / "videos", labeler=project / "labeler", section=SMOKE.pseudo_labels, work=work)


@pytest.fixture(scope="module")
def whole(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Labelling:
    """Labelled by one process without an interruption."""
    todo = labelling(project, tmp_path_factory.mktemp("whole"))
    run(todo)
    return todo


def test_labels_are_what_the_estimators_say(project: Path, whole: Labelling) -> None:
    todo = whole
    network, flow = depth_network.load(project / "labeler"), DisFlow(consistency=SMOKE.pseudo_labels.consistency)
    pairs = list(zip(read_labelled(todo.result), read_videos(todo.videos), strict=True))
    assert len(pairs) == FILES_PER_SHARD + 2
    for labelled, video in pairs[:3]:
        assert (labelled.clip_id, labelled.caption) == (video.clip_id, video.caption)
        np.testing.assert_array_equal(labelled.rgb, video.rgb)
        assert labelled.depth_kind == "affine_disparity"
        np.testing.assert_allclose(labelled.depth, network.predict(video.rgb), rtol=6e-4, atol=1e-6)
        motion, confidence = flow.predict(video.rgb)
        np.testing.assert_allclose(labelled.flow, motion, atol=1 / 128)
        np.testing.assert_allclose(labelled.confidence, confidence, atol=1 / 256)


def test_the_same_videos_give_the_same_bytes_whoever_labels_them(
    project: Path, tmp_path: Path, whole: Labelling
) -> None:
    todo = labelling(project, tmp_path)
    run(todo, processes=2)
    assert contents(todo.result) == contents(whole.result)


def test_a_stopped_labelling_goes_on_and_ends_with_the_same_bytes(
    project: Path, tmp_path: Path, whole: Labelling
) -> None:
    todo = labelling(project, tmp_path / "stopped")
    with pytest.raises(StoppedError):
        run(todo, stopped=(todo.result / "shard-00000.tar").exists)
    assert not (todo.result / "shard-00001.tar").exists()
    display = run(todo)
    assert (display.resumed, display.done) == (FILES_PER_SHARD, 2)
    assert contents(todo.result) == contents(whole.result)


def test_workers_stop_when_their_parent_is_asked_to(project: Path, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(labelling(project, tmp_path), processes=2, stopped=lambda: True)


def test_a_shard_damaged_between_two_runs_is_made_again(project: Path, tmp_path: Path, whole: Labelling) -> None:
    todo = labelling(project, tmp_path)
    shutil.copytree(whole.work, todo.work, dirs_exist_ok=True)
    good = contents(todo.result)
    (todo.result / "shard-00001.tar").write_bytes(good["shard-00001.tar"][:-2000])
    assert run(todo).done == 2
    assert contents(todo.result) == good


def test_a_damaged_video_is_named(project: Path, tmp_path: Path) -> None:
    todo = labelling(project, tmp_path)
    shard = todo.videos / "shard-00001.tar"
    content = shard.read_bytes()
    try:
        shard.write_bytes(content[:700] + b"\xff" + content[701:])
        with pytest.raises(ClipError, match=r"video-00016-16-0000.*phys4d stage collect_videos --force"):
            run(todo)
    finally:
        shard.write_bytes(content)


def test_depth_of_real_videos_by_the_laptops_labeler_is_said_to_be_a_guess(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(labelling(project, tmp_path))
    assert "warning: depth comes from the laptop's labeler, which learned it on simulated" in capsys.readouterr().err


def test_depth_of_simulated_videos_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_split(tmp_path / "split")
    source = split_source(tmp_path / "split", LIMITS)
    collect(source, field="videos.source", work=tmp_path, processes=1, stopped=lambda: False, display=Counter())
    section = SMOKE.pseudo_labels
    labeler = save_labeler(tmp_path / "labeler")
    todo = Labelling(videos=tmp_path / "videos", labeler=labeler, section=section, work=tmp_path)
    run(todo)
    assert capsys.readouterr().err == ""
    assert all(row.simulated for row in read_rows(todo.result, LabelRow))
