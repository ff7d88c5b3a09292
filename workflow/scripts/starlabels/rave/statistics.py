"""Statistics of residuals as Guiglion et al. (2020) give them: mean and standard deviation, nothing clipped (B-17).

The intervals are bootstrap percentiles; the robust width beside them tells whether outliers carry the scatter.
"""

from collections.abc import Sequence

import numpy as np

from ..metrics import finite, robust_sigma

INTERVAL = (16.0, 84.0)                 # percentiles of the bootstrap, one sigma of a Gaussian


def residual_statistics(residual: np.ndarray, bootstrap: int = 100, seed: int = 0) -> dict:
    """Bias and scatter of residuals.

    Parameters
    ----------
    residual : ndarray
        CNN minus reference, in the label's unit; values that are not finite are left out.
    bootstrap : int
        Resamples for the intervals; 0: the intervals are NaN.
    seed : int
        Of the resampling.

    Returns
    -------
    dict
        `n`; `bias` (mean); `sigma` (population standard deviation); `bias_interval` and `sigma_interval` ([16 %, 84 %]
        of the bootstrap, NaN for fewer than two values); `robust_sigma` (1.4826 MAD). All NaN for no value.
    """
    x = finite(residual)
    nothing = [np.nan, np.nan]
    if not len(x):
        return {"n": 0, "bias": np.nan, "sigma": np.nan, "bias_interval": nothing, "sigma_interval": nothing, "robust_sigma": np.nan}
    centre = float(x.mean())
    out = {"n": len(x), "bias": centre, "sigma": float(x.std()), "bias_interval": nothing, "sigma_interval": nothing}
    if len(x) > 1 and bootstrap > 1:
        means, widths = _resampled(x - centre, bootstrap, seed)
        out["bias_interval"] = [float(v) for v in centre + np.percentile(means, INTERVAL)]
        out["sigma_interval"] = [float(v) for v in np.percentile(widths, INTERVAL)]
    return out | {"robust_sigma": robust_sigma(x)}


def _resampled(x: np.ndarray, bootstrap: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and widths of resamples of centred values."""
    rng = np.random.default_rng(seed)
    means, widths = np.empty(bootstrap), np.empty(bootstrap)
    for k in range(bootstrap):
        part = x[rng.integers(0, len(x), len(x))]
        means[k], widths[k] = part.mean(), part.std()
    return means, widths


def linear_relation(reference: np.ndarray, value: np.ndarray) -> dict:
    """Straight line through values against their reference: how far predictions fall back to the mean.

    Parameters
    ----------
    reference, value : ndarray (n,)
        Pairs where either is not finite are left out.

    Returns
    -------
    dict
        `n`; `slope`, `intercept` of the least-squares line value = slope * reference + intercept (a slope of one: no
        regression to the mean); `r2`, the coefficient of determination of the value taken as it is (not of the line):
        1 - sum (value - reference)^2 / sum (reference - mean)^2; `correlation`. NaN for fewer than three pairs or a
        reference that does not vary.
    """
    reference, value = np.asarray(reference, np.float64).ravel(), np.asarray(value, np.float64).ravel()
    good = np.isfinite(reference) & np.isfinite(value)
    x, y = reference[good], value[good]
    out = {"n": len(x), "slope": np.nan, "intercept": np.nan, "r2": np.nan, "correlation": np.nan}
    if len(x) < 3 or not np.ptp(x) > 0:
        return out
    dx, dy = x - x.mean(), y - y.mean()
    spread = float(dx @ dx)
    out["slope"] = float(dx @ dy) / spread
    out["intercept"] = float(y.mean() - out["slope"] * x.mean())
    out["r2"] = 1.0 - float((y - x) @ (y - x)) / spread
    if np.ptp(y) > 0:
        out["correlation"] = float(dx @ dy) / float(np.sqrt(spread * (dy @ dy)))
    return out


def coverage(residual: np.ndarray, error: np.ndarray, factors: Sequence[float] = (1.0, 2.0)) -> dict:
    """Share of residuals within so many errors, and the error's calibration.

    Parameters
    ----------
    residual, error : ndarray (n,)
        Pairs where either is not finite, or the error is not positive, are left out.

    Returns
    -------
    dict
        `n`; `within_<f>` for each factor; `factor_68`: the number of errors that 68.27 % of the residuals lie within
        (one for honest errors, above one for errors that are too small); `median_error`. NaN for no pair.
    """
    residual, error = np.asarray(residual, np.float64).ravel(), np.asarray(error, np.float64).ravel()
    good = np.isfinite(residual) & np.isfinite(error) & (error > 0)
    ratio = np.abs(residual[good]) / error[good]
    some = len(ratio) > 0
    out = {"n": len(ratio)}
    out |= {f"within_{f:g}": float(np.mean(ratio <= f)) if some else np.nan for f in factors}
    out["factor_68"] = float(np.quantile(ratio, 0.6827)) if some else np.nan
    out["median_error"] = float(np.median(error[good])) if some else np.nan
    return out
