"""What is timed is what is meant: as many points, and the same distance either way."""

import pytest

from components.benchmarks.metrics import Cloud, all_pairs, metrics_benchmark, moving_sphere
from components.evaluation.consistency.points import chamfer_per_frame

SMALL = Cloud(frames=4, points=300, exhaustive=2, repeats=1)


def test_all_pairs_give_the_distance_that_the_trees_give() -> None:
    predicted, truth = (moving_sphere(SMALL, seed=seed, ahead=0.02 * seed) for seed in (0, 1))
    found = chamfer_per_frame(predicted, truth)
    assert {len(frame) for frame in predicted} == {300}
    assert found is not None
    assert all_pairs(predicted, truth) == pytest.approx(found.l1, abs=1e-3)  # torch.cdist in float32


def test_every_figure_has_its_unit() -> None:
    figures = metrics_benchmark(SMALL)
    assert {name: figure.unit for name, figure in figures.items()} == {
        "chamfer": "s",
        "chamfer_joint": "s",
        "all_pairs_over_chamfer": "times",
    }
    assert all(figure.value > 0 for figure in figures.values())
