"""Stars with poor parallaxes (Section 4.2.3, Figure 12): their Kiel diagram, and whether their abundances are off."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import write_json, write_table
from ..rows import iter_observed
from ..statistics import residual_statistics
from .planes import Plane, kiel_plane

STARS = ["snr_rave", "parallax_error_ratio"]
LABELS = ["teff_cnn", "logg_cnn", "mh_cnn", "alpha_m_cnn"]
MH_EDGES = np.round(np.arange(-3.0, 1.0001, 0.025), 6)
ALPHA_EDGES = np.round(np.arange(-1.0, 1.2001, 0.01), 6)
TREND_EDGES = np.round(np.arange(-2.0, 0.6001, 0.2), 6)      # of the median line of the stars with good parallaxes
TREND_MIN = 10
WORST = 0.40                            # "parallax errors above 40 %" (Section 4.2.3)
CAP = 1.0                               # larger ratios, and those of parallaxes that are not positive, count as 100 %


def run_poor_parallax(
    stars_paths: Iterable, prediction_paths: Iterable, cfg: Mapping, simulated: bool, out_table, out_trend, out_json, seed: int = 42
) -> dict:
    """Gather the stars of S/N above `validation.snr_poor_parallax` with a parallax error above the limit.

    As in the caption of Figure 12, every class of spectra of the observed sample is in. A median of [alpha/M] in bins of [M/H] of
    the stars with good parallaxes, same S/N and same kind (giant, dwarf) is the measure of systematics.

    Parameters
    ----------
    out_table : path
        plane (`kiel`, `giants`, `dwarfs`), x_lo, x_hi, y_lo, y_hi, count, mean_mh, mean_ratio (at most 1). Kiel: Teff (K) and
        log g; the others: [M/H] and [alpha/M].
    out_trend : path
        plane, x_lo, x_hi, n, median: the median line.
    out_json : path
        {`simulated`, `n`, `n_above_40`, `n_not_positive`, `n_good` (same S/N, good parallax), `n_observed`, `parallax_share` (share
        of the observed sample, any S/N, with a parallax error below the limit), `upper_share` (of the stars above 40 %: giants),
        `alpha_offset` {plane: {`20-40`, `above_40`: statistics of [alpha/M] minus the median line}}}.

    Raises
    ------
    InputError
        When no star of the observed sample has such an S/N and parallax.
    """
    settings = cfg["validation"]
    limit, border = float(settings["parallax_error_max"]), float(settings["logg_giant"])
    planes = {"kiel": kiel_plane(["mh", "ratio"]), **{k: Plane(MH_EDGES, ALPHA_EDGES, ["mh", "ratio"]) for k in ("giants", "dwarfs")}}
    poor, good, total, precise = [], [], 0, 0
    for frame in iter_observed(stars_paths, prediction_paths, STARS, LABELS):
        ratio = frame["parallax_error_ratio"].to_numpy(np.float64)
        frame["parallax_error_ratio"] = np.where(ratio >= 0, ratio, np.inf)        # no, or a negative, parallax
        is_good = frame["parallax_error_ratio"].to_numpy() < limit
        total, precise = total + len(frame), precise + int(is_good.sum())
        finite = np.isfinite(frame[LABELS].to_numpy(np.float64)).all(axis=1)
        bright = finite & (frame["snr_rave"].to_numpy(np.float64) > settings["snr_poor_parallax"])
        poor.append(frame[bright & ~is_good])
        good.append(frame.loc[bright & is_good, LABELS[1:]])
    poor, good = pd.concat(poor, ignore_index=True), pd.concat(good, ignore_index=True)
    if not len(poor):
        raise InputError("rave.validation.snr_poor_parallax", f"no observed star above it has a parallax error above {limit:g}",
                         "Lower the S/N, or leave Figure 12 out")
    mh, alpha, ratio = (poor[c].to_numpy(np.float64) for c in ("mh_cnn", "alpha_m_cnn", "parallax_error_ratio"))
    capped, giant = np.minimum(ratio, CAP), poor["logg_cnn"].to_numpy() < border
    planes["kiel"].add(poor["teff_cnn"], poor["logg_cnn"], mh=mh, ratio=capped)
    trends, offsets = [], {}
    for name, mask in (("giants", giant), ("dwarfs", ~giant)):
        planes[name].add(mh[mask], alpha[mask], mh=mh[mask], ratio=capped[mask])
        same = (good["logg_cnn"].to_numpy() < border) == (name == "giants")
        trend = median_line(good["mh_cnn"].to_numpy(np.float64)[same], good["alpha_m_cnn"].to_numpy(np.float64)[same])
        trends.append(trend.assign(plane=name)[["plane", *trend.columns]])
        off = alpha - above_line(trend, mh)
        parts = {"20-40": mask & (ratio <= WORST), "above_40": mask & (ratio > WORST)}
        offsets[name] = {k: residual_statistics(off[part], int(settings["bootstrap"]), seed) for k, part in parts.items()}
    meta = {"simulated": bool(simulated)}
    write_table(out_table, pd.concat([p.table(plane=k) for k, p in planes.items()], ignore_index=True), meta=meta)
    write_table(out_trend, pd.concat(trends, ignore_index=True).astype({"plane": "str"}), meta=meta)
    worst = ratio > WORST
    content = {
        "simulated": bool(simulated), "n": len(poor), "n_giants": giant.sum(), "n_dwarfs": (~giant).sum(), "n_above_40": worst.sum(),
        "n_not_positive": np.isinf(ratio).sum(), "n_good": len(good), "n_observed": total, "parallax_share": precise / total,
        "upper_share": float(giant[worst].mean()) if worst.any() else None, "alpha_offset": offsets,
        "claims": {"rave.n.fig12": {"value": len(poor), "paper": 3502, "what": "spectra of Figure 12"}},
    }
    write_json(out_json, content)
    return content


def median_line(x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    """x_lo, x_hi, n, median of y in bins of x with at least 10 stars."""
    rows = []
    for lo, hi in zip(TREND_EDGES[:-1], TREND_EDGES[1:], strict=True):
        part = y[(x >= lo) & (x < hi)]
        if len(part) >= TREND_MIN:
            rows.append((lo, hi, len(part), float(np.median(part))))
    return pd.DataFrame(rows, columns=["x_lo", "x_hi", "n", "median"]).astype({"x_lo": float, "x_hi": float, "n": "int64", "median": float})


def above_line(trend: pd.DataFrame, x: np.ndarray) -> np.ndarray:
    """The line at x, straight between the middles of its bins; NaN where x lies beyond its bins."""
    if trend.empty:
        return np.full(len(x), np.nan)
    middle = 0.5 * (trend["x_lo"] + trend["x_hi"]).to_numpy()
    value = np.interp(x, middle, trend["median"].to_numpy())
    return np.where((x >= trend["x_lo"].iloc[0]) & (x < trend["x_hi"].iloc[-1]), value, np.nan)
