"""Where videos come from: a folder of files, or the clips of a simulated split."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import ParametersError
from components.index import IndexRow, read_index
from components.pseudo_labels.captions import CAPTIONS_FILE, caption_of, read_captions
from components.pseudo_labels.collecting import ShardOf
from components.pseudo_labels.cutting import Cause, Remark, clips_of, is_static
from components.pseudo_labels.reading import Shown, UnreadableError, read_video_file, sampling_rate
from components.pseudo_labels.storage import Video
from components.shards import read_part, shard_name

if TYPE_CHECKING:
    from components.params import Video as Format
    from components.params import Videos

SUFFIXES = (".mp4", ".mov", ".webm", ".gif")
FILES_PER_SHARD = 16
LONGEST_NAME = 40  # characters of a file's name in a clip's: a tar member has room for 100
MUCH_REPEATED = 0.1  # share of frames


@dataclass(frozen=True, kw_only=True)
class VideoFile:
    """A file by its name below a folder; size and time of change tell it from another of that name."""

    number: int
    name: str
    caption: str
    size: int
    changed: int


@dataclass(frozen=True, kw_only=True)
class FolderSource:
    """Video files below `folder`, in the order of their names; `others` are files that are none."""

    folder: Path
    names: tuple[str, ...]
    others: tuple[str, ...]
    captions: Mapping[str, str]
    form: "Format"
    limits: "Videos"
    simulated: bool = False

    def tasks(self) -> list[ShardOf[VideoFile]]:
        """A shard for so many files."""
        files = tuple(self._describe(number, name) for number, name in enumerate(self.names))
        starts = range(0, len(files), FILES_PER_SHARD)
        return [
            ShardOf(shard=shard_name(number), items=files[start : start + FILES_PER_SHARD])
            for number, start in enumerate(starts)
        ]

    def remarks(self) -> list[Remark]:
        """Files that are no videos, and captions of files that are not there."""
        missing = sorted(set(self.captions) - set(self.names))
        return [
            *(Remark(source=name, cause=Cause.NO_VIDEO_FILE, detail=Path(name).suffix) for name in self.others),
            *(Remark(source=name, cause=Cause.NO_FILE, detail=f"line of {CAPTIONS_FILE}") for name in missing),
        ]

    def videos(self, task: ShardOf[VideoFile]) -> Iterator[Video | Remark]:
        """Clips of every file; what of a file cannot be read is left out."""
        for file in task.items:
            try:
                yield from self._of_file(file)
            except UnreadableError as error:
                yield Remark(source=file.name, cause=Cause.UNREADABLE, detail=str(error))

    def _describe(self, number: int, name: str) -> VideoFile:
        status = (self.folder / name).stat()
        caption = caption_of(name, self.captions)
        return VideoFile(number=number, name=name, caption=caption, size=status.st_size, changed=status.st_mtime_ns)

    def _of_file(self, file: VideoFile) -> Iterator[Video | Remark]:
        path, name, form = self.folder / file.name, file.name, self.form
        rate = sampling_rate(path, fps=form.fps)
        if rate < form.fps:
            detail = f"{rate:.3g} frames a second, each shown for one of {form.fps}"
            yield Remark(source=name, cause=Cause.SLOW, detail=detail)
        counted = _Counted(read_video_file(path, height=form.height, width=form.width, rate=rate))
        yield from self._clips(file, counted)
        if counted.repeated > MUCH_REPEATED * counted.frames:
            detail = f"{counted.repeated} of {counted.frames}: its frames do not come evenly"
            yield Remark(source=name, cause=Cause.REPEATED, detail=detail)

    def _clips(self, file: VideoFile, shown: Iterable[Shown]) -> Iterator[Video | Remark]:
        pieces = clips_of(
            shown,
            source=file.name,
            frames=self.form.frames,
            min_motion=self.limits.min_motion,
            scene_cut=self.limits.scene_cut,
        )
        word = re.sub(r"[^a-z0-9]+", "-", Path(file.name).stem.lower()).strip("-")[:LONGEST_NAME]
        count = 0
        for piece in pieces:
            if isinstance(piece, Remark):
                yield piece
                continue
            clip_id = f"video-{file.number:05d}-{word}-{count:04d}"
            yield Video(clip_id=clip_id, caption=file.caption, rgb=piece, source=file.name)
            count += 1


@dataclass(frozen=True, kw_only=True)
class SplitSource:
    """The clips of a simulated split, of which nothing but RGB and what is said of the first frame is used."""

    folder: Path
    rows: tuple[IndexRow, ...]
    min_motion: float
    simulated: bool = True

    def tasks(self) -> list[ShardOf[IndexRow]]:
        """A shard for every shard of the split."""
        members: dict[str, list[IndexRow]] = {}
        for row in self.rows:
            members.setdefault(row.shard, []).append(row)
        return [ShardOf(shard=shard, items=tuple(rows)) for shard, rows in members.items()]

    def remarks(self) -> list[Remark]:
        """None."""
        return []

    def videos(self, task: ShardOf[IndexRow]) -> Iterator[Video | Remark]:
        """The clips in which something moves."""
        for row in task.items:
            rgb = read_part(self.folder, row.extent, ("rgb",)).arrays["rgb"]
            source = f"{row.split}/{row.clip_id}"
            if remark := is_static(rgb, source=source, min_motion=self.min_motion):
                yield remark
            else:
                yield Video(clip_id=row.clip_id, caption=row.caption_initial, rgb=rgb, source=source)


def folder_source(folder: Path, form: "Format", limits: "Videos", *, field: str) -> FolderSource:
    """The files below a folder; ParametersError when it is not there, holds no video, or its captions are bad.

    field: the parameter or option that names the folder, for messages.
    """
    if not folder.is_dir():
        raise ParametersError(f"{field}: {folder} is no folder, expected one with videos ({', '.join(SUFFIXES)})")
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    names = tuple(name for name in found if name.lower().endswith(SUFFIXES))
    if not names:
        raise ParametersError(f"{field}: {folder} holds no video, expected {', '.join(SUFFIXES)} in it or below")
    others = tuple(name for name in found if name not in names and name != CAPTIONS_FILE)
    captions = read_captions(folder)
    return FolderSource(folder=folder, names=names, others=others, captions=captions, form=form, limits=limits)


def split_source(folder: Path, limits: "Videos") -> SplitSource:
    """The clips of a simulated split."""
    return SplitSource(folder=folder, rows=tuple(read_index(folder)), min_motion=limits.min_motion)


class _Counted:
    """Frames as they pass, and how many have: all, and repeated ones."""

    def __init__(self, shown: Iterable[Shown]) -> None:
        self._shown = shown
        self.frames = self.repeated = 0

    def __iter__(self) -> Iterator[Shown]:
        for one in self._shown:
            self.frames += 1
            self.repeated += one.repeated
            yield one
