"""One rank of a training of the tiny world: python -m tests.training.rank FOLDER, as torchrun starts it.

Every learner is trained in a folder of its own; each rank writes what it ended with: NAME-RANK.safetensors, its figures
in the header.
"""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from components.backbones.adapters import adapter_tensors
from components.errors import StoppedError
from components.processes import signals
from components.training import policy as policy_module
from components.training import ranks
from components.training import stand_in as stand_in_module
from components.training.engine import Engine, assemble
from components.training.stage3 import Reinforcement
from components.training.trainer import Learner, train
from tests.precision import compute_in_float32
from tests.training import learners
from tests.training.twins import STAGE3, copies, make_model, make_practice, surroundings

Maker = Callable[[], Learner]


STOPPED = ("stand_in", "stage2_lora_sharded")


def windowed() -> Learner:
    section = STAGE3.model_copy(update={"algorithm": "grpo", "window": 1, "times": 1})
    return Reinforcement(make_model(), make_practice(), section, noise_level=0.05, seed=1)


SHARDED = tuple(
    (f"{make.__name__}_sharded", make)
    for make in (learners.stand_in, learners.stage1, learners.stage2_lora, learners.stage3_nft, learners.stage3_grpo)
)
MAKERS: Mapping[str, Maker] = {
    **{make.__name__: make for make in (*learners.LEARNERS, windowed)},
    **{name: lambda make=make: make(Engine(shard=True, checkpointing=True)) for name, make in SHARDED},  # type: ignore[misc]
}


def shorten() -> None:
    """Averages that are not the last weights from the first step on, and an anchor of few clips."""
    stand_in_module.AVERAGE_FROM = -1
    policy_module.ANCHOR_BATCH = 2


def train_all(folder: Path) -> None:
    """Train every learner, write what this rank has in the end, and what the leader logged."""
    for name, make in MAKERS.items():
        learner, logged = make(), list[int]()
        work = folder / name
        history = train(learner, surroundings(work, log=lambda _, step, to=logged: to.append(step)))  # type: ignore[misc]
        header = {"history": json.dumps(history), "logged": json.dumps(logged)}
        save_file(copies(learner.state()), folder / f"{name}-{ranks.rank()}.safetensors", header)


def stop_and_go_on(folder: Path, name: str) -> None:
    """A signal reaches the last rank alone before its fourth step; then a new learner goes on."""
    folder = folder / f"{name}-stopped"
    work = folder / "work"
    with signals() as stopped:
        steps = 0

        def asked() -> bool:
            nonlocal steps
            steps += 1
            if steps == 4 and ranks.rank() == ranks.size() - 1:
                signal.raise_signal(signal.SIGTERM)
            return stopped()

        try:
            train(MAKERS[name](), surroundings(work, stopped=asked))
        except StoppedError as error:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"stopped-{ranks.rank()}.txt").write_text(str(error))
    learner = MAKERS[name]()
    header = {"history": json.dumps(train(learner, surroundings(work))), "logged": "[]"}
    save_file(copies(learner.state()), folder / f"stopped-{ranks.rank()}.safetensors", header)


def assemble_model(folder: Path) -> None:
    """The adapter of a sharded training as it would be written, and as it was in the training's state."""
    learner = learners.stage2_lora(Engine(shard=True))
    learner.update(0)
    state = {
        name.rsplit("/transformer.")[-1]: value for name, value in learner.state().items() if "/transformer." in name
    }
    backbone = learner._backbone  # type: ignore[attr-defined]
    held = sum(value.to_local().numel() for value in backbone.transformer.parameters())
    assemble(backbone.transformer)
    whole = sum(value.numel() for value in backbone.transformer.parameters())
    header = {"held": str(held), "whole": str(whole)}
    save_file(copies(adapter_tensors(backbone, "stage2")), folder / f"written-{ranks.rank()}.safetensors", header)
    save_file(copies(state), folder / f"state-{ranks.rank()}.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    compute_in_float32(pytest.MonkeyPatch())
    shorten()
    ranks.join()
    train_all(Path(sys.argv[1]))
    for name in STOPPED:
        stop_and_go_on(Path(sys.argv[1]), name)
    assemble_model(Path(sys.argv[1]))
    ranks.leave()
