"""Variants: a file of differences, held against params.yaml, with as many examples as what they are compared with."""

from pathlib import Path

import pytest
import yaml

from components.ablation.cost import cost_of
from components.ablation.variants import Variant, load_variants, params_of
from components.errors import ParametersError
from components.parameters.loader import parse_params
from components.parameters.profiles import profile_values

LAPTOP = parse_params(profile_values("laptop"), source="laptop")
OWN = load_variants()


def written(tmp_path: Path, **variants: object) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(variants))
    return path


@pytest.mark.parametrize("name", OWN)
def test_every_variant_of_ours_is_a_training(name: str) -> None:
    changed = params_of(OWN[name], LAPTOP, OWN)
    assert (changed == LAPTOP) == (name in {"base", "stage2", "stage3", "best_of_8"})


@pytest.mark.parametrize("name", [name for name, variant in OWN.items() if variant.matched])
def test_what_is_matched_has_trained_on_as_many_examples_but_for_a_part_of_a_batch(name: str) -> None:
    variant = OWN[name]
    assert variant.like is not None
    other = OWN[variant.like]
    found = cost_of(params_of(variant, LAPTOP, OWN), variant.judged).examples
    wanted = cost_of(params_of(other, LAPTOP, OWN), other.judged).examples
    assert 0 <= found - wanted < max(LAPTOP.prepare.batch_size, LAPTOP.stage2.batch_size)


def test_replicates_differ_in_their_seed_alone() -> None:
    one, other = (params_of(OWN["grpo"], LAPTOP, OWN, replicate=number) for number in (0, 2))
    assert one.seed == LAPTOP.seed
    assert other == one.model_copy(update={"seed": LAPTOP.seed + 2})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"judged": "stage1"}, r"mine\.yaml: one\.judged: 'stage1', expected one of base, stage2, stage3"),
        ({}, r"mine\.yaml: one\.judged: None, expected one of"),
        (3, r"mine\.yaml: one: 3, expected a mapping with judged"),
        ({"judged": "base", "steps": 1}, r"mine\.yaml: one\.steps: unknown, expected judged, like, matched, best_of"),
        ({"judged": "base", "like": "oen"}, r"mine\.yaml: one\.like: no variant 'oen': did you mean one\?"),
        (
            {"judged": "base", "like": "one", "matched": "stage1.steps"},
            r"one\.matched: 'stage1\.steps', expected one of",
        ),
        ({"judged": "stage2", "best_of": 0}, r"one\.best_of: 0, expected a whole number of at least 1"),
        ({"judged": "base", "best_of": 2}, r"one\.best_of: 2, expected 1: a base has no heads"),
        ({"judged": "base", "matched": "prepare.steps"}, r"one\.matched: needs like"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, body: object, message: str) -> None:
    with pytest.raises(ParametersError, match=message):
        load_variants(written(tmp_path, one=body))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"stage2": {"weight": 1}}, r"variant one: stage2\.weight: unknown key, not in params\.yaml"),
        ({"stage3": {"anchor": -1}}, r"variant one: stage3\.anchor: -1"),
    ],
)
def test_what_params_yaml_would_refuse_is_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(ParametersError, match=message):
        params_of(Variant(name="one", judged="stage3", params=params), LAPTOP, {})


def test_steps_are_never_taken_away() -> None:
    variants = {
        "short": Variant(name="short", judged="base"),
        "long": Variant(name="long", judged="stage2", like="short", matched="stage2.diffusion_steps"),
    }
    with pytest.raises(ParametersError, match=r"variant long: has trained on \d+ examples more than short already"):
        params_of(variants["long"], LAPTOP, variants)
