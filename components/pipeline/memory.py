"""The memory around a stage: said and checked before it starts; where it runs out, an error says what to do."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from components.errors import Phys4dError

if TYPE_CHECKING:
    from components.params import Params

PLANNED = ("prepare", "encode", "stage1", "stage2", "stage3", "evaluate")  # that train or sample
SIGNS = ("can't allocate memory", "not enough memory")  # of torch on a CPU, in an error of no kind of its own


@contextmanager
def memory_watched(template: str, item: Mapping[str, str], params: "Params") -> Iterator[None]:
    """Run a stage's work within this; ParametersError when it cannot fit, Phys4dError when memory ran out."""
    if _is_planned(template, item):
        from components.planning.machine import this_machine
        from components.planning.plan import announce

        announce(params, this_machine(), backbone=item["backbone"], stage=template)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise _explained(template, item, params) from error


def _is_planned(template: str, item: Mapping[str, str]) -> bool:
    """Whether a stage is one of a backbone's that trains or samples."""
    return template in PLANNED and "backbone" in item


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had: Python's, numpy's, torch's of any device."""
    torch = sys.modules.get("torch")
    return (
        isinstance(error, MemoryError)
        or (torch is not None and isinstance(error, torch.OutOfMemoryError))
        or (isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS))
    )


def _explained(template: str, item: Mapping[str, str], params: "Params") -> Phys4dError:
    if not _is_planned(template, item):
        return Phys4dError(f"{template}: out of memory: end other programs, or lower resources.processes")
    from components.planning.machine import this_machine
    from components.planning.plan import exhausted

    return exhausted(params, this_machine(), backbone=item["backbone"], stage=template)
