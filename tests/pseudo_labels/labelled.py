"""A small project folder with videos and a labeler, for tests of labelling."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from components.depth_network import DepthNetwork, UNet, save
from components.pseudo_labels.labelling import Labelling, label
from components.pseudo_labels.storage import LabelledVideo, LabelRow, VideoRow, read_label, read_rows, write_labelled
from components.shards import new_shard
from components.tables import encode_table
from tests.pseudo_labels.videos import SMOKE, Counter, collected, panning, write_file


def save_labeler(folder: Path) -> Path:
    """A network that was never trained."""
    torch.manual_seed(0)
    save(DepthNetwork(depth_kind="affine_disparity", module=UNet(4).eval()), folder)
    return folder


def make_labelling(folder: Path, work: Path, *, videos: int = 3, frames: int = 10) -> Labelling:
    """What labels videos of so many frames in `folder`; it makes both."""
    for number in range(videos):
        write_file(folder / "in" / f"{number:02d}.mp4", panning(frames, seed=number))
    collected(folder / "in", folder)
    labeler = save_labeler(folder / "labeler")
    return Labelling(videos=folder / "videos", labeler=labeler, section=SMOKE.pseudo_labels, work=work)


def run(labelling: Labelling, *, processes: int = 1, stopped: Callable[[], bool] = lambda: False) -> Counter:
    display = Counter()
    label(labelling, processes=processes, stopped=stopped, display=display)
    return display


def rewrite(folder: Path, spoil: Callable[[LabelledVideo], LabelledVideo], *, numbers: tuple[int, ...]) -> None:
    """Write the labels in `folder` again, some of them spoilt, with an index that says so."""
    rows = read_rows(folder, LabelRow)
    labelled = [read_label(folder, row) for row in rows]
    written: list[LabelRow] = []
    for shard in dict.fromkeys(row.shard for row in rows):
        with new_shard(folder / shard) as file:
            for number, (row, one) in enumerate(zip(rows, labelled, strict=True)):
                if row.shard == shard:
                    written.append(write_labelled(file, spoil(one) if number in numbers else one, as_video(row)))
    (folder / "index.parquet").write_bytes(encode_table(written, LabelRow))


def as_video(row: LabelRow) -> VideoRow:
    return VideoRow(**{name: getattr(row, name) for name in VideoRow.__dataclass_fields__})


def edit_row(folder: Path, number: int, **changes: object) -> None:
    """Change the index of the labels in `folder`, and nothing else."""
    rows = read_rows(folder, LabelRow)
    rows[number] = replace(rows[number], **changes)  # type: ignore[arg-type]
    (folder / "index.parquet").write_bytes(encode_table(rows, LabelRow))
