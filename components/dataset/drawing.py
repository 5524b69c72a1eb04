"""What the pages of this package share: where their templates lie, and how these are filled in."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.report.curves import brief

TEMPLATES = Path(__file__).parent / "templates"
REPORT_TEMPLATES = Path(__file__).parents[1] / "report" / "templates"  # the report's style is these pages' too


def page_environment() -> Environment:
    """Templates in which a name that is not there is an error, and text is escaped."""
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, REPORT_TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["brief"] = brief
    return environment
