"""Systematic error and scatter in bins of the parameter, per test set and class (Figure 8), and the claims of Section 3.3."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...io import read_table, write_json, write_table
from .panels import in_class, panels_for, split_panel
from .residuals import BinnedResiduals, Residuals, regular_edges
from .test_set import labels, leakage_free, parameters_of, predictions, surveys_of, test_rows

RANGE = {"feh": (-8.0, 2.0), "teff": (2000.0, 20000.0), "logg": (-2.0, 8.0)}
MOST = 0.5                      # "most stars": the median over the stars of their bin's scatter


def bin_edges(parameter: str, cfg: Mapping) -> np.ndarray:
    """Edges of Figure 8's bins (A-23: 0.25 dex, 250 K, 0.25 dex)."""
    return regular_edges(*RANGE[parameter], cfg["validation"]["bin_width"][parameter])


def bins_of(frame: pd.DataFrame, cfg: Mapping, data_set: int, test_set: str, split: str) -> pd.DataFrame:
    """Figure 8's points of one test set: a row per panel and bin with enough stars."""
    x, y = labels(frame), predictions(frame)
    parts = []
    for panel in panels_for(cfg, parameters_of(frame)):
        parameter, star_class = split_panel(panel)
        mask = in_class(frame, star_class)
        binned = BinnedResiduals(parameter, cfg, bin_edges(parameter, cfg))
        binned.add(x[parameter][mask], (y[parameter] - x[parameter])[mask])
        names = {"data_set": data_set, "test_set": test_set, "split": split, "star_class": star_class, "parameter": parameter}
        parts.append(binned.table(cfg["validation"]["bin_min_stars"], **names))
    return pd.concat(parts, ignore_index=True)


def overall(frame: pd.DataFrame, cfg: Mapping) -> dict:
    """Mean and sigma per parameter over all classes (dashed lines of Figure 8) and per panel."""
    x, y = labels(frame), predictions(frame)
    found = {}
    for panel in panels_for(cfg, parameters_of(frame)):
        parameter, star_class = split_panel(panel)
        for name, mask in ((parameter, in_class(frame, "all")), (panel, in_class(frame, star_class))):
            if name not in found:
                found[name] = _fit(parameter, cfg, (y[parameter] - x[parameter])[mask])
    return found


def _fit(parameter: str, cfg: Mapping, residual: np.ndarray, bootstrap: int = 0, seed: int = 0) -> dict:
    gathered = Residuals(parameter, cfg)
    gathered.add(residual)
    return gathered.statistics(bootstrap, seed=seed, fallback=True)


def claims(frame: pd.DataFrame, bins: pd.DataFrame, cfg: Mapping, seed: int = 42) -> dict:
    """What Section 3.3 states in numbers, measured the same way.

    Parameters
    ----------
    frame : DataFrame
        Test rows with labels and predictions.
    bins : DataFrame
        Their Figure 8 points (all surveys of the split).
    seed : int
        Of the bootstrap (`validation.bootstrap` resamples).

    Returns
    -------
    dict
        claim id -> {value, error (bootstrap, of those measured on stars), n, what}; a claim whose stars do not exist is absent.
    """
    x, y = labels(frame), predictions(frame)
    dwarf, giant, everyone = (in_class(frame, c) for c in ("dwarf", "giant", "all"))
    out = {}

    def scatter(name: str, parameter: str, mask: np.ndarray, what: str, key: str = "sigma") -> None:
        if parameter in x:
            fit = _fit(parameter, cfg, (y[parameter] - x[parameter])[mask], cfg["validation"]["bootstrap"], seed)
            if fit["n"] >= 2:
                value = abs(fit[key]) if name.startswith("sages.sys") else fit[key]
                error = fit[f"{key}_error"]
                out[name] = {"value": value, "signed": fit[key], "error": error, "n": fit["n"], "fit": fit["fit"], "what": what}

    def over_bins(name: str, parameter: str, classes: tuple[str, ...], column: str, what: str, largest: bool) -> None:
        rows = bins[(bins["parameter"] == parameter).to_numpy(bool) & bins["star_class"].isin(classes).to_numpy(bool)]
        rows = rows[np.isfinite(rows[column].to_numpy())]
        if len(rows):
            size, n = rows[column].abs().to_numpy(), rows["n"].to_numpy()
            worst = int(np.argmax(size))
            value = size[worst] if largest else _weighted_quantile(size, n, MOST)
            where = {c: rows[c].iloc[worst] for c in ("lo", "hi", "test_set")} if largest else {}
            out[name] = {"value": float(value), "n": int(n.sum()), "bins": len(rows), "what": what, **where}

    feh, teff = x.get("feh"), x.get("teff")
    over_bins("sages.sys.feh", "feh", ("dwarf", "giant"), "mean", "largest |mean| of [Fe/H] over the bins", True)
    if feh is not None:
        scatter("sages.scatter.feh_poor", "feh", everyone & (feh < -2), "sigma of [Fe/H] for [Fe/H] < -2")
        scatter("sages.scatter.feh_rich", "feh", everyone & (feh > -0.5), "sigma of [Fe/H] for [Fe/H] > -0.5")
    scatter("sages.sys.teff_giant", "teff", giant, "|mean| of Teff, giants", "mean")
    scatter("sages.sys.teff_dwarf", "teff", dwarf, "|mean| of Teff, dwarfs", "mean")
    if teff is not None:
        scatter("sages.scatter.teff_cool_giant", "teff", giant & (teff < 5250), "sigma of Teff, giants cooler than 5250 K")
    over_bins("sages.scatter.teff_dwarf", "teff", ("dwarf",), "sigma", "sigma of Teff in the bin of the median dwarf", False)
    over_bins("sages.sys.logg", "logg", ("all",), "mean", "largest |mean| of log g over the bins", True)
    over_bins("sages.scatter.logg", "logg", ("all",), "sigma", "sigma of log g in the bin of the median star", False)
    scatter("sages.precision.feh", "feh", everyone, "sigma of [Fe/H], all test stars")
    scatter("sages.precision.teff", "teff", everyone, "sigma of Teff, all test stars")
    scatter("sages.precision.logg", "logg", everyone, "sigma of log g, all test stars")
    return out


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(cumulative, share)])


def run_bins(sample_paths: Mapping[int, str], cfg: Mapping, simulated: bool, out_parquet, out_json, seed: int = 42) -> dict:
    """Bins of Figure 8 for all data sets, test sets and classes.

    Parameters
    ----------
    sample_paths : mapping
        Data set -> `predictions/samples_set<k>.parquet`.
    out_parquet : path
        data_set, test_set (survey), split (literal: the survey split as the paper makes it; leakage_free: test stars that no
        training row has, A-9), star_class, parameter, lo, hi, mid, n, mean, sigma, median, robust_sigma, bias, std, fit. Bins with
        fewer stars than `validation.bin_min_stars` are absent.
    out_json : path
        {`overall`: {k: {parameter or panel: statistics}}, `overall_leakage_free`, `claims`: {k: {split: {id: ...}}}, `simulated`}.
    seed : int
        Of the bootstrap behind the errors of the claims.
    """
    parts, whole, stated = [], {"literal": {}, "leakage_free": {}}, {}
    for k, path in sorted(sample_paths.items()):
        frame = test_rows(read_table(path))
        stated[str(k)] = {}
        for split, rows in (("literal", frame), ("leakage_free", frame[leakage_free(frame)])):
            own = [bins_of(rows[(rows["survey"] == s).to_numpy(bool)], cfg, k, s, split) for s in surveys_of(rows, cfg)]
            own = pd.concat(own or [bins_of(rows, cfg, k, "none", split)], ignore_index=True)
            parts.append(own)
            whole[split][str(k)] = overall(rows, cfg)
            stated[str(k)][split] = claims(rows, own, cfg, seed)
    write_table(out_parquet, pd.concat(parts, ignore_index=True), meta={"simulated": bool(simulated)})
    content = {"overall": whole["literal"], "overall_leakage_free": whole["leakage_free"], "claims": stated, "simulated": bool(simulated)}
    write_json(out_json, content)
    return content
