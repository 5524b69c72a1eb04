"""Encoded clips: latents and text embeddings, computed once and read by every stage of training."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from components.backbones.base import Codec, Condition, Frames, TextEncoder
from components.compute import on_device
from components.errors import Phys4dError
from components.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from components.training.diffusion import Batch
from components.training.ranks import Share

PSEUDO_FILE, TRAIN_FILE = "pseudo_labels.safetensors", "train.safetensors"
CHUNK = 100  # clips encoded at once
MOST_BYTES = 2**30  # of their pixels


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Clips in the order of their index. latents (N,C,F,h,w); text (N,L,D); empty (L,D): the text of no caption.

    only: numbers of the clips that count, and are counted anew; all where it is None. What `load_encoded` gives lies in
    a file that is mapped into memory: of a set larger than memory, what a batch needs is read.
    """

    latents: Tensor
    text: Tensor
    empty: Tensor
    only: Tensor | None = None

    def __len__(self) -> int:
        return len(self.latents if self.only is None else self.only)

    @property
    def shape(self) -> torch.Size:
        """Of one clip's latents: (C,F,h,w)."""
        return self.latents.shape[1:]

    def draw(
        self, count: int, generator: torch.Generator, *, caption_dropout: float = 0.0, share: Share | None = None
    ) -> tuple[Tensor, Batch]:
        """`count` clips with replacement: their numbers and a batch, some without their caption.

        With a share, all are drawn and the numbers and the batch are of that share.
        """
        numbers = torch.randint(len(self), (count,), generator=generator)
        dropped = torch.rand(count, generator=generator) < caption_dropout if caption_dropout else None
        if share is not None:
            numbers, dropped = share.of(numbers), None if dropped is None else share.of(dropped)
        text = self.text[self._places(numbers)]  # a copy
        if dropped is not None:
            text[dropped] = self.empty
        return numbers, replace(self.batch(numbers, text=text), share=share)

    def condition(self, numbers: Tensor) -> Condition:
        """What the videos of some clips are generated from."""
        places = self._places(numbers)
        return Condition(first=on_device(self.latents[places, :, :1]), text=on_device(self.text[places]))

    def batch(self, numbers: Tensor, *, text: Tensor | None = None) -> Batch:
        """Clips by number, where models compute; with their own text unless another is given."""
        places = self._places(numbers)
        clean = on_device(self.latents[places])
        text = on_device(self.text[places] if text is None else text)
        return Batch(clean=clean, condition=Condition(first=clean[:, :, :1], text=text))

    def foresee(self, count: int, generator: torch.Generator, share: Share) -> Tensor:
        """Numbers of the rank's clips that `draw` will give next, if nothing else is drawn before."""
        copy = torch.Generator()
        copy.set_state(generator.get_state())
        return share.of(torch.randint(len(self), (count,), generator=copy))

    def _places(self, numbers: Tensor) -> Tensor:
        return numbers if self.only is None else self.only[numbers]


def encode_clips(
    videos: Iterable[Frames],
    captions: Sequence[str],
    *,
    codec: Codec,
    text: TextEncoder,
    kept: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Encoded:
    """Encode videos (T,H,W,3) as they come.

    kept: a folder of what was encoded before an interruption, which is not encoded again. advance: is told of so many
    more clips whenever some are done; what it raises ends the work.
    """
    parts: list[Tensor] = []
    for number, chunk in enumerate(_chunks(videos)):
        parts.append(_encoded(chunk, codec, None if kept is None else kept / f"{number:05}"))
        advance(len(chunk))
    latents = torch.cat(parts)
    if len(latents) != len(captions):
        raise Phys4dError(f"{len(latents)} videos and {len(captions)} captions, expected as many of each")
    return Encoded(latents=latents, text=text.encode(captions), empty=text.encode([""])[0])


def _chunks(videos: Iterable[Frames]) -> Iterator[list[Frames]]:
    """As many videos as are encoded at once."""
    waiting: list[Frames] = []
    for video in videos:
        waiting.append(video)
        if len(waiting) >= chunk_of(video.nbytes):
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def chunk_of(video: int) -> int:
    """How many videos of so many bytes are encoded at once."""
    return max(1, min(CHUNK, MOST_BYTES // video))


def _encoded(chunk: list[Frames], codec: Codec, kept: Path | None) -> Tensor:
    """Latents of some videos, as they are kept in a folder, else computed and kept there."""
    done = read_checkpoint(kept) if kept else None
    if done:
        return done.state["latents"]
    latents = codec.encode(np.stack(chunk))
    if kept:
        write_checkpoint(Checkpoint(history=[], state={"latents": latents}), kept)
    return latents


def save_encoded(encoded: Encoded, path: Path) -> None:
    """Write as safetensors."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"latents": encoded.latents, "text": encoded.text, "empty": encoded.empty}, path)


def load_encoded(path: Path) -> Encoded:
    """What `save_encoded` wrote."""
    from safetensors.torch import load_file

    if not path.is_file():
        raise Phys4dError(f"{path}: not found: run dvc repro, or dvc pull")
    return Encoded(**load_file(path))
