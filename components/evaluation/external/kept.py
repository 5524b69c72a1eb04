"""What is kept of a model's videos between runs: what was read until it is measured, and what was measured.

A clip's files carry the key of all that decides them, so a changed video is read and measured again, and it alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import ParametersError, StoppedError
from components.evaluation.external.answers import Answer, some
from components.evaluation.external.footage import read_footage
from components.evaluation.external.measuring import (
    ClipTask,
    clip_key,
    features_hash,
    file_hash,
    judge_hash,
    save_footage,
)
from components.pseudo_labels.reading import UnreadableError


@dataclass(frozen=True, kw_only=True)
class KeptClip:
    """One prompt's answers, the sha256 of each, what was read of them and what was measured."""

    answer: Answer
    hashes: tuple[str, ...]
    footage: Path
    measured: Path


@dataclass(frozen=True, kw_only=True)
class Keeper:
    """A folder of work.

    judge: the folder of the depth network; network: the file of the one whose features compare sets of videos, None for
    those of pixels; size: height of the scored frames.
    """

    folder: Path
    judge: Path
    network: str | None
    size: int

    def clips(self, answers: Sequence[Answer]) -> list[KeptClip]:
        """Where each prompt's work lies; what was kept of other videos is removed."""
        judge, network = judge_hash(self.judge), features_hash(self.network)
        clips = [self._clip(answer, judge, network) for answer in answers]
        wanted = {path for clip in clips for path in (clip.footage, clip.measured)}
        for path in (*self.folder.glob("read/*.npz"), *self.folder.glob("measured/*.npz")):
            if path not in wanted:
                path.unlink()
        return clips

    def read(
        self, clips: Sequence[KeptClip], *, stopped: Callable[[], bool], advance: Callable[[int], None]
    ) -> list[ClipTask]:
        """Read the answers of all clips that are not measured yet; what is to be measured.

        `advance` counts clips that are read, and once more those that are measured already. ParametersError names the
        videos that cannot be read or are too short, after all were tried.
        """
        tasks, faults = [], []
        for clip in clips:
            if stopped():
                raise StoppedError("stopped; what was read and measured is kept, the same command goes on from there")
            if clip.measured.exists():
                advance(2)
                continue
            try:
                _read(clip)
            except UnreadableError as error:
                faults.append(str(error))
            tasks.append(self._task(clip))
            advance(1)
        if faults:
            raise ParametersError(
                f"--videos: {len(faults)} of {len(clips)} prompts have a video that cannot be measured: "
                f"{some(faults)}; make these anew, or move them away and give --allow-missing"
            )
        return tasks

    def _clip(self, answer: Answer, judge: str, network: str | None) -> KeptClip:
        hashes = tuple(file_hash(path) for path in answer.files)
        key = clip_key(answer, hashes=hashes, judge=judge, network=network, size=self.size)
        read, measured = (self.folder / kind / f"{key}.npz" for kind in ("read", "measured"))
        return KeptClip(answer=answer, hashes=hashes, footage=read, measured=measured)

    def _task(self, clip: KeptClip) -> ClipTask:
        return ClipTask(
            place=clip.answer.prompt.place,
            footage=clip.footage,
            judge=self.judge,
            network=self.network,
            size=self.size,
            out=clip.measured,
        )


def _read(clip: KeptClip) -> None:
    """Read a clip's answers unless they were; UnreadableError also when a file changed since its hash was taken."""
    if clip.footage.exists():
        return
    footage = read_footage(clip.answer.files, clip.answer.prompt)
    for path, known in zip(clip.answer.files, clip.hashes, strict=True):
        if file_hash(path) != known:
            raise UnreadableError(f"{path.name} changed while it was read: wait until it is finished")
    save_footage(clip.footage, footage)
