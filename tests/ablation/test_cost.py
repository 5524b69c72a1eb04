"""What a training took is what its learners are seen to do."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from components.ablation.cost import Cost, cost_of
from components.backbones.base import Prediction
from components.backbones.wan22.backbone import Wan
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.training.policy import ANCHOR_BATCH
from tests.planning.measured import small_splits, work_of
from tests.training.twins import one_thread

if TYPE_CHECKING:
    from components.parameters.fields import Section
    from components.params import Params

SMOKE = parse_params(profile_values("smoke"), source="smoke")


def examples_of(update: Callable[[int], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """Samples that go through a transformer with their gradients, in one update."""
    trained, predict = 0, Wan.predict

    def seen(self: Wan, noisy: Tensor, *given: Any, **named: Any) -> Prediction:  # noqa: ANN401 -- as the method's
        nonlocal trained
        trained += len(noisy) if torch.is_grad_enabled() else 0
        return predict(self, noisy, *given, **named)

    monkeypatch.setattr(Wan, "predict", seen)
    with one_thread():
        update(0)
    return trained


@pytest.mark.parametrize(
    ("stage", "changes"),
    [
        ("prepare", {}),
        ("stage2", {}),
        ("stage3", {"algorithm": "nft", "updates": 2, "times": 2, "anchor": 0.3}),
        ("stage3", {"algorithm": "nft", "anchor": 0.0}),
        ("stage3", {"algorithm": "rejection", "updates": 2, "times": 2, "anchor": 0.3}),
        ("stage3", {"algorithm": "grpo", "updates": 2, "times": 1, "anchor": 0.3}),
    ],
)
def test_examples_are_the_samples_that_gradients_went_through(
    stage: str, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    params = small_splits("smoke", clips=8)
    if changes:
        params = params.model_copy(update={"stage3": params.stage3.model_copy(update=changes)})
    trained = examples_of(work_of(params, "wan22", stage), monkeypatch)
    one = with_one_update(params, stage)
    assert one.examples == trained > 0


def with_one_update(params: "Params", stage: str) -> Cost:
    """What one update of a stage takes by the formula."""
    sections: Mapping[str, Mapping[str, Section]] = {
        "prepare": {"prepare": params.prepare.model_copy(update={"steps": 1})},
        "stage2": {"stage2": params.stage2.model_copy(update={"steps": 1, "diffusion_steps": 0})},
        "stage3": {"stage3": params.stage3.model_copy(update={"iterations": 1})},
    }
    judged = {"prepare": "base"}.get(stage, stage)
    before = {"base": None, "stage2": "base", "stage3": "stage2"}[judged]
    params = params.model_copy(update=sections[stage])
    done = cost_of(params, judged)
    if before is None:
        return done
    other = cost_of(params, before)
    return Cost(
        steps=done.steps - other.steps, examples=done.examples - other.examples, sampled=done.sampled - other.sampled
    )


def test_stages_add_up() -> None:
    base, stage2, stage3 = (cost_of(SMOKE, judged) for judged in ("base", "stage2", "stage3"))
    assert base.sampled == stage2.sampled == 0
    section = SMOKE.stage3
    assert stage3.sampled == section.iterations * section.prompts * section.group_size
    assert stage3.steps - stage2.steps == section.iterations * section.updates
    batches = (stage3.examples - stage2.examples) // section.iterations
    assert batches == section.prompts * section.group_size * section.times + section.updates * ANCHOR_BATCH
    assert base.examples < stage2.examples < stage3.examples
