"""What a reader of the figures must know of the videos, in sentences."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from components.evaluation.external.answers import Answers, some


def notes_on(answers: Answers, *, repeated: NDArray[np.float64], first: NDArray[np.float64]) -> Iterator[str]:
    """repeated (C,N): frames without a new one in the file; first (C,N): grey levels between frame 0 and the prompt."""
    if answers.unknown:
        yield f"{len(answers.unknown)} files answer no prompt and were left alone: {some(answers.unknown)}"
    prompts = [answer.prompt for answer in answers.answers]
    if answers.missing:
        asked = len(answers.missing) + len(prompts)
        yield f"{len(prompts)} of {asked} prompts were measured; no video of {some(answers.missing)}"
    slow = [prompt.id for prompt, count in zip(prompts, repeated.max(axis=1), strict=True) if count]
    if slow:
        yield (
            f"{len(slow)} prompts have videos with fewer than {prompts[0].fps} frames a second, so that frames stand "
            f"still: {some(slow)}"
        )
    worst = prompts[int(first.max(axis=1).argmax())]
    yield (
        f"first frames differ from the prompts' by {first.mean():.1f} of 255 grey levels on average, and by "
        f"{first.max():.1f} at most, in {worst.id}"
    )
