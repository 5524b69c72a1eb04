"""The contact sheet as HTML: one file that asks for no other. The same clips give the same bytes."""

from pathlib import Path

from components.dataset.contents import Sheet
from components.dataset.drawing import page_environment
from components.dataset.histograms import HEIGHT, WIDTH
from components.dataset.sheet import gather
from components.dataset.splits import Tick
from components.errors import ParametersError
from components.files import write_atomically

SUFFIXES = (".html", ".htm")


def write_sheet(
    folder: Path, *, out: Path, clips: int, skip_damaged: bool = False, progress: Tick | None = None
) -> Sheet:
    """Write the contact sheet of the splits in `folder` to `out`, with `clips` thumbnails of each category."""
    _check_out(out)
    sheet = gather(folder, clips=clips, skip_damaged=skip_damaged, progress=progress)
    write_atomically(out, render(sheet).encode())
    return sheet


def render(sheet: Sheet) -> str:
    """The page."""
    return page_environment().get_template("sheet.html.jinja").render(sheet=sheet, drawing=(WIDTH, HEIGHT))


def _check_out(out: Path) -> None:
    if out.is_dir():
        raise ParametersError(f"--out {out} is a folder, expected a page: write {out / 'dataset.html'}")
    if out.suffix.lower() not in SUFFIXES:
        raise ParametersError(f"--out {out} ends with {out.suffix!r}, expected .html: name a page")
    nearest = next(parent for parent in out.absolute().parents if parent.exists())
    if not nearest.is_dir():
        raise ParametersError(f"--out {out}: {nearest} is a file, expected a folder")
