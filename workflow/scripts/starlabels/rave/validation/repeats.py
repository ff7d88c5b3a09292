"""Spectra of the same star against each other (Section 6.5, Figure 19; B-19)."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from ...metrics import robust_sigma
from ..rows import ID, iter_observed
from .star_pairs import pairs_of
from .two_gaussians import fit_two_gaussians

log = logging.getLogger(__name__)

KINDS = {"network": "str", "label": "str", "lo": "float64", "hi": "float64", "weight": "float64", "pairs": "int64"}
REACH = 10.0                # half the histogram's range, in robust sigma
MIN_STARS = 50              # fewer with several spectra: no fit
MAIN = ("teff", "logg", "mh", "feh")
PAPER = {"teff": 50, "logg": 0.05, "mh": 0.05, "feh": 0.05, "abundances": [0.02, 0.03], "teff_no_photometry": 80,
         "logg_no_photometry": 0.14}
ABUNDANCES = ("alpha_m", "si_fe", "al_fe", "mg_fe", "ni_fe")


def bin_width(label: str, cfg: Mapping) -> float:
    """Width of a bin of the differences of a label."""
    widths = cfg["validation"]["repeats_bin"]
    return float(widths.get(label, widths["abundance"]))


def _bins(difference: np.ndarray, width: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges around zero that hold the central part of the differences, and the bin of each (-1 outside)."""
    reach = min(REACH * spread, float(np.abs(difference).max()))
    half = max(int(np.ceil(reach / width - 1e-9)), 6)
    number = np.floor(difference / width + 1e-9).astype(np.int64) + half
    number[(number < 0) | (number >= 2 * half)] = -1
    return np.arange(-half, half + 1) * width, number


def dispersion(difference: np.ndarray, pairs: pd.DataFrame, width: float, bootstrap: int, seed: int) -> tuple[dict, pd.DataFrame]:
    """Fit of the differences of one label.

    Parameters
    ----------
    difference : ndarray (n pairs,)
        Later minus earlier; pairs where it is not finite are left out.
    width : float
        Of a bin, in the label's unit.
    bootstrap, seed : int
        Resamples of whole stars for the interval of the quoted dispersion.

    Returns
    -------
    dict
        n_pairs, n_stars, bias and std (weighted), robust_sigma (of all pairs), `narrow`, `wide` (mean, sigma, share,
        amplitude; None without a fit), `sigma` (quoted: the narrow component's, or the robust one), `sigma_interval`,
        `sigma_single` (over sqrt 2: of one spectrum), `fit` ("two Gaussians" or "none: ..."), n_outside (of the bins).
    DataFrame
        lo, hi, weight, pairs of the bins.
    """
    good = np.isfinite(difference)
    d, w, star = difference[good], pairs["weight"].to_numpy()[good], pairs["star"].to_numpy()[good]
    out = {"n_pairs": len(d), "n_stars": len(np.unique(star)), "bias": None, "std": None, "robust_sigma": None, "narrow": None,
           "wide": None, "sigma": None, "sigma_interval": [None, None], "sigma_single": None, "fit": "none: no pair", "n_outside": 0}
    empty = pd.DataFrame({"lo": [], "hi": [], "weight": [], "pairs": []})
    if not len(d):
        return out, empty
    spread = robust_sigma(d)
    mean = float(np.average(d, weights=w))
    out |= {"bias": mean, "std": float(np.sqrt(np.average((d - mean) ** 2, weights=w))), "robust_sigma": spread, "sigma": spread}
    few = out["n_stars"] < MIN_STARS
    if few or not spread > 0:
        out |= {"sigma_single": float(spread / np.sqrt(2)), "fit": f"none: {out['n_stars']} stars, robust sigma quoted"}
        if not spread > 0:
            return out, empty
    edges, number = _bins(d, width, spread)
    inside, bins = number >= 0, len(edges) - 1
    table = pd.DataFrame({
        "lo": edges[:-1], "hi": edges[1:], "weight": np.bincount(number[inside], w[inside], bins),
        "pairs": np.bincount(number[inside], minlength=bins),
    })
    out["n_outside"] = int(len(d) - inside.sum())
    if few:
        return out, table
    # as many counts as pairs, so that the limits of the fit mean pairs; the weights' proportions stay
    scale = len(d) / w.sum()
    fit = fit_two_gaussians(edges, table["weight"].to_numpy() * scale, spread)
    if fit is None or fit["at_limit"]:
        why = "no convergence" if fit is None else "no narrow core"
        return out | {"sigma_single": float(spread / np.sqrt(2)), "fit": f"none: {why}, robust sigma quoted"}, table
    again = _resampled(number[inside], w[inside] * scale, star[inside], edges, spread, fit, bootstrap, seed)
    for name in ("narrow", "wide"):
        out[name] = fit[name] | {"amplitude": fit[name]["amplitude"] / scale}
    interval = [float(v) for v in np.percentile(again, (16, 84))] if len(again) > 1 else [None, None]
    sigma = fit["narrow"]["sigma"]
    return out | {"sigma": sigma, "sigma_interval": interval, "sigma_single": float(sigma / np.sqrt(2)), "fit": "two Gaussians"}, table


def _resampled(number, weight, star, edges, spread, fit, bootstrap, seed) -> list[float]:
    """Narrow widths of resamples of the stars, all from the first fit's solution."""
    rng, stars, found = np.random.default_rng(seed), int(star.max()) + 1, []
    for _ in range(bootstrap):
        times = np.bincount(rng.integers(0, stars, stars), minlength=stars)
        one = fit_two_gaussians(edges, np.bincount(number, weight * times[star], len(edges) - 1), spread, start=fit)
        if one is not None:
            found.append(one["narrow"]["sigma"])
    return found


def _network(stars_paths, prediction_paths, cfg: Mapping, seed: int, bootstrap: int) -> tuple[dict, dict, pd.DataFrame]:
    """Counts, dispersions and histograms of one network."""
    labels = list(cfg["labels"])
    columns = [ID, "raveid", "gaia_dr2_source_id", "obsdate", "snr_rave"]
    parts = []
    for frame in iter_observed(stars_paths, prediction_paths, columns, [f"{p}_cnn" for p in labels]):
        parts.append(frame[frame["snr_rave"].to_numpy(float) > cfg["validation"]["snr_min"]])
    frame = pd.concat(parts, ignore_index=True)
    pairs = pairs_of(frame)
    n = {"spectra": int(len(np.unique(pairs[["first", "second"]].to_numpy()))), "stars": int(pairs["star"].nunique()), "pairs": len(pairs)}
    found, tables = {}, []
    for k, label in enumerate(labels):
        values = frame[f"{label}_cnn"].to_numpy(np.float64)
        difference = values[pairs["second"].to_numpy()] - values[pairs["first"].to_numpy()]
        found[label], table = dispersion(difference, pairs, bin_width(label, cfg), bootstrap, seed + k)
        tables.append(table.assign(label=label))
    return n, found, pd.concat(tables, ignore_index=True)


def claims(n: Mapping, networks: Mapping) -> dict:
    """What Section 6.5 states: dispersions of the narrow component, and the number of spectra."""
    def sigma(network: str, label: str):
        return networks.get(network, {}).get(label, {}).get("sigma")

    ratios = [s for s in (sigma("photometry", p) for p in ABUNDANCES) if s is not None]
    found = {p: sigma("photometry", p) for p in MAIN}
    found |= {"abundances": [min(ratios), max(ratios)] if ratios else None}
    found |= {f"{p}_no_photometry": sigma("spectra", p) for p in ("teff", "logg")}
    own = networks.get("photometry", {})
    intervals = {p: own[p]["sigma_interval"] for p in MAIN if p in own}
    what = "dispersion of repeats: width of the narrow of two Gaussians; abundances: least and largest"
    return {
        "rave.repeats": {"value": found, "intervals": intervals, "n": n["stars"], "paper": PAPER, "what": what},
        "rave.n.repeats": {"value": n["spectra"], "stars": n["stars"], "pairs": n["pairs"], "paper": 80342,
                           "what": "spectra of stars with at least two beyond the least S/N"},
    }


def run_repeats(
    stars_paths: Iterable, prediction_paths: Mapping[str, Iterable], cfg: Mapping, simulated: bool, out_table, out_json, seed: int = 42
) -> dict:
    """Differences between spectra of the same star, with and without photometry.

    Parameters
    ----------
    stars_paths : iterable of path
        `rave/stars/{slice}.parquet`.
    prediction_paths : mapping
        Network (photometry, spectra) -> `rave/predictions/main/{network}/{slice}.parquet`.
    out_table : path
        network, label, lo, hi, weight (each star's pairs sum to one), pairs: the histograms that were fitted.
    out_json : path
        {n: {spectra, stars, pairs}, networks: {network: {label: ...}} (`dispersion`), claims, simulated}.
    """
    stars_paths, tables, networks, n = list(stars_paths), [], {}, {}
    bootstrap = int(cfg["validation"]["bootstrap"])
    for network, paths in prediction_paths.items():
        counted, networks[network], table = _network(stars_paths, list(paths), cfg, seed, bootstrap)
        n = n or counted
        tables.append(table.assign(network=network))
    if n["stars"] < MIN_STARS:
        log.warning("%d stars with several spectra: robust sigma in the place of the fit of Section 6.5", n["stars"])
    write_table(out_table, pd.concat(tables, ignore_index=True)[list(KINDS)].astype(KINDS), meta={"simulated": bool(simulated)})
    content = {"n": n, "networks": networks, "snr_min": cfg["validation"]["snr_min"], "claims": claims(n, networks)}
    write_json(out_json, content | {"simulated": bool(simulated)})
    return content
