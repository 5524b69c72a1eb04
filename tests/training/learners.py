"""A learner of every kind on the tiny world."""

from components.backbones.adapters import add_adapter
from components.training.engine import PLAIN, Engine
from components.training.stage1 import HeadsOnPseudoLabels
from components.training.stage2 import SimulationTuning
from components.training.stage3 import Reinforcement
from components.training.stand_in import StandIn
from components.training.trainer import Learner
from tests.training.twins import (
    PREPARE,
    STAGE1,
    STAGE2,
    STAGE3,
    encode,
    make_backbone,
    make_heads,
    make_model,
    make_practice,
    make_world,
    pseudo_labels,
)


def stand_in(engine: Engine = PLAIN) -> Learner:
    return StandIn(make_backbone(), encode(make_world(8)), PREPARE, seed=1, engine=engine)


def stage1(engine: Engine = PLAIN, *, width: int = 12) -> Learner:
    world = make_world(8)
    heads = make_heads(width=width)
    return HeadsOnPseudoLabels(
        make_backbone(), heads, encode(world), pseudo_labels(world), STAGE1, seed=1, engine=engine
    )


def stage2_blocks(engine: Engine = PLAIN) -> Learner:
    world = make_world(8)
    return SimulationTuning(make_model(), encode(world), world.truth, STAGE2, seed=1, engine=engine)


def stage2_lora(engine: Engine = PLAIN) -> Learner:
    world = make_world(8)
    section = STAGE2.model_copy(update={"trainable": "lora"})
    return SimulationTuning(make_model(), encode(world), world.truth, section, seed=1, engine=engine)


def stage3_nft(engine: Engine = PLAIN) -> Learner:
    return Reinforcement(make_model(), make_practice(), STAGE3, noise_level=0.05, seed=1, engine=engine)


def stage3_rejection(engine: Engine = PLAIN) -> Learner:
    section = STAGE3.model_copy(update={"algorithm": "rejection"})
    return Reinforcement(make_model(), make_practice(), section, noise_level=0.05, seed=1, engine=engine)


def stage3_grpo(engine: Engine = PLAIN) -> Learner:
    section = STAGE3.model_copy(update={"algorithm": "grpo"})
    return Reinforcement(make_model(), make_practice(), section, noise_level=0.05, seed=1, engine=engine)


def stage3_above_lora(engine: Engine = PLAIN) -> Learner:
    """The adapter of stage 2 stays on beneath that of stage 3, frozen."""
    model = make_model()
    add_adapter(model.backbone, "stage2", rank=4, seed=5)
    return Reinforcement(model, make_practice(), STAGE3, noise_level=0.05, seed=1, engine=engine)


LEARNERS = (stand_in, stage1, stage2_blocks, stage2_lora, stage3_nft, stage3_grpo, stage3_rejection, stage3_above_lora)
