"""Statistics of residuals: bias, scatter, Gaussian fits, binned trends, histograms that grow with streamed data.

Accuracy is the centre and precision the width of the Gaussian fitted to the histogram of the residuals (choices
A-20, A-22). All histograms have their edges at whole multiples of the bin width, so that a sample gives the same bins
whether it arrives at once or in pieces.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.optimize import brentq, least_squares
from scipy.special import ndtr

MIN_FIT = 10  # fewer values: no fit
MIN_BINS = 4  # one more than the free parameters
MAD_TO_SIGMA = 1.4826
FIT_KEYS = ("mean", "sigma", "amplitude")


def finite(x: np.ndarray) -> np.ndarray:
    """The finite values of an array, as float64 in one dimension."""
    x = np.asarray(x, dtype=np.float64).ravel()
    return x[np.isfinite(x)]


def robust_sigma(x: np.ndarray) -> float:
    """1.4826 times the median absolute deviation; NaN without a finite value."""
    x = finite(x)
    return float(MAD_TO_SIGMA * np.median(np.abs(x - np.median(x)))) if len(x) else np.nan


def bootstrap_error(values: np.ndarray, statistic: Callable[[np.ndarray], float], n: int, seed: int) -> float:
    """Standard deviation of a statistic over `n` resamples with replacement; NaN for fewer than two finite values."""
    values = finite(values)
    if len(values) < 2 or n < 2:
        return np.nan
    rng = np.random.default_rng(seed)
    return float(np.std([statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(n)], ddof=1))


def _plain_statistics(x: np.ndarray) -> dict:
    """Moments of finite values; NaN when there are none."""
    if not len(x):
        return {k: np.nan for k in ("median", "robust_sigma", "bias", "std", "rmse")}
    return {
        "median": float(np.median(x)), "robust_sigma": robust_sigma(x), "bias": float(np.mean(x)),
        "std": float(np.std(x)), "rmse": float(np.sqrt(np.mean(x * x))),
    }


def _grid(lo: float, hi: float, bin_width: float) -> tuple[int, int]:
    """First and last-plus-one number of the bins [k w, (k + 1) w) that cover [lo, hi]."""
    first, last = _bin_number(np.array([lo, hi]), bin_width)
    return int(first), int(last) + 1


def _bin_number(x: np.ndarray, bin_width: float) -> np.ndarray:
    """Number k of the bin [k w, (k + 1) w); a value at an edge, but for rounding, belongs to the upper bin (0.58 / 0.02 < 29)."""
    return np.floor(np.clip(x / bin_width, -2.0**53, 2.0**53) + 1e-9).astype(np.int64)


def histogram(residual: np.ndarray, bin_width: float, lo: float | None = None, hi: float | None = None) -> pd.DataFrame:
    """Counts in bins whose edges are whole multiples of `bin_width`.

    Parameters
    ----------
    residual : ndarray
        Values; those that are not finite, or outside the bins from `lo` to `hi`, are left out.
    lo, hi : float, optional
        Range to cover; the values' own range by default.

    Returns
    -------
    DataFrame
        `x_lo`, `x_hi`, `count`, empty bins included.
    """
    x = finite(residual)
    if not len(x) and (lo is None or hi is None):
        return pd.DataFrame({"x_lo": np.empty(0), "x_hi": np.empty(0), "count": np.empty(0, np.int64)})
    first, stop = _grid(x.min() if lo is None else lo, x.max() if hi is None else hi, bin_width)
    number = _bin_number(x, bin_width)
    number = number[(number >= first) & (number < stop)] - first
    edges = np.arange(first, stop + 1) * bin_width
    return pd.DataFrame({"x_lo": edges[:-1], "x_hi": edges[1:], "count": np.bincount(number, minlength=stop - first)})


def _model(p: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts that a Gaussian of peak p0, centre p1, width p2 puts in each bin, so that wide bins do not widen the fit."""
    width = edges[1] - edges[0]
    return p[0] * p[2] * np.sqrt(2 * np.pi) / width * np.diff(ndtr((edges - p[1]) / p[2]))


def _fit_counts(edges: np.ndarray, counts: np.ndarray, mean: float, sigma: float) -> tuple[float, float, float]:
    """Least squares of a Gaussian on a histogram; (mean, sigma, amplitude), NaN when it does not converge."""
    nothing = (np.nan, np.nan, np.nan)
    if len(counts) < MIN_BINS or not np.isfinite(sigma) or sigma <= 0 or counts.sum() < MIN_FIT:
        return nothing
    # in units of the start values, so that K and dex are alike to the optimiser
    width = edges[1] - edges[0]
    scaled, peak = (edges - mean) / sigma, float(counts.max())
    span = scaled[-1] - scaled[0]
    lower, upper = [0.0, scaled[0], 0.05 * width / sigma], [10.0, scaled[-1], 2 * span]
    found = least_squares(lambda p: _model(p, scaled) - counts / peak, np.clip([1.0, 0.0, 1.0], lower, upper), bounds=(lower, upper))
    if not found.success or not np.isfinite(found.x).all():
        return nothing
    return float(mean + sigma * found.x[1]), float(sigma * found.x[2]), float(peak * found.x[0])


def _fit_with_errors(edges, counts, median, spread, n, bootstrap, seed) -> dict:
    mean, sigma, amplitude = _fit_counts(edges, counts, median, spread)
    out = {"mean": mean, "sigma": sigma, "amplitude": amplitude, "n_in_range": int(counts.sum())}
    if bootstrap:
        out |= {"mean_err": np.nan, "sigma_err": np.nan}
        if np.isfinite(mean) and bootstrap > 1:
            rng = np.random.default_rng(seed)
            inside = counts / n
            share = np.append(inside, max(0.0, 1.0 - inside.sum()))
            share /= share.sum()
            fits = np.array([_fit_counts(edges, rng.multinomial(n, share)[:-1], median, spread)[:2] for _ in range(bootstrap)])
            fits = fits[np.isfinite(fits).all(axis=1)]
            if len(fits) > 1:
                out["mean_err"], out["sigma_err"] = (float(v) for v in np.std(fits, axis=0, ddof=1))
    return out


def gaussian_fit(residual: np.ndarray, bin_width: float, range_sigma: float = 4.0, bootstrap: int = 0, seed: int = 0) -> dict:
    """Fit a Gaussian to the histogram of residuals (A-20) and give the statistics without a fit beside it.

    The histogram covers median +- `range_sigma` robust sigma; the fit starts at the median and the robust sigma. The model
    is the Gaussian's integral over each bin.

    Parameters
    ----------
    residual : ndarray (n,)
        Prediction minus reference; values that are not finite are left out.
    bin_width : float
        Width of a histogram bin, in the unit of the residuals.
    bootstrap : int
        Number of resamples for the errors of mean and sigma (0: none). The histogram's counts are drawn anew, which for
        binned data is the bootstrap of the stars with the fit range held.

    Returns
    -------
    dict
        `mean`, `sigma`, `amplitude` (peak, counts a bin) of the fit; `n` finite values, `n_in_range`; `median`,
        `robust_sigma`, `bias` (mean), `std` (population), `rmse`; `fit_lo`, `fit_hi`; with `bootstrap`, also `mean_err` and
        `sigma_err`. The fit is NaN for fewer than 10 values, a robust sigma of zero, fewer than 4 bins in the range, or no
        convergence; every statistic is NaN for no value at all.
    """
    x = finite(residual)
    out = {**dict.fromkeys(FIT_KEYS, np.nan), "n": len(x), "n_in_range": 0, **_plain_statistics(x), "fit_lo": np.nan, "fit_hi": np.nan}
    if bootstrap:
        out |= {"mean_err": np.nan, "sigma_err": np.nan}
    spread = out["robust_sigma"]
    if len(x) < MIN_FIT or not spread > 0:
        return out
    lo, hi = out["median"] - range_sigma * spread, out["median"] + range_sigma * spread
    bins = histogram(x, bin_width, lo, hi)
    edges = np.append(bins["x_lo"].to_numpy(), bins["x_hi"].iloc[-1])
    fit = _fit_with_errors(edges, bins["count"].to_numpy(), out["median"], spread, len(x), bootstrap, seed)
    return out | fit | {"fit_lo": float(edges[0]), "fit_hi": float(edges[-1])}


def binned(
    x: np.ndarray, residual: np.ndarray, width: float | None = None, min_count: int = 50, fit: float | None = None, edges=None
) -> pd.DataFrame:
    """Mean and width of residuals in bins of x (Figure 8, A-23).

    Parameters
    ----------
    x, residual : ndarray (n,)
        Rows where either is not finite are left out.
    width : float
        Bins are [k width, (k + 1) width).
    min_count : int
        Bins with fewer rows are absent.
    fit : float, optional
        Histogram bin width of a Gaussian fit; None: plain mean and standard deviation (population).
    edges : sequence of float, optional
        Bin edges in place of `width`; the last bin includes its upper edge.

    Returns
    -------
    DataFrame
        `x_lo`, `x_hi`, `x_mid`, `n`, `mean`, `sigma`, `median`, `robust_sigma`, rising in x.
    """
    x, residual = np.asarray(x, dtype=np.float64).ravel(), np.asarray(residual, dtype=np.float64).ravel()
    good = np.isfinite(x) & np.isfinite(residual)
    x, residual = x[good], residual[good]
    if edges is None:
        number = _bin_number(x, width)
    else:
        edges = np.asarray(edges, dtype=np.float64)
        number = _edge_number(x, edges)
        x, residual, number = x[number >= 0], residual[number >= 0], number[number >= 0]
    order = np.argsort(number, kind="stable")
    values, start, count = np.unique(number[order], return_index=True, return_counts=True)
    rows = []
    for k, first, n in zip(values, start, count, strict=True):
        if n < max(min_count, 1):
            continue
        part = residual[order[first:first + n]]
        plain = _plain_statistics(part)
        mean, sigma = plain["bias"], plain["std"]
        if fit is not None:
            fitted = gaussian_fit(part, fit)
            mean, sigma = fitted["mean"], fitted["sigma"]
        lo, hi = (k * width, (k + 1) * width) if edges is None else (edges[k], edges[k + 1])
        rows.append((lo, hi, 0.5 * (lo + hi), n, mean, sigma, plain["median"], plain["robust_sigma"]))
    table = pd.DataFrame(rows, columns=["x_lo", "x_hi", "x_mid", "n", "mean", "sigma", "median", "robust_sigma"])
    return table.astype({c: np.int64 if c == "n" else np.float64 for c in table.columns})


def _edge_number(x: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Bin of each value, -1 outside; half-open bins, the last one closed (as numpy.histogram)."""
    number = np.searchsorted(edges, x, side="right") - 1
    number[x == edges[-1]] = len(edges) - 2
    number[(number >= len(edges) - 1) | ~np.isfinite(x)] = -1
    return number


class Histogram1D:
    """Counts on a fixed grid that pieces of a sample are added to; adding in any order or size gives the same result.

    Parameters
    ----------
    bin_width, lo, hi : float
        Bins are [k w, (k + 1) w) from the one that holds `lo` to the one that holds `hi`. Values outside are counted in
        `below` and `above`, values that are not finite in `missing`.
    """

    def __init__(self, bin_width: float, lo: float, hi: float):
        self.bin_width = float(bin_width)
        self._first, self._stop = _grid(lo, hi, self.bin_width)
        self.counts = np.zeros(self._stop - self._first, dtype=np.int64)
        self.below = self.above = self.missing = 0

    @property
    def edges(self) -> np.ndarray:
        """Bin edges (number of bins + 1)."""
        return np.arange(self._first, self._stop + 1) * self.bin_width

    def add(self, x: np.ndarray) -> None:
        """Count the values of a piece."""
        x = np.asarray(x, dtype=np.float64).ravel()
        good = finite(x)
        self.missing += len(x) - len(good)
        number = _bin_number(good, self.bin_width) - self._first
        low, high = number < 0, number >= len(self.counts)
        self.below, self.above = self.below + int(low.sum()), self.above + int(high.sum())
        self.counts += np.bincount(number[~low & ~high], minlength=len(self.counts))

    def table(self) -> pd.DataFrame:
        """`x_lo`, `x_hi`, `count` of every bin."""
        edges = self.edges
        return pd.DataFrame({"x_lo": edges[:-1], "x_hi": edges[1:], "count": self.counts})

    def fit(self, range_sigma: float = 4.0, bootstrap: int = 0, seed: int = 0) -> dict:
        """The same keys as `gaussian_fit`, from the counts.

        Median and robust sigma are interpolated within the bins (all values count, also those outside the grid);
        bias, std and rmse come from the bin centres of the values inside the grid.
        """
        total = int(self.counts.sum())
        n = total + self.below + self.above
        keys = ("median", "robust_sigma", "bias", "std", "rmse", "fit_lo", "fit_hi")
        out = {**dict.fromkeys(FIT_KEYS, np.nan), "n": n, "n_in_range": 0, **dict.fromkeys(keys, np.nan)}
        if bootstrap:
            out |= {"mean_err": np.nan, "sigma_err": np.nan}
        if not total:
            return out
        edges, share = self.edges, self.counts / total
        middle = 0.5 * (edges[:-1] + edges[1:])
        out["bias"] = float(share @ middle)
        out["std"] = float(np.sqrt(share @ (middle - out["bias"]) ** 2))
        out["rmse"] = float(np.sqrt(share @ middle**2))
        out["median"], spread = self._quartile_statistics(n)
        out["robust_sigma"] = spread
        if n < MIN_FIT or not spread > 0:
            return out
        first, stop = _grid(out["median"] - range_sigma * spread, out["median"] + range_sigma * spread, self.bin_width)
        inside = slice(max(first - self._first, 0), max(stop - self._first, 0))
        part, counts = edges[inside.start:inside.stop + 1], self.counts[inside]
        if len(counts) < MIN_BINS:
            return out
        fit = _fit_with_errors(part, counts, out["median"], spread, n, bootstrap, seed)
        return out | fit | {"fit_lo": float(part[0]), "fit_hi": float(part[-1])}

    def _quartile_statistics(self, n: int) -> tuple[float, float]:
        """Median and 1.4826 MAD from the cumulative counts, linear within a bin; NaN when they lie outside the grid."""
        edges = self.edges
        cumulative = (self.below + np.concatenate([[0], np.cumsum(self.counts)])) / n
        if not cumulative[0] <= 0.5 <= cumulative[-1]:
            return np.nan, np.nan
        # np.interp needs rising abscissae: keep the last edge of an empty stretch below 0.5 and the first above
        below = np.flatnonzero(cumulative <= 0.5)[-1]
        above = np.flatnonzero(cumulative >= 0.5)[0]
        step = cumulative[above] - cumulative[below]
        if above <= below:  # the cumulative count is exactly one half along an empty stretch: its middle
            median = 0.5 * (edges[above] + edges[below])
        else:
            median = edges[below] + (0.5 - cumulative[below]) / step * (edges[above] - edges[below])

        def excess(d: float) -> float:
            high, low = np.interp([median + d, median - d], edges, cumulative)
            return high - low - 0.5

        reach = max(edges[-1] - median, median - edges[0])
        if excess(reach) < 0:
            return float(median), np.nan
        return float(median), float(MAD_TO_SIGMA * brentq(excess, 0.0, reach, xtol=1e-6 * self.bin_width))


class Density2D:
    """Counts in cells of a plane that pieces of a sample are added to; memory is the grid's, whatever the sample.

    Parameters
    ----------
    x_edges, y_edges : sequence of float
        Rising edges; cells are half-open, the last one closed. Values outside, or not finite, are counted in `outside`.
    """

    def __init__(self, x_edges, y_edges):
        self.x_edges, self.y_edges = np.asarray(x_edges, dtype=np.float64), np.asarray(y_edges, dtype=np.float64)
        self.counts = np.zeros((len(self.x_edges) - 1, len(self.y_edges) - 1), dtype=np.int64)
        self.outside = 0

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Count the points of a piece."""
        i = _edge_number(np.asarray(x, dtype=np.float64).ravel(), self.x_edges)
        j = _edge_number(np.asarray(y, dtype=np.float64).ravel(), self.y_edges)
        inside = (i >= 0) & (j >= 0)
        self.outside += int(len(inside) - inside.sum())
        flat = np.bincount(i[inside] * self.counts.shape[1] + j[inside], minlength=self.counts.size)
        self.counts += flat.reshape(self.counts.shape)

    def table(self) -> pd.DataFrame:
        """Long table `x_lo`, `x_hi`, `y_lo`, `y_hi`, `count` of the cells that hold something."""
        i, j = np.nonzero(self.counts)
        return pd.DataFrame({
            "x_lo": self.x_edges[i], "x_hi": self.x_edges[i + 1], "y_lo": self.y_edges[j], "y_hi": self.y_edges[j + 1],
            "count": self.counts[i, j],
        })


def density_table(x: np.ndarray, y: np.ndarray, x_edges, y_edges) -> pd.DataFrame:
    """Counts of points in the cells of a plane, as `Density2D.table`."""
    density = Density2D(x_edges, y_edges)
    density.add(x, y)
    return density.table()
