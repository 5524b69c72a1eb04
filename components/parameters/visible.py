"""What a stage may see of the parameters: what DVC tracks for it, and how fast to work."""

from collections.abc import Iterable
from typing import TypeVar

from components.parameters.fields import Section

S = TypeVar("S", bound=Section)

UNTRACKED = ("resources",)  # how fast a stage works; only the rounding of sums in training depends on it


def visible(params: S, keys: Iterable[str]) -> S:
    """`params` with the dotted `keys` alone; reading any other field raises AttributeError.

    So a stage cannot depend on a value whose change would not run it again.
    """
    tails: dict[str, list[str]] = {}
    for key in keys:
        head, _, tail = key.partition(".")
        tails.setdefault(head, []).append(tail)
    fields = {
        head: getattr(params, head) if "" in inner else visible(getattr(params, head), inner)
        for head, inner in tails.items()
    }
    return params.model_construct(**fields)
