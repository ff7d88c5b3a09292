"""Gradients: an unweighted straight line with errors from the bootstrap (Section 8.1; B-26)."""

import numpy as np

LEAST = 10                # stars below which no line is drawn through them


def gradient(x: np.ndarray, y: np.ndarray, bootstrap: int = 100, seed: int = 0) -> dict:
    """Least-squares line y = slope x + intercept.

    Parameters
    ----------
    x, y : ndarray (n,)
        Pairs where either is not finite are left out.
    bootstrap : int
        Resamples of the stars for the errors.

    Returns
    -------
    dict
        n; slope, intercept; slope_error (standard deviation over the resamples), slope_interval (16 and 84 %); x_lo, x_hi
        (1st and 99th percentile of x: where the line is drawn). None for fewer than 10 stars or x that does not vary.
    """
    x, y = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    keys = ("slope", "intercept", "slope_error", "x_lo", "x_hi")
    out = {"n": len(x), **dict.fromkeys(keys), "slope_interval": [None, None]}
    if len(x) < LEAST or not np.ptp(x) > 0:
        return out
    slope, intercept = _line(x, y)
    low, high = np.percentile(x, (1, 99))
    out |= {"slope": slope, "intercept": intercept, "x_lo": float(low), "x_hi": float(high)}
    if bootstrap > 1:
        rng = np.random.default_rng(seed)
        slopes = []
        for _ in range(bootstrap):
            pick = rng.integers(0, len(x), len(x))
            slopes.append(_line(x[pick], y[pick])[0])
        slopes = np.array(slopes)[np.isfinite(slopes)]
        if len(slopes) > 1:
            out["slope_error"] = float(np.std(slopes, ddof=1))
            out["slope_interval"] = [float(v) for v in np.percentile(slopes, (16, 84))]
    return out


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    mean, height = x.mean(), y.mean()
    d = x - mean
    spread = float(d @ d)
    slope = float(d @ (y - height)) / spread if spread > 0 else np.nan
    return slope, float(height - slope * mean)


def sign_of_rotation(v_phi: np.ndarray) -> int:
    """+1 where most stars have a positive V_phi, -1 where the catalogue counts the other way (B-28); +1 without a star."""
    v = np.asarray(v_phi, np.float64)
    v = v[np.isfinite(v)]
    return -1 if len(v) and np.median(v) < 0 else 1
