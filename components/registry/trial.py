"""A sample from a version's own files: whether what was registered loads and makes a video that moves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.errors import Phys4dError
from components.registry.contents import ARTIFACTS, BASE, VARIANT, Settings
from components.registry.measured import EVALUATIONS, SAMPLES_FILE

SEED = 0


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A test clip's first frame, (H,W,3) uint8, and what is said of it."""

    image: NDArray[np.uint8]
    caption: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """wrong: what is wrong with the sample, empty for nothing; motion: grey levels from frame to frame, on average."""

    wrong: str
    motion: float | None


def prompt_of_test(root: Path, backbone: str) -> Prompt:
    """The first of the clips that the evaluation shows; Phys4dError when there is none."""
    path = root / EVALUATIONS / backbone / SAMPLES_FILE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Prompt(image=arrays["truth/rgb"][0, 0], caption=str(arrays["captions"][0]))
    except (OSError, KeyError, ValueError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise Phys4dError(f"{path}: no clip to draw from ({reason}): run phys4d stage evaluate@{backbone}") from error


def draw_sample(folder: Path, prompt: Prompt, settings: Settings, *, steps: int) -> Sample:
    """What the version in `folder`, loaded from there, makes of a prompt in `steps` steps of the sampler."""
    from components.generate import generate
    from components.model import load_model

    try:
        model = load_model(folder / ARTIFACTS / BASE, folder / ARTIFACTS / VARIANT)
        made = generate(
            model,
            images=prompt.image[None],
            captions=[prompt.caption],
            frames=settings.frames,
            seeds=[SEED],
            steps=steps,
            noise_level=settings.noise_level,
        )
    except Phys4dError as error:
        return Sample(wrong=f"the registered model makes no sample: {error}", motion=None)
    arrays = {
        name: getattr(made, name) for name in ("rgb", "depth", "foreground", "flow", "depth_change", "visibility")
    }
    return judge_sample({"latents": made.latents.float().cpu().numpy(), **arrays}, settings)


def judge_sample(arrays: dict[str, NDArray[np.generic] | None], settings: Settings) -> Sample:
    """Whether arrays of one sample are whole: all there, of the version's shape, and finite."""
    frames, size = settings.frames, (settings.height, settings.width)
    shapes = {
        "rgb": (1, frames, *size, 3),
        "depth": (1, frames, *size),
        "foreground": (1, frames, *size),
        "flow": (1, frames - 1, *size, 2),
        "depth_change": (1, frames - 1, *size),
        "visibility": (1, frames - 1, *size),
    }
    for name, array in arrays.items():
        if array is None:
            return Sample(wrong=f"a sample has no {name}", motion=None)
        if name in shapes and array.shape != shapes[name]:
            return Sample(wrong=f"a sample's {name} is of shape {array.shape}, expected {shapes[name]}", motion=None)
        if not np.isfinite(array.astype(np.float64)).all():
            return Sample(wrong=f"a sample's {name} is not finite everywhere", motion=None)
    rgb = np.asarray(arrays["rgb"], np.float64)
    return Sample(wrong="", motion=float(np.abs(np.diff(rgb, axis=1)).mean()))
