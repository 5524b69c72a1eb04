"""What a model's training took: by this, and not by time, variants are matched."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.training.policy import ANCHOR_BATCH

if TYPE_CHECKING:
    from components.params import Params

JUDGED = ("base", "stage2", "stage3")  # stage 1 trains heads alone: its videos are the base's


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of a transformer's training: optimiser steps, clips whose gradient was taken, videos sampled on the way."""

    steps: int
    examples: int
    sampled: int

    def __add__(self, other: "Cost") -> "Cost":
        """The one after the other."""
        return Cost(
            steps=self.steps + other.steps,
            examples=self.examples + other.examples,
            sampled=self.sampled + other.sampled,
        )


def cost_of(params: "Params", judged: str) -> Cost:
    """What a model took from its first weights on: 'base', 'stage2' or 'stage3'."""
    return sum(
        (COSTS[stage](params) for stage in JUDGED[: JUDGED.index(judged) + 1]), Cost(steps=0, examples=0, sampled=0)
    )


def choice_cost(videos: int, best_of: int) -> Cost:
    """What choosing took: all the candidates of so many videos, where there is a choice."""
    return Cost(steps=0, examples=0, sampled=videos * best_of if best_of > 1 else 0)


def _base(params: "Params") -> Cost:
    section = params.prepare
    return Cost(steps=section.steps, examples=section.steps * section.batch_size, sampled=0)


def _stage2(params: "Params") -> Cost:
    section = params.stage2
    steps = section.diffusion_steps + section.steps
    return Cost(steps=steps, examples=steps * section.batch_size, sampled=0)


def _stage3(params: "Params") -> Cost:
    """An iteration trains on each of its samples `times` times, and on the anchor's clips in each of its steps."""
    section = params.stage3
    samples = section.prompts * section.group_size
    anchored = section.updates * ANCHOR_BATCH if section.anchor else 0
    return Cost(
        steps=section.iterations * section.updates,
        examples=section.iterations * (samples * section.times + anchored),
        sampled=section.iterations * samples,
    )


COSTS = {"base": _base, "stage2": _stage2, "stage3": _stage3}
