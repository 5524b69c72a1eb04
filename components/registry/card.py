"""The model card: a version's README.md, from the same values as its version.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from components.registry.contents import VARIANT, Contents, Settings
from components.report.catalogue import BACKBONES, HEADLINES, metric_of

TEMPLATES = Path(__file__).parent / "templates"
GAINS = (("base_to_stage3", "over the base"), ("stage2_to_stage3", "over stage 2"))


def write_card(
    path: Path,
    *,
    contents: Contents,
    settings: Settings,
    weights: Sequence[Mapping[str, str]],
    evaluation: Mapping[str, float | str],
) -> None:
    """Write the card."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(  # noqa: S701 -- Markdown, of the project's own values
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = environment.get_template("card.md.jinja").render(
        contents=contents,
        settings=settings,
        weights=weights,
        family=BACKBONES.get(contents.backbone, contents.backbone),
        rows=[_row(metric, evaluation) for metric in HEADLINES],
        split=evaluation.get("evaluation.split"),
        scenes=evaluation.get("evaluation.scenes"),
        clips=evaluation.get("evaluation.clips", "an unknown number of"),
        noises=evaluation.get("evaluation.noises", "an unknown number of"),
    )
    path.write_text(text, encoding="utf-8")


def _row(metric: str, evaluation: Mapping[str, float | str]) -> list[str]:
    about = metric_of(metric)
    name = f"{about.label}{f', {about.unit}' if about.unit else ''} ({about.better} is better)"
    return [name, *(_figure(f"{row}.{metric}", evaluation) for row in (VARIANT, *(pair for pair, _ in GAINS)))]


def _figure(key: str, evaluation: Mapping[str, float | str]) -> str:
    if key not in evaluation:
        return "not measured"
    value, low, high = (evaluation.get(f"{key}{end}") for end in ("", ".low", ".high"))
    return f"{float(value or 0):.4g}" + (
        "" if low is None or high is None else f" [{float(low):.4g}, {float(high):.4g}]"
    )
