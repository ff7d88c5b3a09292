"""Teff against colour of the training stars, and where the forest has nothing left to interpolate (Section 4, A-24)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.polynomial import Polynomial

from ...errors import InputError
from ...io import read_table, write_json, write_table
from .panels import in_class, numbers

COOLEST = 0.001                         # quantile of the training Teff taken for the coolest that is reliable
BIN = 0.02                              # mag, bins of the median


def fit_teff(colour: np.ndarray, teff: np.ndarray, degree: int) -> Polynomial:
    """Polynomial Teff(colour), least squares."""
    return Polynomial.fit(colour, teff, degree)


def colour_at(polynomial: Polynomial, teff: float, start: float, stop: float) -> float | None:
    """First colour from `start` to `stop` where the polynomial falls to `teff`; None when it does not."""
    roots = (polynomial - teff).roots()
    real = np.sort(roots.real[np.abs(roots.imag) < 1e-9])
    slope = polynomial.deriv()
    falling = [float(c) for c in real if start <= c <= stop and slope(c) < 0]
    return falling[0] if falling else None


def run_cool_mask(sample_paths: Mapping[int, str], cfg: Mapping, simulated: bool, out_json, out_parquet) -> dict:
    """Fit Teff((BP-RP)_0) on the training sample, dwarfs and giants together, and compare with the printed limit.

    Parameters
    ----------
    sample_paths : mapping
        Data set -> `samples/set<k>.parquet`.
    out_json : path
        {`data_sets`: {k: {n, degree, coefficients (rising powers of the colour), teff_limit, teff_quantile, colour_at_limit (null: the
        curve does not fall to it), colour_max (used), teff_at_colour_max, n_redder, scatter}}, `colour`, `simulated`}.
    out_parquet : path
        data_set, colour, teff_fit, teff_median, n in bins of 0.02 mag.

    Raises
    ------
    InputError
        When the training sample has fewer stars with Teff than the polynomial has coefficients.
    """
    first, second = cfg["cool_mask"]["colour"]
    degree, limit = cfg["cool_mask"]["polynomial_degree"], cfg["cool_mask"]["colour_max"]
    content, parts = {"colour": [first, second], "data_sets": {}, "simulated": bool(simulated)}, []
    for k, path in sorted(sample_paths.items()):
        frame = read_table(path, ["role", "star_class", "teff", "use_teff", f"{first}_0", f"{second}_0"])
        use = (frame["role"] == "train").to_numpy(bool) & frame["use_teff"].to_numpy(bool) & in_class(frame, "all")
        colour, teff = numbers(frame, f"{first}_0") - numbers(frame, f"{second}_0"), numbers(frame, "teff")
        use &= np.isfinite(colour) & np.isfinite(teff)
        colour, teff = colour[use], teff[use]
        if len(teff) <= degree + 1:
            remedy = "Check the training cuts, or set cool_mask.colour_max to null"
            raise InputError(path, f"has {len(teff)} training stars with Teff", remedy)
        polynomial = fit_teff(colour, teff, degree)
        coolest = float(np.quantile(teff, COOLEST))
        content["data_sets"][str(k)] = {
            "n": len(teff), "degree": degree, "coefficients": list(polynomial.convert().coef),
            "teff_limit": coolest, "teff_quantile": COOLEST,
            "colour_at_limit": colour_at(polynomial, coolest, float(np.median(colour)), float(colour.max()) + 0.5),
            "colour_max": limit, "teff_at_colour_max": None if limit is None else float(polynomial(limit)),
            "n_redder": 0 if limit is None else int((colour > limit).sum()), "scatter": float(np.std(teff - polynomial(colour))),
        }
        parts.append(_curve(k, colour, teff, polynomial))
    write_table(out_parquet, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated), "colour": [first, second]})
    write_json(out_json, content)
    return content


def _curve(data_set: int, colour: np.ndarray, teff: np.ndarray, polynomial: Polynomial) -> pd.DataFrame:
    number = np.floor(colour / BIN + 1e-9).astype(np.int64)
    grouped = pd.Series(teff).groupby(number)
    table = pd.DataFrame({"teff_median": grouped.median(), "n": grouped.size()})
    table = table.reindex(range(number.min(), number.max() + 1))
    middle = np.round((table.index.to_numpy() + 0.5) * BIN, 9)
    return pd.DataFrame({
        "data_set": np.full(len(table), data_set, np.int64), "colour": middle, "teff_fit": polynomial(middle),
        "teff_median": table["teff_median"].to_numpy(), "n": table["n"].fillna(0).to_numpy(np.int64),
    })
