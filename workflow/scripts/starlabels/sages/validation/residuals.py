"""Residuals of one parameter, gathered piece by piece, and their statistics in bins.

Everything is kept as counts in narrow bins, so that 200 stars and 21 million take the same path and the same memory,
and the order of the pieces does not matter.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...metrics import Histogram1D, finite

REACH = {"feh": 10.0, "logg": 10.0, "teff": 30000.0}          # residuals beyond are counted as outliers only
FINE = 10                                                     # narrow bins in a bin of the fitted histogram
SCOTT = 3.49                                                  # Scott 1979, Biometrika 66, 605: width 3.49 sigma n^(-1/3)
PLAIN = ("median", "robust_sigma", "bias", "std", "rmse")


class Residuals:
    """Residuals of one parameter.

    Parameters
    ----------
    parameter : str
        `feh`, `teff` or `logg`.
    cfg : mapping
        The `sages` configuration: `validation.histogram_bin` and `validation.fit_range_sigma`.
    bin_width, widest_bin : float
        Narrowest bin of the fit, if not the configured one, and the widest that few stars may lead to; unit of the parameter.
    """

    def __init__(self, parameter: str, cfg: Mapping, bin_width: float | None = None, widest_bin: float = np.inf):
        settings = cfg["validation"]
        self.parameter = parameter
        self.base = float(bin_width or settings["histogram_bin"][parameter])
        self.most_bins = max(1, round(widest_bin / self.base)) if np.isfinite(widest_bin) else np.inf
        self.range_sigma = float(settings["fit_range_sigma"])
        self.fine = Histogram1D(self.base / FINE, -REACH[parameter], REACH[parameter])

    def add(self, residual: np.ndarray) -> None:
        """Take in a piece; values that are not finite are left out."""
        self.fine.add(finite(residual))

    @property
    def n(self) -> int:
        """Residuals taken in."""
        return int(self.fine.counts.sum()) + self.fine.below + self.fine.above

    def bin_factor(self, robust_sigma: float) -> int:
        """How many configured bins make one bin of the fitted histogram.

        One (A-20: 0.02 dex, 10 K) from some thousand stars on. With few stars most such bins hold no star and least squares
        follows the noise; then the bins are as wide as Scott's rule says (the fit takes the bin's width into account).
        """
        if not (self.n and np.isfinite(robust_sigma)):
            return 1
        return int(min(self.most_bins, max(1, np.ceil(SCOTT * robust_sigma * self.n ** (-1 / 3) / self.base))))

    def histogram(self, factor: int = 1) -> Histogram1D:
        """The counts in bins of `factor` configured widths."""
        width = self.base * factor
        coarse = Histogram1D(width, -REACH[self.parameter], REACH[self.parameter])
        filled = np.flatnonzero(self.fine.counts)
        edges = self.fine.edges
        middle = 0.5 * (edges[filled] + edges[filled + 1])
        number = np.floor(middle / width).astype(np.int64) - round(coarse.edges[0] / width)
        inside = (number >= 0) & (number < len(coarse.counts))
        np.add.at(coarse.counts, number[inside], self.fine.counts[filled[inside]])
        coarse.below, coarse.above = self.fine.below, self.fine.above
        return coarse

    def statistics(self, bootstrap: int = 0, seed: int = 0, fallback: bool = False) -> dict:
        """Statistics of the residuals (A-20, A-22).

        Parameters
        ----------
        bootstrap : int
            Resamples for the errors of mean and sigma.
        fallback : bool
            Where no Gaussian can be fitted, give median and robust sigma as mean and sigma (`fit` then says `robust`).

        Returns
        -------
        dict
            n, mean, sigma, amplitude (counts a bin), median, robust_sigma, bias, std, rmse, mean_error, sigma_error,
            bin_width, fit (`histogram`, `robust` or `none`). Unit of the parameter; None where there is no value.
        """
        plain = self.fine.fit(0.0)                    # a range of zero width: median, widths and moments, no fit
        factor = self.bin_factor(plain["robust_sigma"])
        found = self.histogram(factor).fit(self.range_sigma, bootstrap, seed)
        out = {"n": self.n, **{k: found[k] for k in ("mean", "sigma", "amplitude")}, **{k: plain[k] for k in PLAIN}}
        out["mean_error"], out["sigma_error"] = found.get("mean_err", np.nan), found.get("sigma_err", np.nan)
        out["bin_width"] = self.base * factor
        out["fit"] = "histogram" if np.isfinite(out["mean"]) else "none"
        if out["fit"] == "none" and fallback and np.isfinite(out["median"]):
            out["mean"], out["sigma"], out["fit"] = out["median"], out["robust_sigma"], "robust"
            out["mean_error"] = 1.2533 * out["robust_sigma"] / np.sqrt(self.n)         # standard error of a median
        return {k: (None if isinstance(v, float) and not np.isfinite(v) else v) for k, v in out.items()}

    def table(self, bin_width: float) -> pd.DataFrame:
        """Histogram `lo`, `hi`, `count` from the first to the last star, in the bins that the fit used."""
        coarse = self.histogram(max(1, round(bin_width / self.base)))
        filled = np.flatnonzero(coarse.counts)
        if not len(filled):
            return pd.DataFrame({"lo": np.empty(0), "hi": np.empty(0), "count": np.empty(0, np.int64)})
        part, edges = slice(filled[0], filled[-1] + 1), np.round(coarse.edges, 9)
        return pd.DataFrame({"lo": edges[:-1][part], "hi": edges[1:][part], "count": coarse.counts[part]})


class BinnedResiduals:
    """Residuals of one parameter in bins of another quantity.

    Parameters
    ----------
    edges : sequence of float
        Bin edges; bins are half-open, the last one closed. Stars outside are left out.
    """

    def __init__(self, parameter: str, cfg: Mapping, edges):
        self.parameter, self.cfg = parameter, cfg
        self.edges = np.asarray(edges, dtype=np.float64)
        self.bins: dict[int, Residuals] = {}

    def add(self, x: np.ndarray, residual: np.ndarray) -> None:
        """Take in a piece: the quantity of the bins and the residual of each star."""
        x, residual = np.asarray(x, np.float64), np.asarray(residual, np.float64)
        good = np.isfinite(x) & np.isfinite(residual) & (x >= self.edges[0]) & (x <= self.edges[-1])
        if not good.any():
            return
        x, residual = x[good], residual[good]
        number = np.minimum(np.searchsorted(self.edges, x, side="right") - 1, len(self.edges) - 2)
        order = np.argsort(number, kind="stable")
        found, start = np.unique(number[order], return_index=True)
        for k, part in zip(found, np.split(residual[order], start[1:]), strict=True):
            self.bins.setdefault(int(k), Residuals(self.parameter, self.cfg)).add(part)

    def table(self, min_count: int, **labels) -> pd.DataFrame:
        """Statistics of every bin with at least `min_count` stars, rising.

        Returns
        -------
        DataFrame
            the `labels` as columns, then lo, hi, mid, n, mean, sigma, median, robust_sigma, bias, std, fit.
        """
        rows = []
        for k in sorted(self.bins):
            if self.bins[k].n < max(min_count, 1):
                continue
            found = self.bins[k].statistics(fallback=True)
            lo, hi = float(self.edges[k]), float(self.edges[k + 1])
            rows.append({**labels, "lo": lo, "hi": hi, "mid": round(0.5 * (lo + hi), 9), **{c: found[c] for c in BIN_COLUMNS}})
        names = [*labels, "lo", "hi", "mid", *BIN_COLUMNS]
        table = pd.DataFrame(rows, columns=names)
        kinds = {c: "float64" for c in names if c not in (*labels, "n", "fit")} | {"n": "int64", "fit": "str"}
        kinds |= {c: "str" if isinstance(v, str) else type(v) for c, v in labels.items()}
        return table.astype(kinds)


BIN_COLUMNS = ("n", "mean", "sigma", "median", "robust_sigma", "bias", "std", "fit")


def regular_edges(lo: float, hi: float, width: float) -> np.ndarray:
    """Edges at whole multiples of `width` that cover [lo, hi] (A-23)."""
    first, last = np.floor(lo / width + 1e-9), np.ceil(hi / width - 1e-9)
    return np.round(np.arange(first, last + 1) * width, 9)
