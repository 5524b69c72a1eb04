"""Ways to damage a copy of a published pipeline's folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[Path], object]


def saying(path: str, **fields: object) -> Damage:
    """Write fields into a JSON file."""

    def write(folder: Path) -> None:
        values = json.loads((folder / path).read_text())
        (folder / path).write_text(json.dumps({**values, **fields}))

    return write


def without(path: str) -> Damage:
    """Remove a file or a folder."""
    return lambda folder: shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink()


def pickled(folder: Path) -> None:
    """Give the autoencoder's weights the name of a pickle."""
    weights = folder / "vae/diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
