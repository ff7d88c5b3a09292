"""What photometry and parallaxes add to the spectra (Section 7, Figure 23)."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ...io import read_table, write_json, write_table
from ...metrics import Density2D
from ..rows import normal, parallax_good
from .agreement import VALUES, claim, intervals, measured
from .both_networks import observed_both
from .literature import AGAINST

log = logging.getLogger(__name__)

SUFFIX = {"photometry": "cnn", "spectra": "spectra"}
KIEL = {"teff": (3000.0, 8500.0, 50.0), "logg": (-1.0, 6.0, 0.05)}
STARS = ["snr_rave", "parallax_error_ratio", "class_normal", "logg_bdasp", "teff_irfm"]
GAIN = ("bdasp", "k2", "hr_teff", "hr_logg")                   # scatters of Teff and log g that Section 7 compares
BESIDE = ("irfm",)                                             # known here too; the paper says nothing of it
KINDS = {"panel": "str", "network": "str", "x_lo": "float64", "x_hi": "float64", "y_lo": "float64", "y_hi": "float64", "count": "int64",
         "mh": "float64"}


class Kiel:
    """Number of stars and mean [M/H] in the cells of a Kiel diagram; pieces may be added in any number."""

    def __init__(self):
        edges = [np.linspace(lo, hi, round((hi - lo) / cell) + 1) for lo, hi, cell in KIEL.values()]
        self.cells = Density2D(*edges)
        self._sum = np.zeros(self.cells.counts.shape)

    def add(self, teff: np.ndarray, logg: np.ndarray, mh: np.ndarray) -> None:
        """Count stars (K, dex, dex); those without one of the three are left out."""
        good = np.isfinite(teff) & np.isfinite(logg) & np.isfinite(mh)
        self.cells.add(teff[good], logg[good])
        self._sum += np.histogram2d(teff[good], logg[good], [self.cells.x_edges, self.cells.y_edges], weights=mh[good])[0]

    def table(self) -> pd.DataFrame:
        """x_lo, x_hi (Teff), y_lo, y_hi (log g), count, mh (mean [M/H] of the cell's stars)."""
        table = self.cells.table()
        return table.assign(mh=self._sum[np.nonzero(self.cells.counts)] / table["count"].to_numpy())


def run_photometry_gain(
    stars: Iterable, photometry: Iterable, spectra: Iterable, k2_points, literature_points, cfg: Mapping, simulated: bool, out_density,
    out_json, seed: int = 42,
) -> dict:
    """Compare the two networks on the same stars.

    Parameters
    ----------
    stars, photometry, spectra : iterable of path
        As `observed_both`.
    k2_points, literature_points : path
        Tables of `run_k2` and `run_literature`.
    out_density : path
        panel (kiel, bdasp), network (photometry, spectra), x_lo, x_hi, y_lo, y_hi, count, mh (mean of a cell; kiel only).
    out_json : path
        `n` (S/N > validation.snr_components, parallax error and class as Figure 23 says), `panels` {bdasp, irfm, k2, hr_teff,
        hr_logg, hr_mh: {photometry, spectra: statistics}}, `teff_error` (mean dispersion over the networks), `claims`,
        `simulated`. Of the comparisons with BDASP and IRFM the same stars count; those with K2 and the literature are the ones of
        Sections 6.1 and 6.4.
    """
    lo, hi, cell = VALUES["logg"]
    edges = np.linspace(lo, hi, round((hi - lo) / cell) + 1)
    kiel, planes = {k: Kiel() for k in SUFFIX}, {k: Density2D(edges, edges) for k in SUFFIX}
    residual = {panel: {k: [] for k in SUFFIX} for panel in ("bdasp", "irfm")}
    errors: dict[str, list[np.ndarray]] = {k: [] for k in SUFFIX}
    n = 0
    for frame in observed_both(stars, photometry, spectra, STARS, ["teff_cnn", "logg_cnn", "mh_cnn", "teff_cnn_err"]):
        frame = frame[(frame["snr_rave"] > cfg["validation"]["snr_components"]).to_numpy() & parallax_good(frame, cfg) & normal(frame)]
        n += len(frame)
        for network, suffix in SUFFIX.items():
            teff, logg, mh = (frame[f"{p}_{suffix}"].to_numpy(np.float64) for p in ("teff", "logg", "mh"))
            kiel[network].add(teff, logg, mh)
            planes[network].add(frame["logg_bdasp"].to_numpy(np.float64), logg)
            residual["bdasp"][network].append(logg - frame["logg_bdasp"].to_numpy(np.float64))
            residual["irfm"][network].append(teff - frame["teff_irfm"].to_numpy(np.float64))
            errors[network].append(frame[f"teff_{suffix}_err"].to_numpy(np.float64))
    panels = {p: {k: measured(np.concatenate(v), cfg, seed) for k, v in by.items()} for p, by in residual.items()}
    panels |= _from_points(k2_points, literature_points, cfg, seed)
    error = {k: _mean(np.concatenate(v)) for k, v in errors.items()}
    error["increase"] = error["spectra"] - error["photometry"]
    log.info("with and without photometry: %d spectra", n)
    tables = [part.assign(panel=panel, network=k) for panel, by in (("kiel", kiel), ("bdasp", planes)) for k, part in
              ((k, item.table()) for k, item in by.items())]
    density = pd.concat(tables, ignore_index=True).reindex(columns=list(KINDS)).astype(KINDS)
    content = {"n": n, "snr_min": cfg["validation"]["snr_components"], "panels": panels, "teff_error": error,
               "claims": claims(n, panels, error), "simulated": bool(simulated)}
    write_table(out_density, density, meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else np.nan


def _from_points(k2_points, literature_points, cfg: Mapping, seed: int) -> dict:
    k2 = read_table(k2_points, ["panel", "logg_k2", "logg"])
    parts = {"photometry": k2[k2["panel"] == "predicted"], "spectra": k2[k2["panel"] == "predicted_spectra"]}
    found = {"k2": {k: measured((part["logg"] - part["logg_k2"]).to_numpy(), cfg, seed) for k, part in parts.items()}}
    table = read_table(literature_points)
    for p in ("teff", "logg", "mh"):
        found[f"hr_{p}"] = {k: measured((table[f"{p}_{suffix}"] - table[AGAINST[p]]).to_numpy(), cfg, seed) for k, suffix in SUFFIX.items()}
    return found


def claims(n: int, panels: Mapping, error: Mapping) -> dict:
    """Statements of Section 7: the gain against BDASP, the errors of Teff, and whether each scatter of Teff and log g falls."""
    compared = {}
    for panel in (*GAIN, *BESIDE):
        sigma = {k: panels[panel][k]["sigma"] for k in SUFFIX}
        known = all(np.isfinite(v) for v in sigma.values())
        compared[panel] = {"sigma": sigma["photometry"], "sigma_no_photometry": sigma["spectra"], "n": panels[panel]["photometry"]["n"],
                           "smaller": ("yes" if sigma["photometry"] < sigma["spectra"] else "no") if known else None}
    answers = [compared[panel]["smaller"] for panel in GAIN if compared[panel]["smaller"]]
    bdasp = panels["bdasp"]
    offset = {k: abs(bdasp[k]["bias"]) for k in SUFFIX}
    return {
        "rave.n.fig23": claim(n, 198106, n, "spectra of the Kiel diagrams of Figure 23"),
        "rave.bdasp.gain": claim(
            {"sigma_no_photometry": bdasp["spectra"]["sigma"], "sigma": bdasp["photometry"]["sigma"]},
            {"sigma_no_photometry": 0.23, "sigma": 0.09}, bdasp["photometry"]["n"], "log g against BDASP for the stars of Figure 23", "dex",
            intervals(bdasp["spectra"], sigma="sigma_no_photometry") | intervals(bdasp["photometry"], sigma="sigma"),
        ),
        "rave.photometry_gain": claim(
            all(a == "yes" for a in answers) if answers else None, True, n,
            "every measured scatter of Teff and log g that Section 7 compares is smaller with photometry", comparisons=compared,
            judged=list(GAIN),
        ),
        "rave.photometry_gain.teff_error": claim(error["increase"], 20, n, "mean error of Teff, spectra alone minus with photometry", "K"),
        "rave.photometry_gain.bdasp_offset": claim(
            offset["photometry"] / offset["spectra"] if offset["spectra"] else np.nan, 0.25, bdasp["photometry"]["n"],
            "mean offset of log g from BDASP, with photometry over spectra alone",
        ),
    }
