"""Curves keep their course when they are thinned and smoothed."""

import re
from pathlib import Path

import numpy as np
import pytest

from components.errors import Phys4dError
from components.report.curves import HEIGHT, POINTS, WIDTH, brief, read_panels


def write(path: Path, **series: list[float]) -> Path:
    lines = [f"{step},{name},{value}" for name, values in series.items() for step, value in enumerate(values)]
    path.write_text("\n".join(["step,name,value", *lines]) + "\n")
    return path


def points_of(path: str) -> np.ndarray:
    return np.array([[float(number) for number in pair.split()] for pair in path.removeprefix("M").split("L")])


def test_a_straight_line_stays_straight(tmp_path: Path) -> None:
    (panel,) = read_panels(write(tmp_path / "a.csv", loss=[10 - 0.5 * step for step in range(10)]))
    points = points_of(panel.raw)
    np.testing.assert_allclose(points[:, 0], np.linspace(0, WIDTH, 10), atol=0.06)
    np.testing.assert_allclose(points[:, 1], np.linspace(0, HEIGHT, 10), atol=0.06)
    assert (panel.low, panel.high, panel.last_step) == ("5.50", "10.0", 9)


def test_many_steps_become_few_points_that_span_the_panel(tmp_path: Path) -> None:
    values = np.sin(np.arange(5000) / 500).tolist()
    (panel,) = read_panels(write(tmp_path / "a.csv", loss=values))
    points = points_of(panel.raw)
    assert len(points) == POINTS
    assert points[0, 0] == 0
    assert points[-1, 0] == WIDTH
    assert points[:, 1].min() == 0
    assert points[:, 1].max() == HEIGHT


def test_smoothing_takes_the_noise_away_and_keeps_the_mean(tmp_path: Path) -> None:
    values = 5 + np.random.default_rng(0).normal(size=200)
    (panel,) = read_panels(write(tmp_path / "a.csv", loss=values.tolist()))
    raw, smooth = points_of(panel.raw)[:, 1], points_of(panel.smooth)[:, 1]
    assert smooth.std() < raw.std() / 2
    assert abs(smooth.mean() - raw.mean()) < 0.02 * HEIGHT


def test_orders_of_magnitude_have_a_logarithmic_axis(tmp_path: Path) -> None:
    wide, narrow = read_panels(
        write(tmp_path / "a.csv", wide=(10.0 ** -np.arange(5)).tolist(), narrow=[1.0, 2.0, -3.0])
    )
    assert wide.logarithmic
    np.testing.assert_allclose(points_of(wide.raw)[:, 1], np.linspace(0, HEIGHT, 5), atol=0.06)
    assert not narrow.logarithmic


def test_names_keep_their_order_and_what_is_not_finite_is_left_out(tmp_path: Path) -> None:
    panels = read_panels(
        write(tmp_path / "a.csv", warp=[1.0, float("nan"), 2.0], depth_loss=[3.0], gone=[float("inf")])
    )
    assert [panel.name for panel in panels] == ["warp", "depth loss"]
    assert len(points_of(panels[0].raw)) == 2
    assert re.fullmatch(r"M0\.0 80\.0", panels[1].raw)


def test_no_curves_are_no_panels(tmp_path: Path) -> None:
    assert read_panels(tmp_path / "none.csv") == ()


@pytest.mark.parametrize("content", ["step,name\n1,loss\n", "step,name,value\n1,loss,high\n", "a,b,c\n1,2,3\n"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "losses.csv").write_text(content)
    with pytest.raises(Phys4dError, match=r"losses\.csv: not readable .* expected lines of step,name,value"):
        read_panels(tmp_path / "losses.csv")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.0123"), (-31.41, "−31.4"), (314.15, "314"), (2e6, "2.0e6"), (-1.5e-7, "−1.5e−7")],
)
def test_three_digits_count(value: float, text: str) -> None:
    assert brief(value) == text
