"""Clips read before they are wanted, while something else is computed, and the choice of some clips of a set."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor

MOST_BYTES = 2**32  # of labels or truth in memory; of more, clips are read when they are wanted


class Sized(Protocol):
    """A row of an index."""

    @property
    def frames(self) -> int:
        """T."""
        ...

    @property
    def height(self) -> int:
        """H."""
        ...

    @property
    def width(self) -> int:
        """W."""
        ...


class Readable(Protocol):
    """What is read of clips."""

    def ready(self) -> Self:
        """The same as float32, where models compute."""
        ...


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R", bound=Readable)


class Source(Protocol[T_co]):
    """What is known of a set of clips, by their numbers."""

    def __len__(self) -> int:
        """How many clips there are."""
        ...

    @property
    def frames(self) -> int:
        """T of every clip."""
        ...

    def __getitem__(self, numbers: Tensor) -> T_co:
        """What is known of some, where models compute."""
        ...

    def expect(self, numbers: Tensor) -> None:
        """These clips are wanted next. It changes when they are read and nothing else."""
        ...


class Ahead(Generic[T]):
    """Reads what is expected in the background: the same bytes, since what is read depends on the numbers alone."""

    def __init__(self, read: Callable[[Tensor], T]) -> None:
        self._read = read
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._expected: tuple[Tensor, Future[T]] | None = None

    def expect(self, numbers: Tensor) -> None:
        """Begin to read these."""
        self._expected = (numbers, self._reader.submit(self._read, numbers))

    def take(self, numbers: Tensor) -> T:
        """What was read of `numbers`, or is read now; an error of the background is raised here."""
        expected, self._expected = self._expected, None
        if expected and torch.equal(expected[0], numbers):
            return expected[1].result()
        return self._read(numbers)


class OnDisk(ABC, Generic[R]):
    """What is known of clips of one shape, read from their shards as it is wanted."""

    bytes_of_pixel: ClassVar[int]  # and frame, in memory

    def __init__(self, rows: Sequence[Sized]) -> None:
        self._clips = rows
        self._ahead = Ahead(self.read)

    @abstractmethod
    def read(self, numbers: Tensor) -> R:
        """That of some clips, as it lies in memory."""

    def __len__(self) -> int:
        return len(self._clips)

    @property
    def frames(self) -> int:
        """T of every clip."""
        return self._clips[0].frames

    def __getitem__(self, numbers: Tensor) -> R:
        """That of some clips, as float32, where models compute."""
        return self._ahead.take(numbers).ready()

    def expect(self, numbers: Tensor) -> None:
        """Begin to read these clips in the background."""
        self._ahead.expect(numbers)

    @property
    def bytes(self) -> int:
        """What all clips take in memory."""
        return sum(row.frames * row.height * row.width * self.bytes_of_pixel for row in self._clips)


@dataclass(frozen=True, kw_only=True)
class Chosen(Generic[T]):
    """The clips of `source` with these numbers, counted anew."""

    source: Source[T]
    numbers: Tensor

    def __len__(self) -> int:
        """How many were chosen."""
        return len(self.numbers)

    @property
    def frames(self) -> int:
        """T of every clip."""
        return self.source.frames

    def __getitem__(self, numbers: Tensor) -> T:
        """What the source knows of some."""
        return self.source[self.numbers[numbers]]

    def expect(self, numbers: Tensor) -> None:
        """Those of the source are wanted next."""
        self.source.expect(self.numbers[numbers])


def read_side_by_side(read: Callable[[int], T], numbers: Tensor) -> list[T]:
    """`read` of each number, in their order, by as many threads as there are cores: decompression waits for none."""
    with ThreadPoolExecutor(min(len(numbers), os.cpu_count() or 1) or 1) as readers:
        return list(readers.map(read, numbers.tolist()))
