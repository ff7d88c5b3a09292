"""[alpha/M] of the CNN beside [alpha/Fe] of RAVE DR6 for the same spectra (Section 6.7, Figure 21; B-20)."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from ...metrics import Density2D, robust_sigma
from ..rows import iter_observed
from ..statistics import residual_statistics
from .counts import good_alpha

log = logging.getLogger(__name__)

STARS = ["snr_rave", "madera_algo_flag", "alpha_fe_gauguin", "alpha_fe_gauguin_chisq", "alpha_fe_gauguin_nl", "feh_gauguin", "teff_madera",
         "logg_madera"]
CNN = ["teff_cnn", "logg_cnn", "mh_cnn", "alpha_m_cnn"]
# columns of the planes: (x, y) of each side
SIDES = {
    "cnn": {"kiel": ("teff_cnn", "logg_cnn"), "pattern": ("mh_cnn", "alpha_m_cnn")},
    "dr6": {"kiel": ("teff_madera", "logg_madera"), "pattern": ("feh_gauguin", "alpha_fe_gauguin")},
}
GRID = {"kiel": ((3000.0, 8500.0, 50.0), (-0.5, 6.0, 0.05)), "pattern": ((-3.0, 1.0, 0.04), (-0.6, 1.0, 0.02))}
RANGES = {"poor": (-np.inf, -1.0), "middle": (-1.0, 0.0), "rich": (0.0, np.inf)}      # of [M/H]: Section 6.7 shifts the middle one
PAPER = {"rave.alpha_shift": 0.14, "rave.n.alpha": {"all": 69659, "dwarfs": 30988, "giants": 38671}}
BIN, LEAST = 0.1, 30                     # dex and stars of a metallicity bin in which the scatter of alpha is measured
KINDS = {"panel": "str", "side": "str", "x_lo": "float64", "x_hi": "float64", "y_lo": "float64", "y_hi": "float64", "count": "int64"}


def selected(frame: pd.DataFrame, cfg: Mapping) -> np.ndarray:
    """Mask (n,): DR6 [alpha/Fe] and [Fe/H] that pass `validation.alpha`, and CNN labels that exist."""
    known = np.isfinite(frame[["feh_gauguin", *CNN]].to_numpy(np.float64)).all(axis=1)
    return known & good_alpha(frame, cfg)


def plane(kind: str) -> Density2D:
    """Empty cells of a Kiel diagram or an abundance pattern."""
    return Density2D(*(np.round(lo + step * np.arange(round((hi - lo) / step) + 1), 9) for lo, hi, step in GRID[kind]))


def shifts(frame: pd.DataFrame, by: str, cfg: Mapping, seed: int) -> dict:
    """[M/H] of the CNN minus [Fe/H] of DR6 in ranges of metallicity, {range: statistics}; `by` names the side that sets the range."""
    x = frame[by].to_numpy(np.float64)
    difference = (frame["mh_cnn"] - frame["feh_gauguin"]).to_numpy(np.float64)
    bootstrap = cfg["validation"]["bootstrap"]
    return {name: residual_statistics(difference[(x > lo) & (x < hi)], bootstrap, seed) for name, (lo, hi) in RANGES.items()}


def scatter_at_metallicity(x: np.ndarray, y: np.ndarray) -> float | None:
    """Median over the stars of the robust scatter of y in bins of x; None without a bin of enough stars."""
    number = np.floor(x / BIN).astype(np.int64)
    order = np.argsort(number, kind="stable")
    values, start, count = np.unique(number[order], return_index=True, return_counts=True)
    found = [(robust_sigma(y[order[s:s + n]]), n) for _, s, n in zip(values, start, count, strict=True) if n >= LEAST]
    if not found:
        return None
    sigma, n = (np.array(v, np.float64) for v in zip(*found, strict=True))
    rank = np.argsort(sigma, kind="stable")
    return float(sigma[rank][np.searchsorted(np.cumsum(n[rank]), 0.5 * n.sum())])


def run_alpha(
    stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_table, out_json, seed: int = 42
) -> dict:
    """Both abundance patterns of the same spectra, and how the metallicities differ.

    Parameters
    ----------
    stars_paths, prediction_paths : iterable of path
        `rave/stars/{slice}.parquet`, `rave/predictions/main/photometry/{slice}.parquet`.
    out_table : path
        Cells with spectra: panel (kiel, dwarfs, giants), side (cnn, dr6), x_lo, x_hi, y_lo, y_hi, count. x is Teff (K) or
        metallicity, y log g or alpha. Dwarfs and giants are split at `validation.logg_giant` of the CNN on both sides.
    out_json : path
        {n {all, dwarfs, giants}, no_kiel (DR6 parameters missing), outside {panel/side: n}, shift and shift_by_dr6 {poor,
        middle, rich: statistics}, scatter {dwarfs, giants: {cnn, dr6, dr6_larger}}, cuts, claims, simulated}.
    """
    parts = []
    for frame in iter_observed(stars_paths, prediction_paths, STARS, CNN):
        parts.append(frame[selected(frame, cfg)])
    frame = pd.concat(parts, ignore_index=True)
    giant = (frame["logg_cnn"] < cfg["validation"]["logg_giant"]).to_numpy(bool)
    groups = {"kiel": np.ones(len(frame), bool), "dwarfs": ~giant, "giants": giant}
    n = {"all": len(frame), "dwarfs": int((~giant).sum()), "giants": int(giant.sum())}
    if not len(frame):
        log.warning("no spectrum passes the cuts of rave.validation.alpha")
    tables, outside = [], {}
    for panel, mask in groups.items():
        for side, planes in SIDES.items():
            kind = "kiel" if panel == "kiel" else "pattern"
            cells = plane(kind)
            cells.add(*(frame.loc[mask, c].to_numpy(np.float64) for c in planes[kind]))
            outside[f"{panel}/{side}"] = cells.outside
            tables.append(cells.table().assign(panel=panel, side=side))
    write_table(out_table, pd.concat(tables, ignore_index=True)[list(KINDS)].astype(KINDS), meta={"simulated": bool(simulated)})
    shift = shifts(frame, "mh_cnn", cfg, seed)
    content = {
        "n": n, "no_kiel": int((~np.isfinite(frame[["teff_madera", "logg_madera"]].to_numpy(np.float64))).any(axis=1).sum()),
        "outside": outside, "shift": shift, "shift_by_dr6": shifts(frame, "feh_gauguin", cfg, seed),
        "scatter": {name: _scatters(frame[groups[name]]) for name in ("dwarfs", "giants")}, "cuts": dict(cfg["validation"]["alpha"]),
        "claims": claims(n, shift), "simulated": bool(simulated),
    }
    write_json(out_json, content)
    return content


def _scatters(frame: pd.DataFrame) -> dict:
    """Scatter of alpha at fixed metallicity on both sides, and whether that of DR6 is the larger one (None: not measured)."""
    found = {side: scatter_at_metallicity(*(frame[c].to_numpy(np.float64) for c in SIDES[side]["pattern"])) for side in SIDES}
    known = None not in found.values()
    return found | {"dr6_larger": bool(found["dr6"] > found["cnn"]) if known else None}


def claims(n: Mapping, shift: Mapping) -> dict:
    """What Section 6.7 states in numbers."""
    middle = shift["middle"]
    return {
        "rave.alpha_shift": {
            "value": middle["bias"], "interval": middle["bias_interval"], "n": middle["n"], "paper": PAPER["rave.alpha_shift"],
            "tails": {name: shift[name]["bias"] for name in ("poor", "rich")}, "unit": "dex",
            "what": "mean [M/H] of the CNN minus [Fe/H] of DR6 where -1 < [M/H] < 0 by the CNN",
        },
        "rave.n.alpha": {"value": dict(n), "paper": PAPER["rave.n.alpha"], "what": "spectra with good RAVE DR6 [alpha/Fe]"},
    }
