"""The verdict on what a run made: registered and perhaps promoted, but for the smoke profile."""

from dataclasses import dataclass
from pathlib import Path

from components.evaluation.verdict import decide
from components.params import Params
from components.registry.measured import read_metrics
from components.registry.promotion import promote
from components.registry.versions import UNREGISTERED


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Whether a model was promoted; the verdict and its consequence in one line."""

    promoted: bool
    text: str


def judge(root: Path, backbone: str, params: Params) -> Judged:
    """Register and promote a backbone's model, or not."""
    if params.profile == UNREGISTERED:
        return foresee(root, backbone, params)
    done = promote(root, params, backbone=backbone)
    return Judged(promoted=done.promoted, text=done.text)


def foresee(root: Path, backbone: str, params: Params) -> Judged:
    """The verdict without its consequence: nothing is registered, and so nothing promoted."""
    text = decide(read_metrics(root, backbone), params.promotion).text
    reason = f"profile {UNREGISTERED}: " if params.profile == UNREGISTERED else ""
    return Judged(promoted=False, text=f"{backbone}: {text} ({reason}nothing is registered)")
