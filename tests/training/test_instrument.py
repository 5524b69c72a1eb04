"""The watch's instrument: the evaluation's own figure of the policy's videos, and the reader's reward of the same."""

from pathlib import Path

import numpy as np
import pytest
import torch

from components.backbones.adapters import POLICY, adapter_tensors, add_adapter
from components.depth_network import DepthNetwork, UNet
from components.errors import Phys4dError
from components.evaluation.judge import METRICS, DepthReader
from components.evaluation.measure import measure_rows
from components.evaluation.sampling import Plan, sample_model
from components.evaluation.takes import take_places
from components.index import read_index
from components.model import Model
from components.training import instrument as module
from components.training.instrument import DevScenes, Sampling, dev_scenes
from components.training.simulated import read_truth
from tests.evaluation.splits import write_split
from tests.evaluation.test_measure import FlatDepth
from tests.training.folders import stir
from tests.training.twins import SMOKE, assert_same, copies, make_backbone, make_heads, make_model

pytestmark = pytest.mark.usefixtures("in_float32")

CONFIGURATIONS = 4
SAMPLING = Sampling(steps=3, noise_level=0.05, seed=7)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_split(tmp_path_factory.mktemp("dev"), configurations=CONFIGURATIONS)


@pytest.fixture
def model() -> Model:
    return make_policy()


def make_policy(*, reader: int = 0) -> Model:
    """A model with a policy that changes its videos."""
    made = Model(
        backbone=make_backbone(),
        codec=make_model().codec,
        text=make_model().text,
        base="",
        heads=make_heads(seed=reader),
    )
    add_adapter(made.backbone, POLICY, rank=4, seed=1)
    for number, value in enumerate(adapter_tensors(made.backbone, POLICY).values()):
        stir(value, seed=number)
    return made


def network() -> DepthNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DepthNetwork(depth_kind="metric", module=UNet(4).eval())


def instrument(model: Model, split: Path, *, judge: DepthReader | None = None, scenes: int = 3) -> DevScenes:
    rows = dev_scenes(split, scenes)
    return DevScenes(model, judge or network(), split, rows, sampling=SAMPLING, reward=SMOKE.stage3.reward)


def test_it_finds_what_the_evaluation_finds(model: Model, split: Path, tmp_path: Path) -> None:
    """Of the first sample of the same scenes, to the last bit."""
    plan = Plan(
        places=take_places(split, read_index(split)),
        shown=[0],
        samples=2,
        steps=SAMPLING.steps,
        noise_level=SAMPLING.noise_level,
        seed=SAMPLING.seed,
        stopped=lambda: False,
        advance=lambda _: None,
    )
    sample_model(plan, model, network(), tmp_path / "row", reader=model)
    measured = measure_rows(
        plan.places,
        {"stage3": tmp_path / "row"},
        size=256,
        work=tmp_path / "measured",
        processes=1,
        stopped=plan.stopped,
        advance=plan.advance,
    )
    found = instrument(model, split, scenes=CONFIGURATIONS).measure().chamfer
    assert len(set(found)) == CONFIGURATIONS
    np.testing.assert_array_equal(found, measured["stage3"][:, 0, METRICS.index("chamfer")])


def test_chunks_of_scenes_change_nothing(model: Model, split: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = instrument(model, split).measure()
    monkeypatch.setattr(module, "CHUNK", 2)
    parts = instrument(model, split).measure()
    np.testing.assert_allclose(parts.chamfer, whole.chamfer, rtol=1e-3)
    assert parts.reward == pytest.approx(whole.reward, rel=1e-3)


def test_the_same_policy_gives_the_same_reading_and_another_gives_another(model: Model, split: Path) -> None:
    looked = instrument(model, split)
    first, again = looked.measure(), looked.measure()
    np.testing.assert_array_equal(first.chamfer, again.chamfer)
    assert first.reward == again.reward
    for value in adapter_tensors(model.backbone, POLICY).values():
        value.zero_()
    other = looked.measure()
    assert not np.array_equal(first.chamfer, other.chamfer)
    assert first.reward != other.reward


def test_judge_and_reader_do_not_know_each_other(split: Path) -> None:
    usual = instrument(make_policy(), split).measure()
    other_judge = instrument(make_policy(), split, judge=FlatDepth()).measure()
    other_reader = instrument(make_policy(reader=1), split).measure()
    assert not np.array_equal(usual.chamfer, other_judge.chamfer)
    assert usual.reward == other_judge.reward
    np.testing.assert_array_equal(usual.chamfer, other_reader.chamfer)
    assert usual.reward != other_reader.reward


def test_looking_leaves_everything_as_it_was(model: Model, split: Path) -> None:
    transformer = model.backbone.transformer
    before, training = copies(dict(transformer.named_parameters())), _trained(model)
    generator = torch.get_rng_state()
    instrument(model, split).measure()
    assert torch.equal(torch.get_rng_state(), generator)
    assert_same(dict(transformer.named_parameters()), before)
    assert _trained(model) == training != []


def _trained(model: Model) -> list[str]:
    return [name for name, value in model.backbone.transformer.named_parameters() if value.requires_grad]


def test_scenes_are_spread_over_the_split_one_of_each_configuration(split: Path) -> None:
    assert [row.clip_id for row in dev_scenes(split, 2)] == ["test-rigid-000000-v0-t0", "test-rigid-000003-v0-t0"]
    assert len({row.configuration for row in dev_scenes(split, CONFIGURATIONS)}) == CONFIGURATIONS


def test_a_split_with_too_few_scenes_is_refused(split: Path) -> None:
    with pytest.raises(Phys4dError, match=r"has 4 configurations, expected at least the 5 of stage3\.watch\.scenes"):
        dev_scenes(split, 5)


def test_truth_of_some_rows_is_theirs(split: Path) -> None:
    rows = read_index(split)
    some, whole = read_truth(split, rows[2:6:3])[torch.arange(2)], read_truth(split)[torch.tensor([2, 5])]
    assert torch.equal(some.log_depth, whole.log_depth)
    assert torch.equal(some.foreground, whole.foreground)
