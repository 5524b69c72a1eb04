"""The page: everything it shows, gathered, and the template that shows it. The same input gives the same bytes."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.report import course, curves
from components.report.catalogue import BACKBONES, MODELS, Kind, Row, row_of
from components.report.categories import Chart
from components.report.cloud import Cloud
from components.report.consistency import Group, groups, own_heads
from components.report.course import Course, courses
from components.report.curves import brief
from components.report.external import LeftOut
from components.report.figures import Figure, Figures, Number
from components.report.lineage import Link
from components.report.provenance import Provenance
from components.report.reference import LEADERBOARD, PAPER, PUBLISHED
from components.report.results import Comparison, Ladder, Table, TableRow, comparisons, ladders, table
from components.report.strips import SIDES, SPEED, Scene
from components.report.worst import Worst

if TYPE_CHECKING:
    from components.evaluation.verdict import Verdict

TEMPLATES = Path(__file__).parent / "templates"
STAND_IN = "tiny"  # the size behind which no published weights stand
FEW_CLIPS = 30  # below, an interval is itself uncertain
KINDS: tuple[Kind, ...] = ("floor", "rival", "model", "external", "ceiling", "own", "other")
SCORE_PARTS = ("mse", "st_iou", "s_iou", "ws_iou", "score")  # in the order of the published table
SCRIPT = "cloud.js"
READINGS = {  # a sign for the eye, a word for everyone
    "better": ("▲", "better"),
    "worse": ("▼", "worse"),
    "unclear": ("○", "no clear difference"),
    "same": ("=", "identical"),
    "changed": ("△", "changed"),
}


@dataclass(frozen=True, kw_only=True)
class BackboneReport:
    """One backbone's part of the page. params: the parameters that the figures depend on, dotted name and value."""

    name: str
    figures: Figures
    verdict: "Verdict"
    scenes: tuple[Scene, ...]
    cloud: Cloud
    frame_size: tuple[int, int]
    charts: tuple[Chart, ...]
    worst: tuple[Worst, ...]
    left_out: tuple[LeftOut, ...]
    chain: tuple[Link, ...]
    provenance: Provenance
    times_evaluated: int
    params: Mapping[str, str]

    @property
    def label(self) -> str:
        """Name and size of the backbone."""
        return " ".join(filter(None, [BACKBONES.get(self.name, self.name), self.size]))

    @property
    def size(self) -> str:
        """Size of the backbone, as its models say it."""
        return self.chain[0].size if self.chain else ""

    @property
    def stand_in(self) -> bool:
        """Whether the base is a small model trained here, in place of the published one."""
        return self.size == STAND_IN

    @property
    def split(self) -> str:
        """The split that was measured."""
        return str(self.figures.fact("split"))

    @property
    def clips(self) -> Number | None:
        """How many scenes were measured."""
        return self.figures.count("clips")

    @property
    def noises(self) -> Number | None:
        """How many samples of each scene."""
        return self.figures.count("noises")

    @property
    def first(self) -> Row:
        """The model that all began with."""
        return row_of(MODELS[0])

    @property
    def last(self) -> Row:
        """The model of the last stage that was measured."""
        return row_of(last_model(self.figures))

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        """Headline metrics."""
        return ladders(self.figures)

    @property
    def courses(self) -> tuple[Course, ...]:
        """Headline metrics over the stages."""
        return courses(self.figures)

    @property
    def groups(self) -> tuple[Group, ...]:
        """4D world consistency."""
        return groups(self.figures)

    @property
    def own_heads(self) -> Table:
        """What the models' own heads say, apart from the judge."""
        return own_heads(self.figures)

    @property
    def as_published(self) -> tuple[tuple[Row, tuple[Figure | None, ...]], ...]:
        """First and last model in the columns of the published table."""
        rows = (self.first, self.last)
        return tuple((row, tuple(self.figures.figure(row.key, key) for key in SCORE_PARTS)) for row in rows)

    @property
    def video(self) -> Table:
        """Generated video, by the judge."""
        return table(self.figures, "video")

    @property
    def parts(self) -> Table:
        """What the score is made of."""
        return table(self.figures, "parts")

    @property
    def heads(self) -> Table:
        """Heads on ground-truth video."""
        return table(self.figures, "heads")

    @property
    def video_gains(self) -> tuple[Comparison, ...]:
        """Paired gains on generated video."""
        return comparisons(self.figures, "video")

    @property
    def part_gains(self) -> tuple[Comparison, ...]:
        """Paired gains of what the score is made of."""
        return comparisons(self.figures, "parts")

    @property
    def head_gains(self) -> tuple[Comparison, ...]:
        """Paired gains of the heads."""
        return comparisons(self.figures, "heads")

    @property
    def unbroken(self) -> bool:
        """Whether every model names the one before it."""
        return all(link.unbroken for link in self.chain)


def last_model(figures: Figures) -> str:
    """The model of the last stage that was measured."""
    return [row for row in figures.rows() if row in MODELS][-1]


def render(backbones: Sequence[BackboneReport], *, physics_iq_size: int) -> str:
    """The page as HTML: one file that asks for no other."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["brief"] = brief
    environment.filters["groupby_kind"] = by_kind
    script = (TEMPLATES / SCRIPT).read_text(encoding="utf-8")
    return environment.get_template("report.html.jinja").render(
        backbones=backbones,
        drawing=(curves.WIDTH, curves.HEIGHT),
        course_drawing=(course.WIDTH, course.HEIGHT),
        few_clips=FEW_CLIPS,
        published=PUBLISHED,
        leaderboard_source=LEADERBOARD,
        paper=PAPER,
        physics_iq_size=physics_iq_size,
        readings=READINGS,
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        sides=SIDES,
        speed=SPEED,
    )


def by_kind(rows: Sequence[TableRow]) -> list[tuple[Kind, list[TableRow]]]:
    """Rows under the headings of a table, floors first."""
    groups: dict[Kind, list[TableRow]] = {kind: [] for kind in KINDS}
    for row in rows:
        groups[row.row.kind].append(row)
    return [(kind, members) for kind, members in groups.items() if members]
