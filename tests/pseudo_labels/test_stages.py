"""The stages from videos to labels, run as the pipeline runs them, in a folder of their own."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest

from components import depth_network
from components.backbones import laptop_latents
from components.errors import GateRefusedError, ParametersError, StoppedError
from components.params import Params
from components.pipeline.execution import StageContext
from components.progress import Progress
from components.pseudo_labels.storage import VideoRow, read_labelled, read_rows
from tests.pseudo_labels.labelled import save_labeler
from tests.pseudo_labels.videos import FORM, SMOKE, panning, write_file
from tests.test_depth_network import write_clips


@dataclass
class Project:
    """A folder in which stages run. stopping: whether a signal asked to stop."""

    root: Path
    params: Params
    stopping: bool = False
    logged: list[int] = field(default_factory=list)

    def run(self, stage: str, **item: str) -> Mapping[str, float]:
        module = importlib.import_module(f"components.stages.{stage}")
        work = self.root / ".work" / "-".join([stage, *item.values()])
        work.mkdir(parents=True, exist_ok=True)
        context = StageContext(
            work=work,
            stopped=lambda: self.stopping,
            progress=lambda total: Progress(stage, total, unit=module.UNIT),
            log=lambda _figures, step: self.logged.append(step),
        )
        figures: Mapping[str, float] = module.run(self.params, context, **item)
        rmtree(work)
        return figures


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Videos of one's own, and latents and clips for the depth networks."""
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write_file(tmp_path / "in" / f"{number}.mp4", panning(10, seed=number))
    clips = write_clips(tmp_path / "data/simulation/judge", 4)
    codec = laptop_latents.fit(np.stack([clip.rgb for clip in clips]), channels=4)
    laptop_latents.save(codec, tmp_path / "models/latents" / laptop_latents.FILE)
    videos = SMOKE.videos.model_copy(update={"source": str(tmp_path / "in")})
    resources = SMOKE.resources.model_copy(update={"processes": 1, "threads": 1})
    return Project(tmp_path, SMOKE.model_copy(update={"video": FORM, "videos": videos, "resources": resources}))


def test_videos_become_labels_that_pass_the_gate(project: Project) -> None:
    assert project.run("collect_videos")["clips"] == 4
    save_labeler(Path("models/depth_nets/labeler"))
    assert project.run("pseudo_label")["clips"] == 4
    assert project.run("validate_pseudo_labels")["failed"] == 0
    assert json.loads(Path("data/quality/pseudo_labels.json").read_text())["passed"]
    assert len(list(read_labelled(Path("data/pseudo_labels")))) == 4


def test_a_refusal_leaves_no_earlier_verdict(project: Project) -> None:
    project.run("collect_videos")
    save_labeler(Path("models/depth_nets/labeler"))
    project.run("pseudo_label")
    project.run("validate_pseudo_labels")
    strict = project.params.pseudo_labels.model_copy(update={"min_confidence": 1.0, "max_rejected_share": 0.0})
    project.params = project.params.model_copy(update={"pseudo_labels": strict})
    with pytest.raises(GateRefusedError, match=r"mean_confidence.*video-00000-0-0000.*\.phys4d/quality/pseudo_labels"):
        project.run("validate_pseudo_labels")
    assert not Path("data/quality/pseudo_labels.json").exists()
    assert not json.loads(Path(".phys4d/quality/pseudo_labels.json").read_text())["passed"]


@pytest.mark.parametrize("stage", ["collect_videos", "pseudo_label"])
def test_a_stopped_stage_leaves_no_result_and_goes_on(project: Project, stage: str) -> None:
    if stage == "pseudo_label":
        project.run("collect_videos")
        save_labeler(Path("models/depth_nets/labeler"))
    project.stopping = True
    with pytest.raises(StoppedError):
        project.run(stage)
    out = Path("data/videos" if stage == "collect_videos" else "data/pseudo_labels")
    assert not out.exists()
    project.stopping = False
    assert project.run(stage)["clips"] == 4


def test_without_a_folder_of_ones_own_the_appearance_split_is_used(project: Project) -> None:
    write_clips(Path("data/simulation/appearance"), 3)
    project.params = project.params.model_copy(update={"videos": SMOKE.videos})
    project.run("collect_videos")
    rows = read_rows(Path("data/videos"), VideoRow)
    assert [row.simulated for row in rows] == [True] * 3


def test_a_folder_that_is_not_there_is_a_wrong_parameter(project: Project) -> None:
    videos = project.params.videos.model_copy(update={"source": "nowhere"})
    project.params = project.params.model_copy(update={"videos": videos})
    with pytest.raises(ParametersError, match=r"videos\.source: nowhere is no folder"):
        project.run("collect_videos")


def test_a_depth_network_is_trained_measured_and_written(project: Project) -> None:
    figures = project.run("depth_net", split="judge")
    assert set(figures) == {"absrel", "foreground_absrel"}
    folder = Path("models/depth_nets/judge")
    assert depth_network.load(folder).depth_kind == "metric"
    steps = project.params.depth_net.steps
    assert len((folder / "losses.csv").read_text().splitlines()) == steps + 1
    assert project.logged == list(range(steps))
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    project.run("depth_net", split="judge")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_a_stopped_depth_network_goes_on_to_the_same_bytes(project: Project) -> None:
    project.run("depth_net", split="judge")
    folder = Path("models/depth_nets/judge")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    rmtree(folder)
    project.stopping = True
    with pytest.raises(StoppedError, match=r"stopped at step 0 of 8; the same command goes on"):
        project.run("depth_net", split="judge")
    assert not folder.exists()
    project.stopping = False
    project.run("depth_net", split="judge")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
