"""Results of finished cases: a run that was stopped goes on, what changed is measured again, memory does not grow."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.errors import ParametersError, Phys4dError
from components.evaluation import physics_iq_files
from components.evaluation.physics_iq_files import score_folder
from components.evaluation.physics_iq_folders import CaseVideos, find_cases
from components.evaluation.physics_iq_results import Results, result_key
from components.evaluation.physics_iq_score import PhysicsIqCase
from tests.evaluation.physics_iq_samples import clip, real_name, write_video

VIEWS = ("left", "center", "right")
SIZE = (64, 48)


def write_folders(folder: Path, *, scenarios: int = 1, size: tuple[int, int] = SIZE) -> tuple[Path, Path]:
    """Generated and real folders of short, small clips; each scenario's alike."""
    count = scenarios * len(VIEWS)
    frames = [clip(seed=1, seconds=5, fps=8, size=size, speed=speed) for speed in (1.0, 1.05, 1.2)]
    for number in range(count):
        view, scenario = VIEWS[number % len(VIEWS)], f"fall-{number // len(VIEWS)}"
        for take in (1, 2):
            name = real_name(number + 1 + count * (take - 1), fps=8, view=view, take=take, scenario=scenario)
            write_video(folder / "real" / name, frames[take - 1], fps=8)
        write_video(folder / "generated" / f"{number + 1:04d}.mp4", frames[2], fps=8)
    return folder / "generated", folder / "real"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return write_folders(tmp_path)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[CaseVideos]:
    """The cases that were measured, in order."""
    cases: list[CaseVideos] = []
    measure = physics_iq_files._measure

    def record(case: CaseVideos, *, fps: float) -> PhysicsIqCase:
        cases.append(case)
        return measure(case, fps=fps)

    monkeypatch.setattr(physics_iq_files, "_measure", record)
    return cases


def first_case(folders: tuple[Path, Path]) -> CaseVideos:
    return find_cases(*folders, fps=None).cases[0]


def test_a_finished_case_is_not_measured_again(
    folders: tuple[Path, Path], measured: list[CaseVideos], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    first = score_folder(*folders, small=True, results=results)
    assert (len(measured), len(list(results.iterdir()))) == (1, 1)  # three cases of the same bytes
    assert score_folder(*folders, small=True, results=results) == first
    assert score_folder(*folders, small=True).total == first.total


def test_names_and_places_of_the_videos_are_no_matter(
    folders: tuple[Path, Path], measured: list[CaseVideos], tmp_path: Path
) -> None:
    results = tmp_path / "results"
    score_folder(*folders, small=True, results=results)
    measured.clear()
    shutil.move(folders[0], tmp_path / "elsewhere")
    (tmp_path / "elsewhere/0002.mp4").rename(tmp_path / "elsewhere/0002_center.mp4")
    score_folder(tmp_path / "elsewhere", folders[1], small=True, results=results)
    assert measured == []


@pytest.mark.parametrize("place", [0, 1])
def test_a_video_of_other_bytes_is_measured(
    folders: tuple[Path, Path], measured: list[CaseVideos], tmp_path: Path, place: int
) -> None:
    results = tmp_path / "results"
    score_folder(*folders, small=True, results=results)
    measured.clear()
    path = min(folders[place].iterdir())
    before = path.stat()
    write_video(path, clip(seed=2, seconds=5, fps=8, size=SIZE), fps=8)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert score_folder(*folders, small=True, results=results) == score_folder(*folders, small=True)
    assert len(measured) == 1 + 3


def test_another_rate_code_or_library_is_another_result(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = first_case(folders)
    key = result_key(case, fps=8.0)
    assert key == result_key(case, fps=8.0)
    assert key != result_key(case, fps=16.0)
    monkeypatch.setattr("components.evaluation.physics_iq_results.measuring_version", lambda: "another")
    assert key != result_key(case, fps=8.0)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"take1": [1], "take2": [1], "variance": [1]}', b"\xff", b"null"]
)
def test_a_damaged_result_is_measured_again(folders: tuple[Path, Path], tmp_path: Path, content: bytes) -> None:
    results = Results(folder=tmp_path)
    (tmp_path / "key.json").write_bytes(content)
    assert results.load("key", first_case(folders)) is None


def test_a_result_that_is_not_finite_is_none(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text('{"take1": [1,1,1,NaN], "take2": [1,1,1,0], "variance": [1,1,1,0]}')
    assert Results(folder=tmp_path).load("key", first_case(folders)) is None


def test_a_video_that_changes_meanwhile_is_refused(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    measure = physics_iq_files._measure

    def meanwhile(case: CaseVideos, *, fps: float) -> PhysicsIqCase:
        found = measure(case, fps=fps)
        case.generated.path.write_bytes(case.generated.path.read_bytes() + b"\0")
        return found

    monkeypatch.setattr(physics_iq_files, "_measure", meanwhile)
    with pytest.raises(Phys4dError, match=r"changed while it was scored: .*0001\.mp4"):
        score_folder(*folders, small=True, results=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_video_that_is_gone_is_named(folders: tuple[Path, Path]) -> None:
    case = first_case(folders)
    case.take2.path.unlink()
    with pytest.raises(ParametersError, match=r"take-2.* cannot be read"):
        result_key(case, fps=8.0)


KILLED = """
import os, signal, sys
from pathlib import Path
from components.evaluation.physics_iq_files import score_folder
def stop(done, total):
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
score_folder(Path(sys.argv[1]), Path(sys.argv[2]), small=True, results=Path(sys.argv[3]), progress=stop)
"""


def test_a_killed_run_goes_on(tmp_path: Path, measured: list[CaseVideos]) -> None:
    folders, results = write_folders(tmp_path), tmp_path / "results"
    for number in (2, 3):  # each case of its own
        frames = clip(seed=1, seconds=5, fps=8, size=SIZE, speed=1 + 0.1 * number)
        write_video(folders[0] / f"{number:04d}.mp4", frames, fps=8)
    killed = subprocess.run([sys.executable, "-c", KILLED, *map(str, folders), str(results)], check=False)
    assert killed.returncode == -signal.SIGKILL
    table = score_folder(*folders, small=True, results=results)
    assert [case.generated.path.name for case in measured] == ["0003.mp4"]
    assert table == score_folder(*folders, small=True)


PEAK = """
import sys
from pathlib import Path
from components.evaluation.physics_iq_files import score_folder
from components.processes import peak_memory
score_folder(Path(sys.argv[1]), Path(sys.argv[2]))
print(peak_memory())
"""


@pytest.mark.slow
def test_memory_is_flat_from_3_to_12_cases(tmp_path: Path) -> None:
    """A case of 640x480 pixels is 110 megabytes when held whole."""
    peaks = []
    for scenarios in (1, 4):
        folders = write_folders(tmp_path / str(scenarios), scenarios=scenarios, size=(640, 480))
        done = subprocess.run([sys.executable, "-c", PEAK, *map(str, folders)], capture_output=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 12, peaks
