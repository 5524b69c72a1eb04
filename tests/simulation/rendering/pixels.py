"""Which pixels a comparison is fair on."""

import numpy as np
from numpy.typing import NDArray


def away_from_edges(ids: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Pixels (H,W) whose eight neighbours show the same instance."""
    height, width = ids.shape
    padded = np.pad(ids, 1, mode="edge")
    around = [padded[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return np.asarray((np.stack(around) == ids).all(axis=0), np.bool_)
