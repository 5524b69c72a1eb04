"""PSNR, SSIM and Frechet distance: formulas, and SSIM worked out window by window."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from components.evaluation.consistency.arrays import MeasureError
from components.evaluation.consistency.frechet import (
    PixelFeatures,
    TorchscriptFeatures,
    frechet_distance,
    frechet_of_videos,
)
from components.evaluation.consistency.pictures import C1, C2, MOST_PSNR, psnr, ssim


def noise(seed: int, frames: int = 2, size: int = 16) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (frames, size, size, 3), dtype=np.uint8)


class TestPictures:
    def test_psnr_of_a_constant_difference(self) -> None:
        grey = np.full((3, 12, 12, 3), 100.0)
        assert psnr(grey + 16, grey) == pytest.approx(20 * np.log10(255 / 16))

    def test_equal_pictures_have_the_most(self) -> None:
        assert psnr(noise(0), noise(0)) == MOST_PSNR
        assert ssim(noise(0), noise(0)) == pytest.approx(1)

    def test_ssim_of_two_greys_is_its_first_factor(self) -> None:
        one, other = (np.full((1, 12, 12, 3), value) for value in (100.0, 140.0))
        assert ssim(one, other) == pytest.approx((2 * 100 * 140 + C1) / (100**2 + 140**2 + C1))

    def test_ssim_is_that_of_every_window(self) -> None:
        x, y = (noise(seed, 1)[0] @ np.array([0.299, 0.587, 0.114]) for seed in (1, 2))
        bell = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
        weight = np.outer(bell, bell) / bell.sum() ** 2
        values = []
        for row in range(6):
            for column in range(6):
                a, b = (image[row : row + 11, column : column + 11] for image in (x, y))
                mean_a, mean_b = (weight * a).sum(), (weight * b).sum()
                var_a, var_b = (weight * (a - mean_a) ** 2).sum(), (weight * (b - mean_b) ** 2).sum()
                both = (weight * (a - mean_a) * (b - mean_b)).sum()
                light = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
                values.append(light * (2 * both + C2) / (var_a + var_b + C2))
        assert ssim(noise(1, 1), noise(2, 1)) == pytest.approx(np.mean(values), rel=1e-6)

    def test_pictures_smaller_than_the_window_are_an_error(self) -> None:
        with pytest.raises(MeasureError, match="pictures of 8x8 pixels, expected at least 11x11"):
            ssim(noise(0, 1, 8), noise(0, 1, 8))


class TestFrechet:
    def test_of_normal_samples_it_is_the_formula(self) -> None:
        """Variances 1 and 4 in one dimension, means 3 apart: 9 + (1 - 2)^2."""
        one = np.array([[-1.0], [0.0], [1.0]])
        assert frechet_distance(one, 2 * one + 3) == pytest.approx(9 + 1)

    def test_of_two_dimensions_that_do_not_commute(self) -> None:
        from scipy.linalg import sqrtm

        rng = np.random.default_rng(0)
        one, other = rng.normal(size=(40, 2)) @ [[1, 0.5], [0, 1]], rng.normal(size=(30, 2)) @ [[2, 0], [-1, 0.3]] + 1
        first, second = np.cov(one.T), np.cov(other.T)
        apart = one.mean(0) - other.mean(0)
        expected = apart @ apart + np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
        assert frechet_distance(one, other) == pytest.approx(expected)

    def test_a_set_against_itself_is_zero_and_without_variance_means_count(self) -> None:
        values = np.random.default_rng(1).normal(size=(6, 20))
        assert frechet_distance(values, values[::-1]) == pytest.approx(0, abs=1e-6)
        assert frechet_distance(np.zeros((2, 3)), np.ones((4, 3))) == pytest.approx(3)

    def test_one_video_has_no_covariance(self) -> None:
        with pytest.raises(MeasureError, match="1 videos against 2, expected two or more each"):
            frechet_distance(np.zeros((1, 3)), np.zeros((2, 3)))

    def test_pixel_features_know_motion_and_are_called_what_they_are(self) -> None:
        features = PixelFeatures()
        still, moving = noise(0, 1).repeat(8, axis=0), noise(0, 8)
        assert "fvd" not in features.name
        assert features(still).shape == features(moving).shape == (256,)
        assert (
            features(still).reshape(4, 4, 4, 4)[..., 3].max() == 0 < features(moving).reshape(4, 4, 4, 4)[..., 3].min()
        )

    def test_a_torchscript_network_is_used_and_named_by_its_file(self, tmp_path: Path) -> None:
        class Means(torch.nn.Module):
            def forward(self, video: torch.Tensor, rescale: bool) -> torch.Tensor:
                return video.mean((2, 3, 4)) / (255 if rescale else 1)

        torch.jit.script(Means()).save(tmp_path / "i3d_torchscript.pt")
        features = TorchscriptFeatures(tmp_path / "i3d_torchscript.pt", {"rescale": True})
        assert features.name == "frechet_i3d_torchscript"
        videos = [noise(seed) for seed in range(3)]
        np.testing.assert_allclose(features(videos[0]), videos[0].mean((0, 1, 2)) / 255, rtol=1e-5)
        assert frechet_of_videos(videos, videos, features) == pytest.approx(0, abs=1e-9)

    def test_what_is_no_torchscript_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "i3d.pt").write_bytes(b"no network")
        with pytest.raises(MeasureError, match=r"i3d\.pt is not torchscript"):
            TorchscriptFeatures(tmp_path / "i3d.pt")
        with pytest.raises(MeasureError, match="is not a file"):
            TorchscriptFeatures(tmp_path / "none.pt")
