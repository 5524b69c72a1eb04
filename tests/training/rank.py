"""One rank of a training of the tiny world: python -m tests.training.rank FOLDER, as torchrun starts it.

Every learner is trained in a folder of its own; each rank writes what it ended with: NAME-RANK.safetensors, its figures
in the header.
"""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from components.errors import StoppedError
from components.processes import signals
from components.training import policy as policy_module
from components.training import ranks
from components.training import stand_in as stand_in_module
from components.training.stage3 import Reinforcement
from components.training.trainer import Learner, train
from tests.training import learners
from tests.training.twins import STAGE3, copies, make_model, make_practice, surroundings

Maker = Callable[[], Learner]


def windowed() -> Learner:
    section = STAGE3.model_copy(update={"algorithm": "grpo", "window": 1, "times": 1})
    return Reinforcement(make_model(), make_practice(), section, noise_level=0.05, seed=1)


MAKERS: Mapping[str, Maker] = {make.__name__: make for make in (*learners.LEARNERS, windowed)}


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


def stop_and_go_on(folder: Path) -> None:
    """A signal reaches the last rank alone before its fourth step; then a new learner goes on."""
    work, name = folder / "stopped", "stand_in"
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
            (folder / f"stopped-{ranks.rank()}.txt").write_text(str(error))
    learner = MAKERS[name]()
    header = {"history": json.dumps(train(learner, surroundings(work))), "logged": "[]"}
    save_file(copies(learner.state()), folder / f"stopped-{ranks.rank()}.safetensors", header)


if __name__ == "__main__":
    torch.set_num_threads(1)
    shorten()
    ranks.join()
    train_all(Path(sys.argv[1]))
    stop_and_go_on(Path(sys.argv[1]))
    ranks.leave()
