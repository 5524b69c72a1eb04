"""Cells of an ablation as a user runs them: what they share is made once, and they are measured as the evaluation."""

import csv
import json
from pathlib import Path

import pytest

from tests.integration.project import PHYS4D, Project, finished_smoke

COMMAND = (*PHYS4D, "ablate", "--backbone", "wan22", "--split", "test")
FIRST = ("--replicate", "0")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The smoke project, whole."""
    return finished_smoke(tmp_path_factory, "ablate")


def cells(project: Project) -> list[dict[str, str]]:
    with (project.root / "docs/evidence/cells.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_nothing_is_run_where_cells_are_only_listed(project: Project) -> None:
    result = project.run(*COMMAND, *FIRST, "--list")
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("not run") == result.stdout.count("wan22") > 5
    assert not (project.root / "docs/evidence/cells.csv").exists()


@pytest.mark.slow
def test_a_cell_has_the_figures_of_the_evaluation_and_is_not_run_again(project: Project) -> None:
    result = project.run(*COMMAND, *FIRST, "--variant", "stage2", "--variant", "stage3")
    assert result.returncode == 0, result.stderr
    metrics = json.loads((project.root / "data/evaluation/wan22/metrics.json").read_text())
    for line in cells(project):
        for name in ("score", "chamfer", "centroid_error"):
            for column, end in (("", ""), ("_low", ".low"), ("_high", ".high")):
                expected = metrics[f"{line['variant']}.{name}{end}"]
                assert float(line[f"{name}{column}"]) == pytest.approx(expected, rel=1e-4)
        assert (project.root / f"docs/evidence/cells/wan22-{line['variant']}-0-test.parquet").is_file()
    assert "is cached" in result.stderr + result.stdout or "didn't change" in result.stderr + result.stdout
    again = project.run(*COMMAND, *FIRST, "--variant", "stage2", "--variant", "stage3")
    assert again.returncode == 0, again.stderr
    assert "Running stage" not in again.stdout
    assert again.stdout.splitlines()[-3:] == result.stdout.splitlines()[-3:]


@pytest.mark.long
def test_another_seed_trains_another_model_on_the_same_data(project: Project) -> None:
    result = project.run(*COMMAND, "--variant", "base", *FIRST, "--replicate", "1")
    assert result.returncode == 0, result.stderr
    one, other = (line for line in cells(project) if line["variant"] == "base")
    assert one["judge"] == other["judge"] != ""
    assert (one["seed"], other["seed"]) == ("0", "1")
    assert one["score"] != other["score"]
    assert one["examples"] == other["examples"]
    assert "simulate" not in "".join(line for line in result.stdout.splitlines() if line.startswith("Running"))


@pytest.mark.long
def test_the_best_of_several_videos_is_the_models_own_but_for_the_choice(project: Project) -> None:
    """One candidate is what the model gives anyway; of more the reward, which knows the truth, takes no worse ones."""
    file = project.root / "choices.yaml"
    file.write_text("one: {judged: stage2}\nof_four: {judged: stage2, best_of: 4}\n")
    result = project.run(*COMMAND, *FIRST, "--variants", str(file))
    assert result.returncode == 0, result.stderr
    one, four = ({line["variant"]: line for line in cells(project)}[name] for name in ("one", "of_four"))
    assert (one["steps"], one["examples"], one["sampled"]) == (four["steps"], four["examples"], "0")
    assert four["sampled"] == str(4 * int(one["n"]))  # a video of each scene
    assert four["chamfer"] != one["chamfer"]


@pytest.mark.long
def test_scenes_unlike_those_of_training_are_made_and_measured_once(project: Project) -> None:
    command = (*PHYS4D, "generalise", "--backbone", "wan22", "--scenes", "2")
    result = project.run(*command, "--shift", "gravity_10")
    assert result.returncode == 0, result.stderr
    with (project.root / "docs/evidence/generalisation.csv").open() as file:
        lines = {line["row"]: line for line in csv.DictReader(file)}
    assert lines.keys() >= {"first_frame", "base", "stage2", "stage3", "base_to_stage3"}
    assert {(line["shift"], line["n"]) for line in lines.values()} == {("gravity_10", "2")}
    scenes = Path("data/simulation/dev/index.parquet")
    made, trained = (root / scenes for root in (project.root / ".phys4d/ablation", project.root))
    assert made.read_bytes() != trained.read_bytes()
    assert (project.root / "docs/evidence/generalisation.png").stat().st_size > 0
    again = project.run(*command, "--shift", "gravity_10")
    assert again.returncode == 0, again.stderr
    assert "Running stage" not in again.stdout
    assert "not run with these parameters: wan22 as_trained" in project.run(*command, "--list").stdout


@pytest.mark.slow
def test_a_wrong_variant_names_those_there_are(project: Project) -> None:
    result = project.run(*COMMAND, "--variant", "stage4")
    assert result.returncode == 78
    assert "--variant 'stage4' is wrong, expected one of base, stage2" in result.stderr
    assert Path(project.root / "params.yaml").is_file()
