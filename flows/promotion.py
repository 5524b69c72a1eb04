"""The verdict on what a run made: registered and perhaps promoted, but for the smoke profile."""

from dataclasses import dataclass
from pathlib import Path

from components.evaluation.verdict import decide
from components.params import Params
from components.registry.measured import read_metrics
from components.registry.promotion import consider, promote
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
    """What `judge` would decide; nothing is registered, and so nothing promoted.

    Of the smoke profile that is what its gains say: it has no champion to be held against.
    """
    if params.profile == UNREGISTERED:
        text = decide(read_metrics(root, backbone), params.promotion).text
        return Judged(promoted=False, text=f"{backbone}: {text} (profile {UNREGISTERED}: nothing is registered)")
    found = consider(root, params, backbone=backbone)
    return Judged(promoted=False, text=f"{found.text} (dry run: nothing is registered)")
