"""The gate's page is one file that asks for no other, and says of each expectation what was observed."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from components.clip import Clip
from components.dataset.gate_page import gate_page
from components.errors import GateRefusedError
from components.index import INDEX_FILE
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Params, Video
from components.quality import check_simulation
from components.stages import validate_simulation
from tests.dataset.scenes import damage, drawn, write_split
from tests.dotted import set_fields
from tests.report.html import read_page

COUNT = 6


def params() -> Params:
    """What a split of `drawn` clips keeps to."""
    values = set_fields(
        profile_values("laptop"),
        simulation__splits__train__configurations={"rigid": COUNT},
        quality__max_rejected_share=0.5,
        quality__min_seen_share=0.0,
    )
    video = Video.model_construct(frames=5, height=6, width=8, fps=16)
    return parse_params(values, source="test").model_copy(update={"video": video})


PARAMS = params()


def page_of(folder: Path, spoil: Callable[[Clip], Clip] = lambda clip: clip) -> str:
    clips = [drawn(number) for number in range(COUNT)]
    write_split(folder, [spoil(clip) if number == 2 else clip for number, clip in enumerate(clips)])
    return checked(folder)


def checked(folder: Path) -> str:
    section = PARAMS.simulation.splits.train
    checks = check_simulation(folder, split="train", quality=PARAMS.quality, video=PARAMS.video, section=section)
    return gate_page(checks, folder, split="train")


def test_the_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    html = page_of(tmp_path)
    page = read_page(html)
    assert page.scripts == 0
    assert all(source.startswith(("data:", "#")) for source in page.sources)
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|https?://", html)
    assert html == checked(tmp_path)


def test_every_expectation_stands_there_with_what_was_observed(tmp_path: Path) -> None:
    html = page_of(tmp_path)
    text = read_page(html).text
    assert 'data-failed="0"' in html
    columns = set(re.findall(r'data-column="([^"]+)"', html))
    assert {"all clips", "clips of rigid", "content", "clip_id", "valid_share", "max_flow", "depth_min"} <= columns
    assert "configuration, view, take" in columns
    assert "valid share at least 0.2, at most 1 1; 0 of 6 clips differ none ✓ holds" in text
    assert "moving share more than 0, in 90% of the clips or more" in text
    assert "frames one of 5 5; 0 of 6 clips differ" in text
    assert "caption at least 10 characters" in text
    assert "clips of rigid 6 clips 6 " in text
    assert "content no two alike" in text
    assert "Of the draws of rigid/ramp at most 50% are rejected 1 of 4: overlap 1 ✓ holds" in text
    assert "rigid all 6 6 100.0 %" in text
    assert 'data-chart="measured/max flow"' in html


def test_a_broken_expectation_is_marked_and_its_clips_are_named(tmp_path: Path) -> None:
    html = page_of(tmp_path, lambda clip: replace(clip, meta=replace(clip.meta, fps=8)))
    assert 'data-failed="1"' in html
    (row,) = re.findall(r'<tr class="fail" data-column="fps".*?</tr>', html)
    text = read_page(row).text
    assert "one of 16" in text
    assert "8, 16; 1 of 6 clips differ" in text
    assert "train-rigid-000002-v0-t0" in text
    assert "✗ fails" in text


def test_a_damaged_clip_is_among_the_files(tmp_path: Path) -> None:
    page_of(tmp_path)
    damage(tmp_path)
    text = read_page(checked(tmp_path)).text
    assert "every clip of shard-00000.tar matches its checksum" in text
    assert "The rest: clips match" in text


def test_an_index_that_cannot_be_read_leaves_a_page_that_says_so(tmp_path: Path) -> None:
    page_of(tmp_path)
    (tmp_path / INDEX_FILE).unlink()
    text = read_page(checked(tmp_path)).text
    assert "Refused" in text
    assert "The index could not be read" in text


class Context:
    """Of a stage that nobody watches."""

    def progress(self, total: int) -> "Context":
        assert total == 2
        return self

    def __enter__(self) -> "Context":
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def advance(self) -> None:
        return None

    def stopped(self) -> bool:
        return False


def test_the_stage_leaves_page_and_json_together_or_beside_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, context = Path("data/simulation/train"), Context()
    html = page_of(folder)
    validate_simulation.run(PARAMS, context, split="train")  # type: ignore[arg-type]
    assert Path("data/quality/simulation-train.html").read_text() == html
    assert json.loads(Path("data/quality/simulation-train.json").read_text())["passed"]
    damage(folder)
    with pytest.raises(GateRefusedError):
        validate_simulation.run(PARAMS, context, split="train")  # type: ignore[arg-type]
    assert list(Path("data/quality").iterdir()) == []
    assert "Refused" in Path(".phys4d/quality/simulation-train.html").read_text()
    assert not json.loads(Path(".phys4d/quality/simulation-train.json").read_text())["passed"]
