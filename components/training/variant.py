"""A stage's training from its learner to the folder it leaves: models/BACKBONE/STAGE."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from components.files import move_folder, new_folder, write_atomically
from components.heads import Heads
from components.model import Model, write_variant
from components.training.engine import assemble
from components.training.ranks import leads
from components.training.trainer import Learner, Surroundings, losses_csv, train

if TYPE_CHECKING:
    from components.pipeline.execution import StageContext


class VariantLearner(Learner, Protocol):
    """A learner that makes a variant of a base."""

    heads: Heads

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the transformer's tensors that differ from the base's, adapters aside."""
        ...

    @property
    def adapters(self) -> Mapping[str, int]:
        """Every adapter of the transformer, with its rank."""
        ...


class Found(Protocol):
    """What a training found beside its losses."""

    def facts(self) -> Mapping[str, Any]:
        """For the manifest."""
        ...

    def files(self) -> Mapping[str, bytes]:
        """For the model's folder, by name."""
        ...


def train_variant(
    learner: VariantLearner,
    model: Model,
    context: "StageContext",
    *,
    parent: Path,
    folder: Path,
    facts: Mapping[str, Any],
    found: Callable[[], Found] | None = None,
) -> Mapping[str, float]:
    """Train, write `folder`, which is named after the stage, and return the figures of the last step.

    found: asked when training is done.
    """
    with context.progress(learner.steps) as display:
        history = train(
            learner, Surroundings(folder=context.work, display=display, stopped=context.stopped, log=context.log)
        )
    assemble(model.backbone.transformer)
    if not leads():
        return dict(history[-1])
    made = new_folder(context.work / "model")
    if found is not None:
        facts = {**facts, **found().facts()}
        for name, content in found().files().items():
            write_atomically(made / name, content)
    write_variant(
        made,
        replace(model, heads=learner.heads, changed=learner.changed),
        losses=losses_csv(history),
        stage=folder.name,
        parent=parent,
        facts=facts,
        adapters=learner.adapters,
    )
    move_folder(made, folder)
    return dict(history[-1])
