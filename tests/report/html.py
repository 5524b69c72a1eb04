"""A page read back: the numbers it shows, the words it says, and what it would fetch."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

BLOCKS = {"td", "th", "tr", "p", "dt", "dd", "h1", "h2", "h3", "div", "li", "br"}


@dataclass(frozen=True)
class Shown:
    """A number as the page shows it."""

    backbone: str
    key: str
    value: float
    text: str


@dataclass
class Page(HTMLParser):
    """The parts of a page that the tests ask for; fill it with `feed`."""

    numbers: list[Shown] = field(default_factory=list)
    checks: dict[str, float] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    scripts: int = 0
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._backbone = ""
        self._open: dict[str, str | None] | None = None
        self._styles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in BLOCKS:
            self.text += " "
        self._backbone = found.get("data-backbone") or self._backbone
        self.scripts += tag == "script"
        self._styles += tag in ("style", "script")
        self.sources += [found[name] or "" for name in ("src", "srcset", "data", "action") if name in found]
        self.sources += [found["href"] or ""] if "href" in found else []
        if tag == "img":
            self.alternatives.append(found.get("alt") or "")
        if "data-key" in found:
            self._open = found
        if "data-check" in found:
            self.checks[found["data-check"] or ""] = float(found["data-value"] or "nan")

    def handle_endtag(self, tag: str) -> None:
        self._styles -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if self._styles:
            return
        self.text += data
        if self._open is not None:
            key, value = self._open["data-key"] or "", float(self._open["data-value"] or "nan")
            self.numbers.append(Shown(self._backbone, key, value, data))
            self._open = None


def read_page(html: str) -> Page:
    """The page as a reader meets it."""
    page = Page()
    page.feed(html)
    page.close()
    page.text = " ".join(page.text.split())
    return page
