"""The page says what metrics.json says, all of it, and asks nobody for anything."""

import base64
import hashlib
import json
import re
from collections.abc import Hashable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components.errors import Phys4dError
from components.evaluation.ledger import note_look
from components.parameters.backbones import BackboneParams, Tiny
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.params import Evaluation
from components.report import reading
from components.report.external import comparable
from components.report.page import BackboneReport, render
from components.report.reading import read_backbone, read_metrics
from components.report.samples import Samples
from components.report.strips import Scene, draw_scenes
from tests.report.html import Page, read_page
from tests.report.project import PROMOTION, SCENES, make_metrics, make_run, make_samples

EVALUATION = Evaluation(split="test", noises=4, sampler_steps=10, bootstrap_samples=200, physics_iq_size=256)
BACKBONE = BackboneParams(
    size="tiny", source=None, revision=None, tiny=Tiny(layers=5, heads=3, head_width=64, time_shift=3.0)
)
CAMERA = parse_params(profile_values("laptop"), source="laptop").simulation.camera
SAMPLES = make_samples()


def drawn_once(samples: Samples, **options: int) -> tuple[Scene, ...]:
    """Its pictures, which take most of a page's time and are those of the same samples in nearly all tests."""
    key = (tuple(samples.captions), tuple(options.items()))
    if key not in DRAWN:
        DRAWN[key] = draw_scenes(samples, **options)
    return DRAWN[key]


DRAWN: dict[Hashable, tuple[Scene, ...]] = {}


@pytest.fixture(scope="module", autouse=True)
def pictures_that_are_drawn_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "draw_scenes", drawn_once)
        yield


def gathered(root: Path, *, size: str = "tiny", **changes: float | str) -> BackboneReport:
    """The report on a made-up run; `changes` are of metrics.json, with __ for its dots."""
    metrics = make_metrics({key.replace("__", "."): value for key, value in changes.items()})
    make_run(root, metrics=metrics, samples=SAMPLES, size=size)
    return read(root)


def read(root: Path) -> BackboneReport:
    return read_backbone(
        root,
        "wan22",
        promotion=PROMOTION,
        evaluation=EVALUATION,
        backbone=BACKBONE,
        camera=CAMERA,
        fps=16,
        budget=10**6,
    )


def rendered(report: BackboneReport) -> str:
    return render([report], physics_iq_size=256)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return rendered(gathered(tmp_path_factory.mktemp("run")))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return read_page(html)


def test_every_number_shown_is_that_of_metrics_json(page: Page) -> None:
    metrics = make_metrics()
    assert len(page.numbers) > 300
    for shown in page.numbers:
        assert shown.backbone == "wan22"
        assert shown.value == metrics[shown.key], shown


def test_what_the_eye_reads_is_the_value_rounded(page: Page) -> None:
    for shown in page.numbers:
        if shown.text.startswith("<"):
            assert shown.value < float(shown.text.removeprefix("< ")), shown
            continue
        read = float(shown.text.replace("−", "-"))
        decimals = len(shown.text.partition(".")[2])
        assert abs(read - shown.value) <= 0.5001 * 10**-decimals, shown


def test_every_mean_and_interval_of_metrics_json_is_shown(page: Page) -> None:
    shown = {number.key for number in page.numbers}
    missing = set(make_metrics()) - shown - {"evaluation.split", "evaluation.scenes"}
    assert {key for key in missing if not key.endswith(".n")} == set()  # an n that is usual stands in the heading


def test_rows_and_metrics_that_the_page_does_not_know_are_shown_all_the_same(tmp_path: Path) -> None:
    report = gathered(
        tmp_path,
        base__oddness=1.25,
        base__oddness__low=1.0,
        base__oddness__high=1.5,
        slow_motion__score=7.0,
        x_to_y__oddness=0.1,
    )
    page = read_page(rendered(report))
    assert {"base.oddness", "base.oddness.low", "slow_motion.score", "x_to_y.oddness"} <= {
        number.key for number in page.numbers
    }
    assert "Slow motion" in page.text
    assert "no direction known" in page.text


def test_it_asks_for_no_other_file(html: str, page: Page) -> None:
    assert page.scripts == 1  # its own, and no other may run
    assert "<script>" in html
    own = hashlib.sha256(html[html.index("<script>") + 8 : html.index("</script>")].encode()).digest()
    assert f"script-src 'sha256-{base64.b64encode(own).decode()}'\"" in html
    assert all(source.startswith(("data:", "#")) for source in page.sources)
    assert not re.search(r"https?:|@import|url\(|//[a-z]", re.sub(r'(src="data:|data-points=")[^"]*"', "", html))
    assert "default-src 'none'" in html


def test_the_same_input_gives_the_same_bytes(html: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "draw_scenes", draw_scenes)
    assert rendered(gathered(tmp_path)) == html


def test_every_picture_has_a_text(page: Page) -> None:
    assert len(page.alternatives) >= 2 * len(SAMPLES["captions"])
    assert all("ball hangs at rest" in text for text in page.alternatives)


def test_captions_are_text_and_not_html(tmp_path: Path) -> None:
    samples = {**SAMPLES, "captions": np.array(["<script>alert(1)</script>", "a & b"])}
    make_run(tmp_path, metrics=make_metrics(), samples=samples)
    page = read_page(rendered(read(tmp_path)))
    assert page.scripts == 1
    assert "<script>alert(1)</script>" in page.text


def test_the_verdict_stands_first_with_its_checks(html: str, page: Page) -> None:
    assert page.text.index("✓ Promoted") < page.text.index("Where the models stand")
    assert page.checks["Chamfer gain over stage 2.value"] == pytest.approx(0.031)
    assert page.checks["score gain over base.threshold"] == 0
    assert page.text.count("✓ passed") == 3


def test_a_model_that_is_not_promoted_is_said_to_be_not(tmp_path: Path) -> None:
    page = read_page(rendered(gathered(tmp_path, stage2_to_stage3__chamfer__high=0.001)))
    assert "✗ Not promoted" in page.text
    assert "✓ Promoted" not in page.text
    assert page.text.count("✗ failed") == 1


def test_a_gain_that_one_scene_alone_defines_is_no_reason_to_promote(tmp_path: Path) -> None:
    page = read_page(rendered(gathered(tmp_path, base_to_stage3__score__n=1)))
    assert "✗ Not promoted" in page.text
    assert "defined on 1 scene, needed 2 or more" in page.text


def test_losses_and_gains_that_are_none_are_as_plain_as_gains(page: Page) -> None:
    section = page.text[page.text.index("Stage 2 → Stage 3") : page.text.index("Base → Stage 3", 2000)]
    assert re.search(r"Depth-warp m \+0\.003\[.{1,30} ▼ worse", section)
    assert re.search(r"Physics-IQ-style score \+0\.2\[.{1,30} ○ no clear difference", section)
    assert re.search(r"4D Chamfer m −0\.031\[.{1,30} ▲ better", section)


def test_identical_videos_are_called_identical(page: Page) -> None:
    assert "Base → Stage 1 Identical videos" in page.text


def test_it_says_what_the_base_is_and_what_the_score_is_not(page: Page) -> None:
    assert "The base is a stand-in No published weights stand behind “base”" in page.text
    assert "under-trained" in page.text
    assert "The score is Physics-IQ-style" in page.text
    assert "enlarged to 256. It is not the benchmark" in page.text


def test_a_published_base_is_not_called_a_stand_in(tmp_path: Path) -> None:
    page = read_page(rendered(gathered(tmp_path, size="5b")))
    assert "stand-in" not in page.text
    assert "published checkpoint" in page.text


def test_the_score_is_never_called_by_the_benchmarks_name(page: Page) -> None:
    ours = page.text[: page.text.index("Published scores of the real benchmark", 2000)]
    assert set(re.findall(r"Physics-IQ(.{6})", ours)) == {"-style"}


def test_published_scores_are_marked_as_not_comparable(page: Page) -> None:
    published = page.text[page.text.rindex("Published scores of the real benchmark") :]
    assert "Not comparable with anything above" in published
    for row in (
        "Ours CogVideoX + Phys4D 5B 0.009 0.169 0.252 0.157 30.2",
        "Open-source CogVideoX 5B 0.013 0.116 0.222 0.142 18.8",
        "Magi-1 – – – – – 30.2",
        "Commercial Sora 2 – – – – – 42.3",
        "Wan2.2-TI2V tiny, Base test 0.0110 [0.0106, 0.0114] 0.330 [0.300, 0.363] – – 32.3",  # another measure
    ):
        assert row in published
    benchmark, ours = published.split("The models of this page in the columns of the published table. Another measure")
    assert "tiny" not in benchmark
    assert "Physics-IQ-style" in ours


def test_the_catalogues_metrics_stand_in_their_groups_and_own_heads_apart(tmp_path: Path) -> None:
    report = gathered(
        tmp_path,
        stage3__jerk=2.5,
        stage3__depth_absrel=0.25,
        stage3_own__depth_absrel=0.125,
        stage3_agreement__depth_absrel=0.0625,
        base_to_stage3__jerk=-0.5,
    )
    assert [group.name for group in report.groups] == ["geometric coherence", "motion stability"]
    assert [row.row.key for group in report.groups for row in group.table.rows] == ["stage3", "stage3"]
    assert {row.row.key for row in report.own_heads.rows} == {"stage3", "stage3_own", "stage3_agreement"}
    page = read_page(rendered(report))
    assert re.search(r"Jerk m/s\^3 ?↓ lower is better", page.text)
    assert "Stage 3, own heads" in page.text
    assert "stage3_own" not in {row.row.key for row in report.video.rows}


def test_models_from_outside_stand_beside_ours_when_the_scenes_are_the_same(tmp_path: Path) -> None:
    gathered(tmp_path)
    same: dict[str, float | str] = {"evaluation.split": "test", "evaluation.scenes": SCENES, "external.name": "Sora"}
    for name, changes in {"sora": {}, "pika": {"evaluation.scenes": "d", "external.name": "Pika"}}.items():
        folder = tmp_path / "data/evaluation/external" / name
        folder.mkdir(parents=True)
        figures = {f"{name}.score": 41.5, f"{name}.score.low": 40.0, f"{name}.score.high": 43.0, "truth.score": 1.0}
        (folder / "metrics.json").write_text(json.dumps({**same, **changes, **figures}))
    report = read(tmp_path)
    page = read_page(rendered(report))
    assert {row.row.label for row in report.video.rows if row.row.kind == "external"} == {"Sora"}
    assert {"sora.score"} == {number.key for number in page.numbers if number.value == 41.5}
    assert {number.value for number in page.numbers if number.key == "truth.score"} == {100.0}
    assert "Pika is not in the table: measured on other scenes" in page.text


def test_sets_of_videos_are_compared_by_one_network_alone() -> None:
    theirs: dict[str, float | str] = {"external.name": "Sora", "sora.score": 41.5, "sora.frechet_i3d": 3.0}
    network = "evaluation.frechet_network"
    for known, kept in {"a": {"sora.score", "sora.frechet_i3d"}, "b": {"sora.score"}}.items():
        ((_, figures),) = comparable({"sora": {**theirs, network: "a"}}, {network: known})[0].items()
        assert set(figures) == kept


@pytest.mark.parametrize(
    ("times", "words"), [(1, "1 set of models was measured"), (7, "7 sets of models were measured")]
)
def test_it_says_how_often_the_split_was_looked_at(tmp_path: Path, times: int, words: str) -> None:
    for look in range(times):
        note_look(tmp_path, scenes=SCENES, split="test", models={"stage3": str(look)})
    note_look(tmp_path, scenes="others", split="test", models={})
    assert words in read_page(rendered(gathered(tmp_path))).text


def test_figures_from_a_cache_were_looked_at_once(tmp_path: Path) -> None:
    assert gathered(tmp_path).times_evaluated == 1


def test_figures_of_the_tuning_split_are_marked(tmp_path: Path, page: Page) -> None:
    assert "Measured on the split" not in page.text
    tuned = read_page(rendered(gathered(tmp_path, evaluation__split="dev")))
    assert "Measured on the split “dev”" in tuned.text
    assert "Not promoted" in tuned.text


def test_few_scenes_are_marked(tmp_path: Path) -> None:
    assert "Only 4 scenes." in read_page(rendered(gathered(tmp_path, evaluation__clips=4))).text


def test_a_broken_lineage_is_marked(tmp_path: Path, page: Page) -> None:
    assert "lineage is broken" not in page.text
    gathered(tmp_path)
    manifest = tmp_path / "models/wan22/stage1/model.json"
    manifest.write_text(manifest.read_text() + " ")
    assert "lineage is broken" in read_page(rendered(read(tmp_path))).text


def test_a_training_that_the_watch_ended_says_so(tmp_path: Path, page: Page) -> None:
    assert "stopped by the watch" not in page.text
    gathered(tmp_path)
    manifest = tmp_path / "models/wan22/stage3/model.json"
    document = json.loads(manifest.read_text())
    document["facts"] |= {"stopped_by": "watch", "stopped_at": 18, "kept_iteration": 6}
    manifest.write_text(json.dumps(document))
    text = read_page(rendered(read(tmp_path))).text
    assert "stopped by the watch at iteration 18, with the policy of iteration 6" in text


def test_an_undefined_figure_leaves_a_gap_and_not_a_number(tmp_path: Path) -> None:
    page = read_page(rendered(gathered(tmp_path, base__flow_epe=float("nan"))))
    assert "base.flow_epe" not in {number.key for number in page.numbers}


def test_several_backbones_stand_one_after_the_other(tmp_path: Path) -> None:
    report = gathered(tmp_path)
    page = read_page(render([report, report], physics_iq_size=256))
    assert page.text.count("✓ Promoted: Wan2.2-TI2V tiny") == 2


def test_several_backbones_are_compared_in_the_published_columns_first(tmp_path: Path) -> None:
    """Each with base and last stage, the gain between them, and what the gate says of it."""
    report = gathered(tmp_path)
    other = replace(report, name="cogvideox", verdict=replace(report.verdict, promoted=False))
    text = read_page(render([report, other], physics_iq_size=256)).text
    table = text[text.index("The backbones beside each other") : text.index("Promoted: Wan2.2-TI2V tiny")]
    for label in (
        "Wan2.2-TI2V tiny, Base",
        "Wan2.2-TI2V tiny, Stage 3",
        "CogVideoX tiny, Base",
        "CogVideoX tiny, Stage 3",
    ):
        assert label in table
    assert (table.count("✓ promoted"), table.count("✗ not promoted")) == (1, 1)
    alone = read_page(rendered(report)).text
    assert "beside each other" not in alone
    assert alone.index("Wan2.2-TI2V tiny, Base") > alone.index("Published scores of the real benchmark")


@pytest.mark.parametrize(("content", "words"), [("{", "not JSON"), ("[1]", "not a flat"), ('{"a": [1]}', "not a flat")])
def test_a_damaged_metrics_json_is_named(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(Phys4dError, match=rf"metrics\.json: {words}"):
        read_metrics(tmp_path / "metrics.json")


def test_metrics_json_keeps_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps(make_metrics()))
    assert read_metrics(tmp_path / "metrics.json") == make_metrics()
