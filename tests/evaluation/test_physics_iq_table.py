"""What is shown of a scored folder: rows, categories from the benchmark's table, and what to know of the score."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from components.__main__ import run
from components.errors import ExitCode, ParametersError
from components.evaluation.physics_iq_agreement import Agreement
from components.evaluation.physics_iq_categories import read_categories
from components.evaluation.physics_iq_files import score_folder
from components.evaluation.physics_iq_score import PhysicsIqCase
from components.evaluation.physics_iq_table import tabulate
from tests.evaluation.physics_iq_samples import SAMPLES, write_sample

ORACLE = Path(__file__).parents[1] / "data" / "physics_iq_oracle"
GENERATED, REAL = ORACLE / "generated_jit20", ORACLE / "real"


def case(scenario: str, view: str, *, share: float) -> PhysicsIqCase:
    """A case that reaches `share` of what the takes reach of each other."""
    reached = Agreement(st_iou=0.4 * share, s_iou=0.8 * share, ws_iou=0.6 * share, mse=0.01)
    variance = Agreement(st_iou=0.4, s_iou=0.8, ws_iou=0.6, mse=0.01)
    return PhysicsIqCase(scenario=scenario, view=view, take1=reached, take2=reached, variance=variance)


CASES = [case(name, view, share=share) for name, share in (("a", 0.2), ("b", 0.4), ("c", 0.9)) for view in ("l", "r")]
CATEGORIES = {"a": "Optics", "b": "Optics", "c": "Magnetism"}


def write_table(path: Path, *lines: tuple[str, str]) -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["scenario", "description", "category", "generated_video_name"])
        for name, category in lines:
            table.writerow([f"0001_perspective-left_take-1_{name}.mp4", "A ball, falling.", category, "0001.mp4"])
    return path


class TestRows:
    def test_a_row_is_the_score_of_its_cases(self) -> None:
        table = tabulate(CASES, categories=CATEGORIES, of_benchmark=True, notes=())
        assert table.total.score == 50
        assert {name: row.score for name, row in table.views.items()} == {"l": 50, "r": 50}
        assert {name: row.score for name, row in table.categories.items()} == {"Magnetism": 90, "Optics": 30}
        assert [row.n for row in table.categories.values()] == [2, 4]
        assert table.categories["Magnetism"].interval is None

    def test_a_scenario_without_category_is_in_no_row(self) -> None:
        assert list(tabulate(CASES, categories={"a": "Optics"}, of_benchmark=True, notes=()).categories) == ["Optics"]

    def test_text_has_every_row_and_names_what_it_is(self) -> None:
        text = tabulate(CASES, categories=CATEGORIES, of_benchmark=True, notes=()).to_text()
        assert text.splitlines()[0].startswith("Physics-IQ score: 50.00 [")
        assert [line.split()[0] for line in text.splitlines()[6:]] == ["l", "r", "Magnetism", "Optics"]
        assert "one scenario" in text
        other = tabulate(CASES, categories={}, of_benchmark=False, notes=("small",))
        assert other.to_text().startswith("Physics-IQ formula: ")
        assert other.to_json()["benchmark"] is False


class TestCategories:
    def test_the_scenario_is_the_last_part_of_the_name(self, tmp_path: Path) -> None:
        write_table(tmp_path / "descriptions.csv", ("trimmed-ball", "Optics"), ("trimmed-duck", "Fluid Dynamics"))
        testing = tmp_path / "physics-IQ-benchmark/split-videos/testing"
        testing.mkdir(parents=True)
        for folder in (tmp_path, testing):
            assert read_categories(folder, {"trimmed-ball"}) == ({"trimmed-ball": "Optics"}, ())

    def test_scenarios_without_category_are_named(self, tmp_path: Path) -> None:
        file = write_table(tmp_path / "any.csv", ("ball", "Optics"))
        categories, (note,) = read_categories(tmp_path, {"ball", "duck"}, file=file)
        assert (categories, "no category of 1 scenarios: duck" in note) == ({"ball": "Optics"}, True)

    def test_no_table_is_said(self, tmp_path: Path) -> None:
        folder = tmp_path / "a/b/c/d"
        categories, (note,) = read_categories(folder, {"ball"})
        assert (categories, "no categories" in note) == ({}, True)

    @pytest.mark.parametrize(
        ("lines", "part"),
        [
            ([("ball", "Optics"), ("ball", "Magnetism")], "line 3 says that ball is of Magnetism"),
            ([("ball", "")], "line 2 has no scenario or no category"),
        ],
    )
    def test_a_table_that_says_nothing_or_two_things(
        self, tmp_path: Path, lines: list[tuple[str, str]], part: str
    ) -> None:
        file = write_table(tmp_path / "any.csv", *lines)
        with pytest.raises(ParametersError, match=part):
            read_categories(tmp_path, {"ball"}, file=file)

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_a_table_that_cannot_be_read(self, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "any.csv"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ParametersError, match=r"any\.csv cannot be read"):
            read_categories(tmp_path, {"ball"}, file=file)


class TestReservations:
    def test_a_subset_is_the_whole_scenarios_and_says_so(self, tmp_path: Path) -> None:
        for path in sorted(GENERATED.iterdir())[:5]:
            shutil.copy(path, tmp_path)
        table = score_folder(tmp_path, REAL, subset=True)
        assert (table.total.n, table.total.scenarios, table.of_benchmark) == (3, 1, False)
        assert table.notes[0] == "not the benchmark's score: 3 of its 66 x 3 cases, 1 of 66 scenarios"
        assert "left out: 2 videos" in table.notes[1]
        assert "0004, 0005" in table.notes[1]

    def test_small_clips_pass_when_allowed_and_are_named(self, tmp_path: Path) -> None:
        table = score_folder(*write_sample(SAMPLES["real_at_30_fps"], tmp_path), small=True)
        notes = " ".join(table.notes)
        assert "is 160x120 pixels" in notes
        assert "real videos of 30 frames a second were resampled to 8" in notes
        assert not table.of_benchmark


class TestCommand:
    def test_one_json_object(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        file = write_table(tmp_path / "t.csv", ("trimmed-alpha", "Optics"), ("trimmed-beta", "Magnetism"))
        arguments = ["physics-iq", "score", "--videos", str(GENERATED), "--real", str(REAL), "--workers", "1", "--json"]
        assert run([*arguments, "--descriptions", str(file)], debug=False) == 0
        captured = capsys.readouterr()
        document = json.loads(captured.out)
        assert (document["score"], document["benchmark"]) == (62.78, False)
        assert list(document["categories"]) == ["Magnetism", "Optics"]
        assert list(document["views"]) == ["perspective-left", "perspective-center", "perspective-right"]
        low, high = document["column_intervals"]["s_iou"]
        assert low < document["columns"]["s_iou"] < high
        assert "note: not the benchmark's score: 6 of its 66 x 3 cases" in captured.err
        assert len(list((tmp_path / "phys4d/physics-iq-results").iterdir())) == 6

    def test_without_the_benchmark_it_says_how_to_get_it(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        code = run(["physics-iq", "score", "--videos", str(GENERATED)], debug=False)
        assert code == ExitCode.BAD_PARAMETERS
        assert "run phys4d physics-iq download" in capsys.readouterr().err
