"""An estimate is what a real update does: the same bytes kept for backward, exact weights, straight in the batch."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import pytest
import torch

from components.backbones import text
from components.benchmarks.train import make_model
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values
from components.planning.estimate import Estimate, Trace, estimate, trace
from components.planning.ledger import Ledger, bytes_of
from components.planning.models import tiny_text_bytes
from tests.planning.measured import CLIPS, work_of
from tests.training.twins import one_thread

if TYPE_CHECKING:
    from components.params import Params

pytestmark = pytest.mark.usefixtures("in_float32")

BACKBONES = ("wan22", "cogvideox", "open_sora")
TRAINED = ("prepare", "stage1", "stage2", "stage3")


def small(**sections: Mapping[str, object]) -> "Params":
    """The smoke profile with as little as an update has, on a chunk of Open-Sora's frames, with changes of sections."""
    values = profile_values("smoke")
    values["video"]["frames"] = 17
    values["stage3"]["sampler_steps"] = 3
    for split in values["simulation"]["splits"].values():
        split["configurations"] = {"rigid": CLIPS}
    for section, changes in sections.items():
        values[section].update(changes)
    return parse_params(values, source="small")


def found(params: "Params", backbone: str, stage: str) -> Estimate:
    """The estimate of a stage on a CPU, made once."""
    return _found(params.model_dump_json(), backbone, stage)


@cache
def _found(values: str, backbone: str, stage: str) -> Estimate:
    made = estimate(parse_params(json.loads(values), source="small"), backbone, stage, accelerated=False)
    assert made is not None
    return made


def updated(params: "Params", backbone: str, stage: str) -> Trace:
    """What a ledger sees of a real update of a stage, done once."""
    return _updated(params.model_dump_json(), backbone, stage)


@cache
def _updated(values: str, backbone: str, stage: str) -> Trace:
    with one_thread(), Ledger() as ledger:
        update = work_of(parse_params(json.loads(values), source="small"), backbone, stage)
        return trace(lambda: update(0), ledger)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("stage", TRAINED)
def test_what_is_kept_for_backward_is_to_the_byte_what_a_real_update_keeps(backbone: str, stage: str) -> None:
    params = small()
    real = updated(params, backbone, stage)
    estimated = found(params, backbone, stage)
    assert estimated.activations == real.kept > 0
    assert estimated.gradients == real.gradients > 0
    assert estimated.optimiser == real.optimiser > 0


@pytest.mark.parametrize("changes", [{"trainable": "lora", "lora_rank": 4}, {"blocks": 1}, {"batch_size": 3}])
def test_so_it_is_for_every_choice_of_what_stage_2_trains(changes: dict[str, object]) -> None:
    params = small(stage2=changes)
    real = updated(params, "wan22", "stage2")
    assert found(params, "wan22", "stage2").activations == real.kept


@pytest.mark.parametrize("changes", [{"algorithm": "grpo"}, {"algorithm": "grpo", "window": 2, "kl": 0.1}, {"kl": 0.1}])
def test_and_for_every_algorithm_of_stage_3(changes: dict[str, object]) -> None:
    params = small(stage3=changes)
    real = updated(params, "wan22", "stage3")
    assert found(params, "wan22", "stage3").activations == real.kept


@pytest.mark.parametrize("stage", ["prepare", "stage1", "stage2"])
def test_the_most_at_once_is_no_less_than_what_a_real_update_holds(stage: str) -> None:
    params = small()
    real = updated(params, "wan22", stage)
    made = found(params, "wan22", stage)
    beside = made.activations + made.temporaries + made.gradients
    assert real.peak - real.held <= beside < 1.3 * (real.peak - real.held)


@pytest.mark.parametrize("stage", ["prepare", "stage1", "stage2"])
def test_activations_are_a_straight_line_in_the_batch(stage: str) -> None:
    sizes = [{"batch_size": size} | ({"heads_batch_size": size} if stage == "stage2" else {}) for size in (2, 4, 6)]
    two, four, six = (found(small(**{stage: size}), "wan22", stage).activations for size in sizes)
    assert six - four == four - two > 0


@pytest.mark.parametrize("backbone", BACKBONES)
def test_weights_are_those_of_the_model_to_the_byte(backbone: str) -> None:
    params = small()
    model = make_model(params, backbone)
    parts = [model.backbone.transformer, model.with_heads]
    tensors = [value for part in parts for value in (*part.parameters(), *part.buffers())]
    codec = [value for value in vars(model.codec).values() if isinstance(value, torch.Tensor)]
    assert found(params, backbone, "stage2").weights == bytes_of([*tensors, *codec]) + tiny_text_bytes(params.text)


def test_the_twins_text_encoder_is_as_large_as_it_says() -> None:
    params = small()
    encoder = text.fit(["A square moves before a wall."], params.text, seed=0).model
    vocabulary = encoder.config.vocab_size  # which a few captions do not fill
    section = params.text.model_copy(update={"vocabulary": vocabulary})
    assert tiny_text_bytes(section) == bytes_of([*encoder.parameters(), *encoder.buffers()])


def test_data_are_those_of_all_clips() -> None:
    """Of a pixel and frame: depth 2 bytes, three masks of 1, flow 4, depth's change 2; the last four lack a frame."""
    params = small()
    video, text = params.video, params.text
    pixels = video.height * video.width
    truth = pixels * (4 * video.frames + 7 * (video.frames - 1))
    latents = 4 * params.latents.channels * 5 * pixels // 64
    words = 4 * text.length * text.width
    assert found(params, "wan22", "stage2").data == CLIPS * (truth + latents + words) + words


@pytest.mark.parametrize("stage", ["prepare", "stage2"])
def test_the_optimisers_keep_what_they_are_said_to(stage: str) -> None:
    """Two numbers of a parameter's size for AdamW, one for Muon, beside counts of steps."""
    params = small()
    with one_thread():
        learner = _learner(work_of(params, "wan22", stage))
        learner.update(params.stage2.diffusion_steps)  # type: ignore[attr-defined]
    state = {name: value for name, value in learner.state().items() if name.startswith("optimiser/")}  # type: ignore[attr-defined]
    kept = sum(value.numel() * value.element_size() for value in state.values() if value.ndim)
    assert found(params, "wan22", stage).optimiser == kept


@pytest.mark.parametrize("stage", TRAINED)
def test_planning_changes_nothing_of_what_is_trained_after_it(stage: str) -> None:
    params = small()
    state = torch.get_rng_state()
    with one_thread():
        before = work_of(params, "cogvideox", stage)(0)
        assert estimate(params, "cogvideox", stage, accelerated=False)
        assert work_of(params, "cogvideox", stage)(0) == before
    assert torch.equal(torch.get_rng_state(), state)


def _learner(update: Callable[[int], object]) -> object:
    """The learner whose update it is."""
    bound = getattr(update, "__self__", None)
    if bound is not None:
        return bound
    cells = [cell.cell_contents for cell in update.__closure__ or ()]
    return next(value for value in cells if hasattr(value, "update"))


@pytest.mark.parametrize("accelerated", [False, True])
def test_blocks_that_are_recomputed_keep_their_inputs_alone(*, accelerated: bool) -> None:
    """Of the transformer's blocks that train: what is kept shrinks; what is there at once does not grow."""
    params = small(stage2={"blocks": 3, "diffusion_steps": 1})
    resources = params.resources.model_copy(update={"checkpointing": True})
    plain = estimate(params, "wan22", "stage2", accelerated=accelerated)
    recomputed = estimate(
        params.model_copy(update={"resources": resources}), "wan22", "stage2", accelerated=accelerated
    )
    assert plain is not None
    assert recomputed is not None
    assert recomputed.activations < 0.7 * plain.activations
    assert recomputed.weights == plain.weights


def test_sharded_weights_are_a_ranks_share() -> None:
    params = small()
    sharded = params.resources.model_copy(update={"shard": True, "ranks": 4})
    whole = found(params, "wan22", "stage2")
    share = found(params.model_copy(update={"resources": sharded}), "wan22", "stage2")
    assert (share.gradients, share.optimiser) == (whole.gradients // 4, whole.optimiser // 4)
    assert share.weights < whole.weights
