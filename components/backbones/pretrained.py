"""Saved models of diffusers and transformers: read from a folder, safetensors alone, whole, without progress bars."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from components.errors import ParametersError


def load_pretrained(kind: Any, folder: Path, **options: Any) -> Any:  # noqa: ANN401 -- the libraries' classes have no types
    """The model of class `kind` in `folder`, frozen, in evaluation mode.

    ParametersError when it is no such model or a weight is missing, which the libraries would draw at random.
    """
    try:
        # the libraries may draw weights before they replace them
        with no_progress_bars(), torch.random.fork_rng(devices=[]):
            model, found = kind.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True, **options
            )
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ParametersError(
            f"{folder}: not readable as {kind.__name__} ({reason}): expected its config.json and safetensors, as "
            "save_pretrained writes them"
        ) from error
    if missing := sorted(found["missing_keys"]):
        raise ParametersError(
            f"{folder}: {len(missing)} weights of {kind.__name__} are missing, the first is {missing[0]}: download or "
            "save it again"
        )
    return model.eval().requires_grad_(False)


@contextmanager
def no_progress_bars() -> Iterator[None]:
    """Reading and writing of models without the bars that the libraries draw on standard error."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    shown = [library for library in (of_diffusers, of_transformers) if library.is_progress_bar_enabled()]
    for library in shown:
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library in shown:
            library.enable_progress_bar()
