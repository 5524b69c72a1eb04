"""`phys4d generate`: one picture and one sentence become video, depth, motion and points in a folder."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.compute import use_cores
from components.errors import Phys4dError
from components.generate import generate
from components.generation_files import free_folder, write_generation
from components.input_image import load_image
from components.manifest import manifest_hash
from components.model import load_model
from components.simulation.camera import Viewpoint, orbit_camera

if TYPE_CHECKING:
    from components.params import Params

STAGES = ("stage3", "stage2", "stage1")  # the last that is there is taken


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is wanted. models: the folder of a backbone's models; stage: which of them, or the last that is there."""

    models: Path
    stage: str | None
    image: Path
    prompt: str
    seed: int
    out: Path
    overwrite: bool


def generate_to_folder(request: Request, params: "Params") -> None:
    """Generate and write; nothing is left behind when anything fails."""
    use_cores(params.resources)
    free_folder(request.out, overwrite=request.overwrite)
    video = params.video
    image = load_image(request.image, height=video.height, width=video.width)
    stage = request.stage or _last_stage(request.models)
    model = load_model(request.models / "base", request.models / stage)
    if unread := model.text.unread(request.prompt):
        sys.stderr.write(
            f"warning: the prompt is {unread} tokens longer than this model reads: its end counts for nothing; shorten "
            "it\n"
        )
    generated = generate(
        model,
        images=image[None],
        captions=[request.prompt],
        frames=video.frames,
        seeds=[request.seed],
        steps=params.evaluation.sampler_steps,
        noise_level=params.heads.noise_level,
    )
    camera = orbit_camera(Viewpoint.middle(params.simulation.camera), video, azimuth=0.0)
    write_generation(
        request.out,
        generated,
        sample=0,
        intrinsics=camera.intrinsics,
        far=camera.far,
        fps=video.fps,
        description={
            "model": manifest_hash(request.models / stage),
            "stage": stage,
            "image": request.image.name,
            "prompt": request.prompt,
            "seed": request.seed,
            "sampler_steps": params.evaluation.sampler_steps,
        },
        overwrite=request.overwrite,
    )


def _last_stage(models: Path) -> str:
    for stage in STAGES:
        if (models / stage).is_dir():
            return stage
    raise Phys4dError(f"{models}: no trained stage in it, expected {', '.join(STAGES)}: run dvc repro, or make run")
