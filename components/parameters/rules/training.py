"""Rules of the stages of training: pseudo-labels, heads, stages 2 and 3, and what they are evaluated on."""

from collections.abc import Iterator

from components.parameters.backbones import TINY
from components.parameters.rules.backbones import chosen
from components.parameters.rules.problem import Problem
from components.params import Params


def check_labels(params: Params) -> Iterator[Problem]:
    """A published depth estimator comes from somewhere; the laptop's own comes from the graph."""
    section = params.pseudo_labels
    remedies = {
        "depth_anything": "write depth-anything/Depth-Anything-V2-Small-hf",
        "video_depth_anything": "write a folder of its weights as safetensors",
    }
    if section.depth in remedies and not section.depth_source:
        yield Problem(
            field="pseudo_labels.depth_source",
            message=f"nothing, expected a hub id or a folder: {remedies[section.depth]}",
        )
    if section.depth == "labeler" and (section.depth_source or section.depth_revision):
        yield Problem(
            field="pseudo_labels.depth_source",
            message=f"{section.depth_source or section.depth_revision!r} is of no use to depth labeler, which the "
            f"pipeline trains: leave depth_source and depth_revision empty, or write depth: {' or '.join(remedies)}",
        )


def check_taps(params: Params) -> Iterator[Problem]:
    """The heads read a block each."""
    for name, layers in _twins(params):
        if params.heads.taps > layers:
            yield Problem(
                field="heads.taps",
                message=f"{params.heads.taps} is more than the {layers} layers of backbones.{name}.tiny: write "
                f"{layers} at most",
            )


def check_stage2(params: Params) -> Iterator[Problem]:
    """Stage 2 trains blocks that there are, on clips that there are, with a loss."""
    stage2 = params.stage2
    if stage2.heads_batch_size > stage2.batch_size:
        yield Problem(
            field="stage2.heads_batch_size",
            message=f"{stage2.heads_batch_size} is more than stage2.batch_size, of whose clips it takes the first: "
            f"write {stage2.batch_size} at most",
        )
    for name, layers in _twins(params):
        if stage2.trainable == "blocks" and stage2.blocks > layers:
            yield Problem(
                field="stage2.blocks",
                message=f"{stage2.blocks} is more than the {layers} layers of backbones.{name}.tiny: write {layers} at "
                "most",
            )
    if not any(weight for _, weight in stage2.weights):
        yield Problem(
            field="stage2.weights",
            message="all are 0, expected at least one above 0, else nothing is learned: write diffusion: 1.0",
        )


def check_stage3(params: Params) -> Iterator[Problem]:
    """Stage 3 has a group of samples for every optimiser step, noisy steps to train on, and a reward."""
    stage3 = params.stage3
    if stage3.updates > stage3.prompts:
        yield Problem(
            field="stage3.updates",
            message=f"{stage3.updates} is more than the {stage3.prompts} prompts of an iteration, whose samples an "
            "optimiser step takes together: write that at most",
        )
    if stage3.algorithm == "grpo" and stage3.sampler_steps < 2:
        yield Problem(
            field="stage3.sampler_steps",
            message=f"{stage3.sampler_steps} leaves grpo no step with noise, for the last has none: write 2 or more",
        )
    elif stage3.algorithm == "grpo" and stage3.window > stage3.sampler_steps - 1:
        yield Problem(
            field="stage3.window",
            message=f"{stage3.window} is more than the {stage3.sampler_steps - 1} of {stage3.sampler_steps} "
            f"sampler_steps that can have noise: write {stage3.sampler_steps - 1} at most, or 0 for all of them",
        )
    elif stage3.algorithm == "grpo" and stage3.window and stage3.times > stage3.window:
        yield Problem(
            field="stage3.times",
            message=f"{stage3.times} is more than the {stage3.window} steps of the window, which alone have noise and "
            f"are trained on: write {stage3.window} at most",
        )
    elif stage3.algorithm == "grpo" and stage3.times > stage3.sampler_steps - 1:
        yield Problem(
            field="stage3.times",
            message=f"{stage3.times} is more than the {stage3.sampler_steps - 1} of {stage3.sampler_steps} "
            f"sampler_steps that have noise and grpo trains on: write {stage3.sampler_steps - 1} at most",
        )
    if not any(weight for _, weight in stage3.reward):
        yield Problem(
            field="stage3.reward",
            message="all are 0, expected at least one that is not, else nothing is rewarded: write chamfer: 1.0",
        )


def check_watch(params: Params) -> Iterator[Problem]:
    """The watch over stage 3 has scenes of the true world to look at, and looks often enough to end it."""
    watch, dev, iterations = params.stage3.watch, params.simulation.splits.dev, params.stage3.iterations
    scenes, most = sum(dev.configurations.values()), iterations // watch.patience
    if watch.every and watch.scenes > scenes:
        message = (
            f"{watch.scenes} is more than the {scenes} configurations of simulation.splits.dev: write that at most"
        )
        yield Problem(field="stage3.watch.scenes", message=message)
    if watch.every > most:
        remedy = f"write {most} at most" if most else "lower stage3.watch.patience, or write 0 for no watch"
        message = f"{watch.every} is too seldom to end {iterations} iterations by {watch.patience} looks: {remedy}"
        yield Problem(field="stage3.watch.every", message=message)
    if watch.every and dev.physics != "real":
        message = f"{dev.physics!r}, expected 'real': the watch over stage 3 holds its videos against true physics"
        yield Problem(field="simulation.splits.dev.physics", message=message)


def check_train(params: Params) -> Iterator[Problem]:
    """The first frame decides the future that reinforcement learning rewards."""
    physics = params.simulation.splits.train.physics
    if physics != "real":
        yield Problem(
            field="simulation.splits.train.physics",
            message=f"{physics!r}, expected 'real': a first frame does not tell which gravity or speed is meant, and "
            "stages 2 and 3 learn the one future that follows from it",
        )


def check_evaluation(params: Params) -> Iterator[Problem]:
    """A score needs two takes of the real world."""
    name = params.evaluation.split
    split = params.simulation.splits.test if name == "test" else params.simulation.splits.dev
    if split.takes != 2:
        yield Problem(
            field=f"simulation.splits.{name}.takes",
            message=f"{split.takes}, expected 2: the score of evaluation.split measures against both takes",
        )
    if split.physics != "real":
        yield Problem(
            field=f"simulation.splits.{name}.physics",
            message=f"{split.physics!r}, expected 'real': models are scored on true physics",
        )


def _twins(params: Params) -> Iterator[tuple[str, int]]:
    """The graph's tiny twins: name and layers."""
    for name, section, _ in chosen(params):
        if section.size == TINY:
            yield name, section.tiny.layers
