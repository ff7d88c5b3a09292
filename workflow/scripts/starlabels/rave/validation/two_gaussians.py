"""Sum of two Gaussians fitted to a histogram by least squares, as for the repeats of Figure 19 (B-19)."""

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit
from scipy.special import ndtr

MIN_WEIGHT = 50.0         # counts below which two components cannot be told apart
MIN_BINS = 8              # two more than the free parameters
MAX_RATIO = 12.0          # of the widths: a wider second component is a background, not tails
# Limits in units of the robust sigma: without them the narrow component of a small sample fits a spike of noise
MIN_SHARE = 0.25          # of the counts in the narrow component
WIDTH = (0.3, 1.5)        # of the narrow component
CENTRE, SHIFT = 0.5, 1.5  # of the narrow component from zero, of the wide one from it
STARTS = ((0.7, 0.7, 2.5), (0.5, 0.5, 2.0), (0.9, 0.9, 4.0))     # share, width and ratio in units of the robust sigma


def _parts(edges: np.ndarray, area: float, share: float, mean: float, sigma: float, shift: float, ratio: float) -> tuple:
    """Counts of the narrow and of the wide component in each bin: integrals over it, so that wide bins do not widen the fit."""
    narrow = area * share * np.diff(ndtr((edges - mean) / sigma))
    wide = area * (1.0 - share) * np.diff(ndtr((edges - mean - shift) / (ratio * sigma)))
    return narrow, wide


def _model(edges: np.ndarray, *parameters: float) -> np.ndarray:
    return np.add(*_parts(edges, *parameters))


def fit_two_gaussians(edges: np.ndarray, counts: np.ndarray, spread: float, start: dict | None = None) -> dict | None:
    """Least squares of two Gaussians on a histogram.

    Parameters
    ----------
    edges : ndarray (n + 1,)
        Edges of the bins, equally wide.
    counts : ndarray (n,)
        Counts or weights.
    spread : float
        Robust sigma of the values, where the fit starts.
    start : dict, optional
        An earlier result for nearly the same counts: the only start then (resamples).

    Returns
    -------
    dict or None
        `narrow` and `wide`, each {`mean`, `sigma`, `share` (of the area), `amplitude` (peak, counts a bin)}, and `area`;
        None for too few counts or bins, a spread of zero, or no convergence. `at_limit`: whether the narrow component's
        share, width or centre ran to its limit, so that it is no core. Where one Gaussian suffices, both have nearly one width.
    """
    edges, counts = np.asarray(edges, np.float64), np.asarray(counts, np.float64)
    if counts.sum() < MIN_WEIGHT or len(counts) < MIN_BINS or not spread > 0:
        return None
    # in units of the spread and of the sum, so that K and dex are alike to the optimiser
    scaled, total = edges / spread, counts.sum()
    width = scaled[1] - scaled[0]
    narrowest = max(WIDTH[0], 0.25 * width)
    widest = max(WIDTH[1], 2 * narrowest)
    guesses = [(1.0, share, 0.0, sigma, 0.0, ratio) for share, sigma, ratio in STARTS] if start is None else [start["scaled"]]
    best = None
    for shift in (SHIFT, 0.05):                              # where a core does not show, both components get one centre
        lower = np.array([0.0, MIN_SHARE, -CENTRE, narrowest, -shift, 1.0])
        upper = np.array([2.0, 1.0, CENTRE, widest, shift, MAX_RATIO])
        found = [f for f in (_curve_fit(scaled, counts / total, guess, lower, upper) for guess in guesses) if f is not None]
        for _, values in sorted(found, key=lambda f: f[0]):
            if not _at_limit(values, lower, upper):
                return _result(values, spread, total, edges[1] - edges[0]) | {"at_limit": False}
            best = values if best is None else best
    return None if best is None else _result(best, spread, total, edges[1] - edges[0]) | {"at_limit": True}


def _at_limit(values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> bool:
    """Whether share, centre or width of the narrow component ended on a limit; a share of one is a single Gaussian."""
    limit = np.minimum(values - lower, upper - values)[1:4] < 1e-3
    limit[0] &= values[1] < 0.5
    return bool(limit.any())


def _curve_fit(edges, target, guess, lower, upper):
    """(sum of squares, parameters) from one start; None where it does not converge."""
    guess = np.clip(guess, np.asarray(lower) + 1e-6, np.asarray(upper) - 1e-6)
    try:
        values, _ = curve_fit(_model, edges, target, p0=guess, bounds=(lower, upper), max_nfev=400, x_scale="jac")
    except (RuntimeError, OptimizeWarning):
        return None
    if not np.isfinite(values).all():
        return None
    return float(np.sum((_model(edges, *values) - target) ** 2)), values


def _result(values: np.ndarray, spread: float, total: float, width: float) -> dict:
    area, share, mean, sigma, shift, ratio = (float(v) for v in values)

    def component(part: float, centre: float, scale: float) -> dict:
        peak = float(total * area * part * width / (np.sqrt(2 * np.pi) * scale))
        return {"mean": centre, "sigma": scale, "share": part, "amplitude": peak}

    return {
        "narrow": component(share, spread * mean, spread * sigma),
        "wide": component(1.0 - share, spread * (mean + shift), spread * sigma * ratio),
        "area": area * total, "scaled": [area, share, mean, sigma, shift, ratio],
    }


def components_at(edges: np.ndarray, fit: dict) -> tuple[np.ndarray, np.ndarray]:
    """Counts that each component of a fit puts in the bins, (n,), (n,)."""
    parts = []
    for name in ("narrow", "wide"):
        one = fit[name]
        parts.append(fit["area"] * one["share"] * np.diff(ndtr((np.asarray(edges) - one["mean"]) / one["sigma"])))
    return parts[0], parts[1]
