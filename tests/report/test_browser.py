"""The page as a browser shows it: silent, asking for nothing, readable when narrow and when dark, and moving."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.report.run_record import with_record
from tests.report.chromium import Tab, tab
from tests.report.project import make_metrics, make_run, make_samples
from tests.report.test_page import read, rendered

pytestmark = pytest.mark.slow

SLIDER = "document.querySelector('.cloud input')"
CANVASES = "[...document.querySelectorAll('.cloud canvas')].map((canvas) => canvas.toDataURL())"
TURN = "document.querySelectorAll('.cloud button')[1]"
PLAY = "document.querySelectorAll('.cloud button')[0]"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("run")
    make_run(root, metrics=make_metrics(), samples=make_samples(frames=9))
    (root / "report.html").write_text(with_record(rendered(read(root)), root, ("simulate",)))
    return root / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_silent_asks_for_nothing_and_never_scrolls_sideways(
    browser: Tab, page: Path, width: int, dark: bool
) -> None:
    browser.requests.clear()
    browser.open(page, width=width, dark=dark)
    assert browser.complaints == []
    assert {url for url in browser.requests if not url.startswith("data:")} == {page.as_uri()}
    assert browser.ask("document.documentElement.scrollWidth") <= width
    red, green, blue = browser.ask("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(red, green, blue) < 60) == dark


def test_the_slider_moves_every_cloud_and_the_truth_falls(browser: Tab, page: Path) -> None:
    browser.open(page, width=1280, still=True)
    first = browser.ask(CANVASES)
    assert len(first) == 3
    browser.ask(f"{SLIDER}.value = 8; {SLIDER}.dispatchEvent(new Event('input'))")
    last = browser.ask(CANVASES)
    assert all(one != other for one, other in zip(first, last, strict=True))
    assert browser.ask("document.querySelector('.cloud output').textContent") == "0.50 s"
    browser.ask(f"{SLIDER}.value = 0; {SLIDER}.dispatchEvent(new Event('input'))")
    assert browser.ask(CANVASES) == first


def test_it_turns_by_keys_and_by_hand_but_not_by_itself_where_motion_is_unwelcome(browser: Tab, page: Path) -> None:
    browser.open(page, width=1280, still=True)
    assert browser.ask(f"[{PLAY}.textContent, {TURN}.textContent]") == ["Play", "Turn"]
    first = browser.ask(CANVASES)
    key = "new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true})"
    browser.ask(f"document.querySelector('.cloud canvas').dispatchEvent({key})")
    assert all(one != other for one, other in zip(first, browser.ask(CANVASES), strict=True))


def test_it_plays_and_turns_by_itself_and_stops_when_told_to(browser: Tab, page: Path) -> None:
    browser.open(page, width=1280)
    browser.ask("document.querySelector('.cloud').scrollIntoView()")
    browser.ask(f"window.first = JSON.stringify({CANVASES})")
    browser.wait(f"{SLIDER}.value > 1 && JSON.stringify({CANVASES}) !== window.first")
    browser.ask(f"{PLAY}.click(); {TURN}.click()")
    two_frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    assert browser.ask(two_frames)
    stopped = browser.ask(CANVASES)
    assert browser.ask(two_frames)
    assert browser.ask(CANVASES) == stopped


def test_the_strips_play(browser: Tab, page: Path) -> None:
    browser.open(page, width=1280)
    browser.ask(
        "document.documentElement.style.scrollBehavior = 'auto'; document.querySelector('.scene').scrollIntoView()"
    )
    seen: set[bytes] = set()
    for _ in range(60):
        seen.add(browser.picture())
        if len(seen) >= 3:
            return
    raise AssertionError(f"60 looks at a strip saw {len(seen)} pictures")
