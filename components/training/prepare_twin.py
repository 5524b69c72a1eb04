"""A tiny twin from nothing: encode the appearance split, train the stand-in, write its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.backbones import laptop_latents, text
from components.backbones.family import family
from components.backbones.twin import save_twin, shape_of, twin_facts
from components.files import write_atomically
from components.model import CODEC_FILE, LOSSES_FILE, seal
from components.training.encoded import encode_clips
from components.training.engine import engine_of
from components.training.simulated import captions_of, videos_of
from components.training.stand_in import StandIn
from components.training.trainer import Surroundings, losses_csv, train

if TYPE_CHECKING:
    from components.params import Params
    from components.pipeline.execution import StageContext

APPEARANCE = Path("data/simulation/appearance")


def prepare_twin(params: "Params", context: "StageContext", name: str, *, folder: Path) -> Mapping[str, float]:
    """Train, and write the folder of a base: transformer, codec, text encoder, losses and manifest."""
    codec = laptop_latents.load(Path("models/latents") / laptop_latents.FILE)
    captions = captions_of(APPEARANCE)
    encoder = text.fit(captions, params.text, seed=params.seed)
    data = encode_clips(videos_of(APPEARANCE), captions, codec=codec, text=encoder)
    shape = shape_of(params, name, channels=codec.channels)
    backbone = family(name).make_twin(shape, seed=params.seed)
    learner = StandIn(backbone, data, params.prepare, seed=params.seed, engine=engine_of(params.resources))
    with context.progress(learner.steps) as display:
        history = train(
            learner, Surroundings(folder=context.work, display=display, stopped=context.stopped, log=context.log)
        )
    learner.finish()
    save_twin(backbone, folder)
    laptop_latents.save(codec, folder / CODEC_FILE)
    text.save(encoder, folder / "text")
    facts = {"seed": params.seed, **twin_facts(shape), "prepare": params.prepare.model_dump()}
    write_atomically(folder / LOSSES_FILE, losses_csv(history))
    seal(folder, backbone=backbone, stage="base", facts=facts)
    return {"diffusion": history[-1]["diffusion"]}
