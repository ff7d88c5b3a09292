"""Smoothed densities and the levels of their contours: gridded, so that they do not grow with the sample."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from ...metrics import Density2D

SHARES = (0.3, 0.6, 0.9)            # of the stars inside each contour
WIDTH, MANY = (1.2, 3.0), 5000      # least and largest width of the smoothing (cells); points for which it is 1.5 cells


def edges(lo: float, hi: float, step: float) -> np.ndarray:
    """Edges from `lo` to `hi`, rounded so that 0.15 is 0.15 in the tables."""
    return np.round(lo + step * np.arange(round((hi - lo) / step) + 1), 9)


def smooth_density(x: np.ndarray, y: np.ndarray, x_edges: np.ndarray, y_edges: np.ndarray) -> tuple[pd.DataFrame, dict]:
    """Counts of points in the cells of a plane and the same smoothed with a Gaussian, wider for fewer points.

    Returns
    -------
    DataFrame
        x_lo, x_hi, y_lo, y_hi, count, smooth; cells where `smooth` is below a thousandth of its peak are absent.
    dict
        {share of the stars: level of `smooth` that encloses it}, empty without a point inside.
    """
    cells = Density2D(x_edges, y_edges)
    cells.add(x, y)
    total = int(cells.counts.sum())
    # a sample of a few hundred is spread over more cells than one of a hundred thousand, or its contours fall to pieces
    width = float(np.clip(2.5 * (MANY / max(total, 1)) ** (1 / 6) - 1.0, *WIDTH))
    dense = gaussian_filter(cells.counts.astype(np.float64), width, mode="constant", truncate=3.0)
    peak = dense.max() if dense.size else 0.0
    keep = (dense > 1e-3 * peak) | (cells.counts > 0)
    i, j = np.nonzero(keep)
    table = pd.DataFrame({
        "x_lo": cells.x_edges[i], "x_hi": cells.x_edges[i + 1], "y_lo": cells.y_edges[j], "y_hi": cells.y_edges[j + 1],
        "count": cells.counts[i, j], "smooth": dense[i, j],
    })
    return table, levels(dense, cells.counts) if total else {}


def levels(dense: np.ndarray, counts: np.ndarray, shares: Sequence[float] = SHARES) -> dict:
    """Value of a density in whose contour each share of the stars lies; smoothing spreads the density beyond them."""
    values, stars = np.asarray(dense, np.float64).ravel(), np.asarray(counts, np.float64).ravel()
    falling = np.argsort(-values, kind="stable")
    values, inside = values[falling], np.cumsum(stars[falling])
    if not len(values) or not inside[-1] > 0:
        return {}
    inside /= inside[-1]
    return {f"{share:g}": float(values[min(np.searchsorted(inside, share), len(values) - 1)]) for share in shares}
