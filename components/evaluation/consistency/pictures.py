"""Pictures against take 1: PSNR and SSIM. Legend: T frames, H height, W width."""

import cv2
import numpy as np

from components.evaluation.consistency.arrays import Floats, MeasureError, Sizes, Values

MOST_PSNR = 100.0  # dB: of equal pictures it would be infinite
WINDOW, SIGMA = 11, 1.5  # pixels
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
LUMA = np.array([0.299, 0.587, 0.114])


def psnr(video: Values, truth: Values) -> float:
    """Peak signal-to-noise ratio, 10 log10(255^2 / MSE) in dB, mean over frames; more is better, at most MOST_PSNR.

    video, truth (T,H,W,3) in 0..255. A value that is not finite is read as 0.
    """
    found, wanted = _enter(video, truth)
    error = ((found - wanted) ** 2).mean(axis=(1, 2, 3))
    least = 255**2 / 10 ** (MOST_PSNR / 10)
    return float((10 * np.log10(255**2 / np.maximum(error, least))).mean())


def ssim(video: Values, truth: Values) -> float:
    """Structural similarity of the brightness, mean over pixels and frames; 1 is best (Wang et al., 2004).

    Gaussian window of 11 pixels and sigma 1.5, K1 .01, K2 .03, where the whole window lies in the picture. video, truth
    (T,H,W,3) in 0..255. MeasureError: a side below 11 pixels. A value that is not finite is read as 0.
    """
    found, wanted = _enter(video, truth)
    if min(found.shape[1:3]) < WINDOW:
        raise MeasureError(
            f"pictures of {found.shape[1]}x{found.shape[2]} pixels, expected at least {WINDOW}x{WINDOW}: SSIM compares "
            f"windows of {WINDOW} pixels; enlarge them, or leave SSIM out"
        )
    return float(np.mean([_frame_ssim(one @ LUMA, other @ LUMA) for one, other in zip(found, wanted, strict=True)]))


def _frame_ssim(x: Floats, y: Floats) -> float:
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    top = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    return float((top / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))).mean())


def _blur(picture: Floats) -> Floats:
    """Means under the window, where all of it lies in the picture."""
    kernel = cv2.getGaussianKernel(WINDOW, SIGMA)
    edge = WINDOW // 2
    return np.asarray(cv2.sepFilter2D(picture, -1, kernel, kernel)[edge:-edge, edge:-edge], np.float64)


def _enter(video: Values, truth: Values) -> tuple[Floats, Floats]:
    sizes = Sizes()
    wanted = sizes.truth("truth", truth, "T", "H", "W", 3)
    found = sizes.floats("video", video, "T", "H", "W", 3)
    if not wanted.size:
        raise MeasureError("video has no frames, expected one or more")
    return np.where(np.isfinite(found), found, 0.0), wanted
