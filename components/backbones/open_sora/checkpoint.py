"""Safetensors into a model, name by name and shape by shape: nothing missing, nothing left over, no pickles.

Names and shapes are read from the files' headers, so that a wrong file is refused before gigabytes are read.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor, nn

from components.errors import ParametersError

CONFIG = "config.json"
WEIGHTS = "*.safetensors"
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
NAMED = 3  # tensors that an error names
Shape = tuple[int, ...]


def load_tensors(model: nn.Module, folder: Path, *, dtype: torch.dtype, exact: Iterable[str] = ()) -> None:
    """Put the folder's tensors into a model, which may be on the meta device; frozen, in evaluation mode.

    dtype: that they are kept in, those named in `exact` excepted, which stay in float32. ParametersError names the
    first tensors that are missing, unknown or of another shape; then the model is as it was.
    """
    files = _weights(folder)
    found = _shapes(files)
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if problems := list(_differences(found, expected)):
        raise ParametersError(
            f"{folder}: not the weights of this {type(model).__name__}: {'; '.join(problems)}: give the folder or hub "
            "id of its own checkpoint, or download it again"
        )
    kept = set(exact)
    tensors = {
        name: value.to(torch.float32 if name in kept else dtype) for path in files for name, value in _tensors(path)
    }
    model.load_state_dict(tensors, assign=True)
    model.eval().requires_grad_(False)


def is_model_file(path: str) -> bool:
    """Whether a model is loaded from this file: its configuration or its weights."""
    place = PurePosixPath(path)
    return len(place.parts) == 1 and (path == CONFIG or place.suffix == ".safetensors")


def no_weights(folder: Path) -> str:
    """What is to be said of a folder that holds no safetensors."""
    pickles = [path.name for path in sorted(folder.rglob("*")) if path.suffix in PICKLES]
    found = f"only {pickles[0]}, which may be a pickle and runs code when it is read" if pickles else "none is there"
    return f"expected weights as {WEIGHTS}, {found}: download model.safetensors, or save the weights as safetensors"


def _weights(folder: Path) -> list[Path]:
    if files := sorted(folder.glob(WEIGHTS)):
        return files
    raise ParametersError(f"{folder}: {no_weights(folder)}")


def _shapes(files: Iterable[Path]) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for path in files:
        for name, shape in _header(path):
            if name in found:
                raise ParametersError(
                    f"{path}: {name} is in another file of the folder too: leave one checkpoint in the folder"
                )
            found[name] = shape
    return found


def _header(path: Path) -> Iterator[tuple[str, Shape]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 -- not a mapping
                yield name, tuple(file.get_slice(name).get_shape())
    except (SafetensorError, OSError) as error:
        raise ParametersError(
            f"{path}: not readable as safetensors ({error}): a pickle under this name is not read either; download it "
            "again"
        ) from error


def _tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        for name in file.keys():  # noqa: SIM118
            yield name, file.get_tensor(name)


def _differences(found: Mapping[str, Shape], expected: Mapping[str, Shape]) -> Iterator[str]:
    for word, names in (("missing", expected.keys() - found.keys()), ("not expected", found.keys() - expected.keys())):
        if names:
            yield f"{len(names)} {word}, {_first(sorted(names))}"
    shared = sorted(found.keys() & expected.keys())
    if other := [
        f"{name} {list(found[name])} for {list(expected[name])}" for name in shared if found[name] != expected[name]
    ]:
        yield f"{len(other)} of another shape, {_first(other)}"


def _first(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
