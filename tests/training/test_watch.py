"""The watch's decision: only a judge that falls beyond its interval, again and again, at a higher reward, ends it."""

import csv
import io

import numpy as np
import pytest
import torch

from components.errors import Phys4dError
from components.training.instrument import Reading
from components.training.watch import Watch, looks_csv

SCENES = 16
SPREAD = np.random.default_rng(0).normal(0, 0.1, SCENES)  # of scenes: the same in every look, so that pairs cancel it


def reading(chamfer: float, reward: float, *, noise: float = 0.001, seed: int = 0) -> Reading:
    """A mean of the judge's figure over scenes that differ, each with noise of its own, and a reward."""
    own = np.random.default_rng(seed).normal(0, noise, SCENES)
    return Reading(chamfer=chamfer + SPREAD + own - own.mean() - SPREAD.mean(), reward=reward)


def watch(*course: tuple[float, float], patience: int = 3, noise: float = 0.001) -> Watch:
    """A watch that saw a course of (chamfer, reward)."""
    made = Watch(patience=patience, seed=0)
    for number, (chamfer, reward) in enumerate(course):
        made.add(number, reading(chamfer, reward, noise=noise, seed=number))
    return made


def fallen(made: Watch) -> list[int]:
    return [look.fallen for look in made.looks]


def test_a_judge_that_falls_while_the_reward_rises_ends_the_training() -> None:
    made = watch((0.30, 1.0), (0.25, 1.1), (0.28, 1.2), (0.29, 1.3), (0.31, 1.4))
    assert fallen(made) == [0, 0, 1, 2, 3]
    assert made.stops
    assert made.best == 1


def test_the_start_may_be_the_best() -> None:
    made = watch((0.30, 1.0), (0.33, 1.1), (0.34, 1.2), (0.35, 1.3))
    assert made.stops
    assert made.best == 0


def test_it_is_not_over_before_its_patience_is() -> None:
    assert not watch((0.30, 1.0), (0.33, 1.1), (0.34, 1.2)).stops
    assert watch((0.30, 1.0), (0.33, 1.1), (0.34, 1.2), patience=2).stops


def test_a_gain_that_is_lost_again_is_a_fall_though_it_is_level_with_the_start() -> None:
    assert fallen(watch((0.30, 1.0), (0.25, 1.1), (0.30, 1.2))) == [0, 0, 1]


@pytest.mark.parametrize("between", [(0.25, 1.35), (0.24, 1.35), (0.29, 1.0)], ids=["level", "better", "less reward"])
def test_looks_count_in_a_row(between: tuple[float, float]) -> None:
    made = watch((0.30, 1.0), (0.25, 1.1), (0.28, 1.2), (0.29, 1.3), between, (0.29, 1.4), (0.29, 1.4))
    assert fallen(made) == [0, 0, 1, 2, 0, 1, 2]
    assert not made.stops


def test_a_judge_that_is_level_ends_nothing() -> None:
    made = watch(*((0.30, 1 + 0.1 * number) for number in range(8)))
    assert fallen(made) == [0] * 8


def test_a_fall_within_the_noise_of_scenes_ends_nothing() -> None:
    course = [(0.30, 1.0), (0.31, 1.1), (0.31, 1.2), (0.31, 1.3)]
    assert not watch(*course, noise=0.1).stops
    assert watch(*course, noise=0.001).stops, "the same fall without the noise"


def test_a_judge_that_falls_with_the_reward_ends_nothing() -> None:
    """That is a training that goes wrong, and nobody hacks its reward."""
    assert fallen(watch((0.30, 1.0), (0.33, 0.9), (0.34, 0.8), (0.35, 0.7))) == [0] * 4


def test_the_interval_is_that_of_scenes_in_pairs() -> None:
    """A fall of a tenth of the scenes' spread is seen when every scene falls by it."""
    made = watch((0.30, 1.0), (0.31, 1.1))
    assert made.looks[1].change == pytest.approx(0.01)
    assert 0.009 < made.looks[1].low < 0.01 < made.looks[1].high < 0.011


def test_scenes_in_which_nothing_moves_are_left_out() -> None:
    made = Watch(patience=1, seed=0)
    for number, (chamfer, reward) in enumerate(((0.30, 1.0), (0.33, 1.1))):
        one = reading(chamfer, reward)
        one.chamfer[3:] = np.nan
        made.add(number, one)
    assert made.stops
    with pytest.raises(Phys4dError, match=r"stage3\.watch\.scenes: the judge can measure 1 of 2 scenes"):
        made.add(2, Reading(chamfer=np.array([0.1, np.nan]), reward=1.0))


def test_its_state_brings_everything_back() -> None:
    made, again = watch((0.30, 1.0), (0.25, 1.1), (0.28, 1.2)), Watch(patience=3, seed=0)
    again.load_state(made.state())
    assert (again.looks, again.best) == (made.looks, made.best)
    for one in (made, again):
        one.add(3, reading(0.29, 1.3))
        one.add(4, reading(0.29, 1.3))
    assert again.looks == made.looks
    assert again.stops


def test_a_course_comes_back_from_its_table() -> None:
    made = watch((0.30, 1.0), (0.25, 1 / 3))
    rows = list(csv.DictReader(io.StringIO(looks_csv(made.looks).decode())))
    assert list(rows[0]) == ["iteration", "chamfer", "change", "low", "high", "reward", "fallen"]
    assert [int(row["iteration"]) for row in rows] == [0, 1]
    assert float(rows[1]["chamfer"]) == pytest.approx(made.looks[1].chamfer, rel=1e-8)
    assert float(rows[1]["reward"]) == pytest.approx(1 / 3, rel=1e-8)
    assert looks_csv(made.looks) == looks_csv(watch((0.30, 1.0), (0.25, 1 / 3)).looks)


def test_it_draws_nothing_from_the_global_generators() -> None:
    before, place = torch.get_rng_state(), _place_of_numpys()
    watch((0.30, 1.0), (0.25, 1.1))
    assert torch.equal(torch.get_rng_state(), before)
    assert _place_of_numpys() == place


def _place_of_numpys() -> int:
    """Moves with every draw."""
    return int(np.random.get_state(legacy=False)["state"]["pos"])  # noqa: NPY002 -- to see that nobody draws
