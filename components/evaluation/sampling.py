"""The videos of the evaluation: what reality and the codec alone give, and what every model makes of a first frame.

Each row is made once and kept. The noise of a sample depends on the seed, the clip and the sample's number, so all
models start from the same. Stage 1 trains heads alone: where its folder changes nothing of the video model, it and the
base share their videos. Legend: C clips, T frames, K clips whose depth and motion are kept to be shown.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.backbones.base import Codec, Frames
from components.clip import Clip
from components.errors import StoppedError
from components.evaluation.consistency.truth import Truth
from components.evaluation.heads import Read
from components.evaluation.judge import DepthReader
from components.evaluation.noise import noise_seed
from components.evaluation.own import OWN_METRICS, own_metrics
from components.evaluation.rows import RowWriter, new_row
from components.evaluation.takes import TakePlace
from components.generate import Generated, generate, read_frames
from components.model import HEADS_FILE, Model
from components.shards import read_part
from components.training.diffusion import CHUNK

REFERENCES = ("judged_truth", "take2", "round_trip", "first_frame")
SHOWN_DEPTH, SHOWN_FLOW, OWN = "shown_depth", "shown_flow", "own"  # fields of a row


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is sampled, and how. shown: numbers of the clips whose depth and motion are kept."""

    places: Sequence[TakePlace]
    shown: Sequence[int]
    samples: int
    steps: int
    noise_level: float
    seed: int
    stopped: Callable[[], bool]
    advance: Callable[[int], None]

    def batches(self) -> Iterator[slice]:
        """Neighbouring clips; StoppedError between them when a signal came."""
        for start in range(0, len(self.places), CHUNK):
            self.check_stopped()
            yield slice(start, min(start + CHUNK, len(self.places)))

    def check_stopped(self) -> None:
        """StoppedError when a signal came."""
        if self.stopped():
            raise StoppedError("stopped; finished rows are kept, the same command goes on from there")

    def prompts(self) -> "Prompts":
        """What every model is given."""
        clips = [read_part(place.folder, place.take1, ("rgb",)) for place in self.places]
        return Prompts(
            images=np.stack([clip.arrays["rgb"][0] for clip in clips]),
            captions=[clip.meta.caption_initial for clip in clips],
            seeds=np.array(
                [[noise_seed(self.seed, clip.meta.clip_id, sample) for sample in range(self.samples)] for clip in clips]
            ),
        )

    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width of the clips."""
        frames, height, width = self.places[0].read().take1.depth.shape
        return frames, height, width


@dataclass(frozen=True, kw_only=True)
class Prompts:
    """First frames (C,H,W,3), captions of what is about to happen, and the seeds (C,samples) of the noise."""

    images: Frames
    captions: Sequence[str]
    seeds: NDArray[np.int64]


def keeps_video(stage: Path) -> bool:
    """Whether a stage's model makes the same videos as its base: it brings heads and no other weights."""
    return {path.name for path in stage.glob("*.safetensors")} == {HEADS_FILE}


def sample_reference(plan: Plan, row: str, codec: Codec, judge: DepthReader, folder: Path) -> None:
    """A row that no model made: the true video as the judge reads it, take 2, the codec's round trip, a still."""
    with _row(plan, folder, judge, samples=1) as writer:
        for clips in plan.batches():
            frames = np.stack(
                [
                    read_part(place.folder, place.take2 if row == "take2" else place.take1, ("rgb",)).arrays["rgb"]
                    for place in plan.places[clips]
                ]
            )
            if row == "first_frame":
                frames = np.repeat(frames[:, :1], frames.shape[1], axis=1)
            elif row == "round_trip":
                frames = codec.decode(codec.encode(frames))
            writer.put(clips, 0, frames)
            plan.advance(len(frames))


def sample_model(plan: Plan, model: Model, judge: DepthReader, folder: Path, *, reader: Model) -> None:
    """The row of a model: videos of every clip; of the shown clips' first ones also depth and motion.

    What heads say of every first sample is measured at once, as OWN_METRICS (C,metrics): kept whole, it would be
    several times as large as the videos. A model without heads is read by `reader`'s, to be shown alone.
    """
    prompts = plan.prompts()
    headless = replace(model, heads=None)  # reading costs a forward pass: the first samples alone are read
    with _row(plan, folder, judge, samples=plan.samples) as writer:
        shown = _Shown(writer, plan)
        own = writer.field(OWN, np.float64, (len(plan.places), len(OWN_METRICS))) if model.heads else None
        for sample in range(plan.samples):
            for batch in plan.batches():
                made = make_videos(plan, prompts, headless if sample else model, clips=batch, sample=sample)
                writer.put(batch, sample, made.rgb)
                if sample == 0:
                    shown.put(batch, made if model.heads else _read(plan, reader, made.rgb, prompts.captions[batch]))
                    if own is not None:
                        own[batch] = _measure_own(plan, batch, made, writer)
                plan.advance(len(made.rgb))


def make_videos(plan: Plan, prompts: Prompts, model: Model, *, clips: slice, sample: int) -> Generated:
    """Sample number `sample` of some clips, as every model makes it."""
    return generate(
        model,
        images=prompts.images[clips],
        captions=prompts.captions[clips],
        frames=plan.shape()[0],
        seeds=prompts.seeds[clips, sample].tolist(),
        steps=plan.steps,
        noise_level=plan.noise_level,
    )


def read_true_clips(plan: Plan, model: Model) -> Iterator[tuple[Clip, Read]]:
    """Every true clip, with what the model's heads say of it."""
    for batch in plan.batches():
        clips = [place.read().take1 for place in plan.places[batch]]
        captions = [clip.meta.caption_initial for clip in clips]
        made = _read(plan, model, np.stack([clip.rgb for clip in clips]), captions)
        for number, clip in enumerate(clips):
            yield clip, _said(made, number)
        plan.advance(len(clips))


class _Shown:
    """Depth and motion of the shown clips, in half precision: they are looked at, not measured."""

    def __init__(self, writer: RowWriter, plan: Plan) -> None:
        frames, *size = plan.shape()
        self._shown = plan.shown
        self._depth = writer.field(SHOWN_DEPTH, np.float16, (len(plan.shown), frames, *size))
        self._flow = writer.field(SHOWN_FLOW, np.float16, (len(plan.shown), frames - 1, *size, 2))

    def put(self, batch: slice, read: Generated) -> None:
        if read.depth is None or read.flow is None:
            raise ValueError("a base has no heads to read with")
        for place, clip in enumerate(self._shown):
            if batch.start <= clip < batch.stop:
                self._depth[place], self._flow[place] = read.depth[clip - batch.start], read.flow[clip - batch.start]


def _measure_own(plan: Plan, batch: slice, made: Generated, writer: RowWriter) -> NDArray[np.float64]:
    """OWN_METRICS (clips,metrics) of the first samples of a batch."""
    return np.stack(
        [
            own_metrics(
                _said(made, number),
                made.rgb[number],
                writer.depth_of(batch.start + number, 0),
                Truth(clip=place.read().take1),
            )
            for number, place in enumerate(plan.places[batch])
        ]
    )


def _said(made: Generated, number: int) -> Read:
    """What heads said of one video."""
    return Read(**{field.name: getattr(made, field.name)[number] for field in fields(Read)})


def _read(plan: Plan, model: Model, frames: Frames, captions: Sequence[str]) -> Generated:
    return read_frames(model, frames=frames, captions=captions, noise_level=plan.noise_level)


@contextmanager
def _row(plan: Plan, folder: Path, judge: DepthReader, *, samples: int) -> Iterator[RowWriter]:
    with new_row(folder, judge, (len(plan.places), samples, *plan.shape())) as writer:
        yield writer
