"""Stage prepare@BACKBONE: the base. A tiny twin is trained; of published weights a manifest is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.compute import use_cores
from components.files import move_folder, new_folder
from components.launched import is_follower

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

UNIT = "steps"


def run(params: "Params", context: "StageContext", *, backbone: str) -> Mapping[str, float]:
    """Write models/BACKBONE/base."""
    use_cores(params.resources, beside=params.resources.trainings)
    section = getattr(params.backbones, backbone)
    folder = new_folder(context.work / "base")
    if section.size == "tiny":
        from components.training.gang import together
        from components.training.prepare_twin import prepare_twin

        with together(params.resources.ranks, context.work):
            figures = prepare_twin(params, context, backbone, folder=folder)
        if is_follower():
            return figures
    else:
        from components.backbones.family import VideoShape
        from components.backbones.published import write_manifest

        video = VideoShape(**params.video.model_dump())
        figures = write_manifest(folder, name=backbone, section=section, video=video)
    move_folder(folder, Path("models") / backbone / "base")
    return figures
