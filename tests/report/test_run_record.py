"""What only a run knows is in its copy of the page, and the page itself is the same without it."""

import json
from pathlib import Path

import pytest

from components.errors import Phys4dError
from components.files import write_atomically
from components.report.run_record import BEGIN, COPY, END, MADE, Took, duration, read_records, with_record, write_copy
from tests.report.html import read_page
from tests.report.test_page import gathered, rendered

STAGES = ("simulate", "evaluate@wan22", "report")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's records, the later ones last: of one stage that was stopped, and of one that is not in the graph now."""
    for number, (stage, code) in enumerate({"simulate": 0, "evaluate@wan22": 75, "report": 0, "gone": 0}.items()):
        record = {"stage": stage, "code": code, "seconds": 10.0**number, "peak_memory_megabytes": 100 + number}
        write_atomically(tmp_path / f".phys4d/run/{stage}.json", json.dumps(record).encode())
    return tmp_path


def test_times_are_of_the_last_commands_that_ended_well(run: Path) -> None:
    assert read_records(run, STAGES) == [
        Took(stage="simulate", seconds=1.0, mebibytes=100),
        Took(stage="report", seconds=100.0, mebibytes=102),
    ]
    assert read_records(run / "elsewhere", STAGES) == []


def test_a_record_without_times_is_passed_over(run: Path) -> None:
    (run / ".phys4d/run/report.json").write_text('{"stage": "report", "code": 0}')
    assert [one.stage for one in read_records(run, STAGES)] == ["simulate"]


def test_the_copy_is_the_page_with_the_record_in_its_place(run: Path) -> None:
    page = rendered(gathered(run))
    write_atomically(run / MADE, page.encode())
    assert write_copy(run, STAGES) == COPY
    copy = (run / COPY).read_text()
    assert (run / MADE).read_text() == page
    assert copy.partition(BEGIN)[0] == page.partition(BEGIN)[0]
    assert copy.partition(END)[2] == page.partition(END)[2]
    assert "101.0 s by the last commands of 2 stages" in read_page(copy).text
    assert with_record(copy, run, STAGES) == copy  # and can be put there again


def test_the_copy_links_the_evidence_where_there_is_some(run: Path) -> None:
    page = rendered(gathered(run))
    assert "docs/evidence.md" not in with_record(page, run, STAGES)
    write_atomically(run / "docs/evidence.md", b"# Claims")
    write_atomically(run / "docs/evidence/differences.png", b"png")
    sources = read_page(with_record(page, run, STAGES)).sources
    assert "../docs/evidence.md" in sources
    assert "data:image/png;base64,cG5n" in sources


def test_a_page_without_a_place_for_it_is_told(run: Path) -> None:
    with pytest.raises(Phys4dError, match="phys4d stage report --force"):
        with_record("<html></html>", run, STAGES)


@pytest.mark.parametrize(("seconds", "text"), [(1.25, "1.2 s"), (150, "2 min"), (7500, "2 h 5 min")])
def test_durations_as_a_reader_says_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
