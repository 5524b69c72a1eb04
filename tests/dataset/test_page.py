"""The contact sheet is one file that asks for no other, and its numbers are those of the index."""

import base64
import io
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from components.dataset.page import write_sheet
from components.errors import ClipError, ExitCode, ParametersError
from components.index import read_index
from tests.dataset.scenes import FAMILIES, damage, drawn, write_split
from tests.report.html import read_page


class Tags(HTMLParser):
    """All tags with their attributes; fill it with `feed`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, name: str) -> dict[str, dict[str, str | None]]:
        """Attributes of the tags that have attribute `name`, by its value."""
        return {attributes[name] or "": attributes for _, attributes in self.found if name in attributes}


def tags_of(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    clips = [drawn(number, take=take) for number in range(6) for take in range(2)]
    write_split(root / "train", clips)
    write_split(root / "test", [drawn(10 + number, category="granular") for number in range(3)])
    return root


@pytest.fixture(scope="module")
def html(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "a/sheet.html"
    write_sheet(folder, out=out, clips=2)
    return out.read_text(encoding="utf-8")


def test_the_page_asks_nobody_for_anything(html: str) -> None:
    page = read_page(html)
    assert page.scripts == 0
    assert all(source.startswith(("data:", "#")) for source in page.sources)
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|https?://", html)


def test_counts_are_those_of_the_index(html: str, folder: Path) -> None:
    counts = {key: int(text) for key, text in re.findall(r'data-count="([^"]+)">(\d+)<', html)}
    rows = read_index(folder / "train")
    clips = Counter(row.family for row in rows)
    configurations = Counter({row.configuration: row.family for row in rows}.values())
    for family in FAMILIES:
        assert counts[f"rigid/{family}/clips"] == clips[family]
        assert counts[f"rigid/{family}/configurations"] == configurations[family]
        assert counts[f"rigid/{family}/rejects"] == 1
    assert counts["rigid/clips"] == len(rows)
    assert counts["rigid/draws"] == sum({row.configuration: row.attempts for row in rows}.values())
    assert {key: int(text) for key, text in re.findall(r'data-split="(\w+)">(\d+)<', html)} == {"train": 12, "test": 3}
    text = read_page(html).text
    assert "overlap 1" in text
    assert "not seen 1" in text


def test_histograms_of_the_index_are_those_of_its_columns(html: str, folder: Path) -> None:
    charts = tags_of(html).of("data-chart")
    rows = read_index(folder / "train")
    for name in ("max_speed", "max_flow", "depth_min", "depth_max"):
        chart = charts[f"rigid/measured/{name.replace('_', ' ')}"]
        values = [getattr(row, name) for row in rows]
        assert float(chart["data-low"] or "nan") == min(values)
        assert float(chart["data-high"] or "nan") == max(values)
        assert sum(int(count) for count in (chart["data-counts"] or "").split(",")) == len(rows)


def test_histograms_of_what_was_drawn_have_a_value_a_configuration(html: str) -> None:
    charts = tags_of(html).of("data-chart")
    angles = [drawn(number).meta.parameters["configuration"]["angle"] for number in range(1, 6, 2)]
    chart = charts["rigid/ramp/angle"]
    assert chart["data-n"] == "3"
    assert float(chart["data-low"] or "nan") == min(angles)
    assert charts["rigid/around/ambient"]["data-n"] == "6"
    assert "rigid/around/floor pattern" in tags_of(html).of("data-words")
    assert "gravity z −9.81 m/s²" in read_page(html).text


def test_thumbnails_are_of_each_category_and_family_and_move(html: str) -> None:
    clips = tags_of(html).of("data-clip")
    assert sorted(name.split("-")[1] for name in clips) == ["granular", "granular", "rigid", "rigid"]
    assert html.count(drawn(0).meta.caption) >= 4
    uri = next(attributes["src"] or "" for tag, attributes in tags_of(html).found if tag == "img")
    with Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))) as image:
        assert getattr(image, "n_frames", 1) == 5
        assert image.info["loop"] == 0
        assert image.width > 3 * image.height


def test_the_same_clips_give_the_same_page(html: str, folder: Path, tmp_path: Path) -> None:
    write_sheet(folder, out=tmp_path / "b.html", clips=2)
    assert (tmp_path / "b.html").read_text(encoding="utf-8") == html


def test_no_thumbnails_may_be_asked_for(folder: Path, tmp_path: Path) -> None:
    write_sheet(folder, out=tmp_path / "b.html", clips=0)
    assert "<img" not in (tmp_path / "b.html").read_text(encoding="utf-8")


def test_a_damaged_clip_is_named_with_its_shard(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "train", [drawn(number) for number in range(3)])
    damage(folder)
    with pytest.raises(ClipError, match=r"train-rigid-000000-v0-t0.*shard-00000\.tar") as error:
        write_sheet(folder, out=tmp_path / "page.html", clips=2)
    assert error.value.code is ExitCode.FAILED
    assert not (tmp_path / "page.html").exists()


def test_damaged_clips_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_split(tmp_path / "train", [drawn(number) for number in range(3)])
    damage(folder)
    sheet = write_sheet(folder, out=tmp_path / "page.html", clips=3, skip_damaged=True)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(sheet.damaged) == 1
    assert tags_of(html).of("data-damaged").keys() == {"1"}
    assert "1 damaged clip was left out" in read_page(html).text
    assert sorted(tags_of(html).of("data-clip")) == ["train-rigid-000001-v0-t0", "train-rigid-000002-v0-t0"]
    assert {key: int(text) for key, text in re.findall(r'data-count="([^"]+)">(\d+)<', html)}["rigid/clips"] == 2
    assert "left out: clip train-rigid-000000-v0-t0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("out", "message"),
    [("", "is a folder, expected a page"), ("page.png", r"ends with '\.png', expected \.html")],
)
def test_a_page_that_cannot_be_written_is_refused_at_once(out: str, message: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ParametersError, match=message):
        write_sheet(folder, out=tmp_path / out, clips=1)
