"""Surface gravities against asteroseismology of K2 (Section 6.1, Figure 14)."""

import logging
from collections.abc import Iterable, Mapping

import pandas as pd

from ...io import write_json, write_table
from .agreement import claim, intervals, measured
from .both_networks import observed_both, training_both

log = logging.getLogger(__name__)

PANELS = ("labels", "trained", "predicted", "trained_spectra", "predicted_spectra")
COLUMNS = ["panel", "rave_obs_id", "raveid", "snr_rave", "logg_k2", "logg"]
SIGN = "label or CNN minus K2; Section 6.1 prints -0.03 dex for the labels without saying which is subtracted"


def k2_points(stars: Iterable, photometry: Iterable, spectra: Iterable, training, trained_photometry, trained_spectra=None) -> pd.DataFrame:
    """Every pair of log g that Figure 14 and the spectra-alone comparison show.

    `labels` and the trained panels hold the training part (not the test part); the predicted ones every star of the observed
    sample, as Section 6.1 names no further cut.

    Returns
    -------
    DataFrame
        panel, rave_obs_id, raveid, snr_rave, logg_k2, logg (dex).
    """
    rows = training_both(training, trained_photometry, trained_spectra)
    rows = rows[(rows["role"] == "train") & rows["logg_k2"].notna()]
    pieces = observed_both(stars, photometry, spectra, ["raveid", "snr_rave", "logg_k2"], ["logg_cnn"])
    observed = pd.concat([piece[piece["logg_k2"].notna()] for piece in pieces], ignore_index=True)
    parts = {
        "labels": rows.assign(found=rows["logg"]), "trained": rows.assign(found=rows["logg_cnn"]),
        "predicted": observed.assign(found=observed["logg_cnn"]), "trained_spectra": rows.assign(found=rows["logg_spectra"]),
        "predicted_spectra": observed.assign(found=observed["logg_spectra"]),
    }
    kept = [part.assign(panel=name, logg=part["found"])[COLUMNS] for name, part in parts.items()]
    table = pd.concat(kept, ignore_index=True)
    table = table[table["logg"].notna()].reset_index(drop=True)
    return table.astype({c: "str" if c in ("panel", "rave_obs_id", "raveid") else "float64" for c in COLUMNS})


def run_k2(
    stars: Iterable, photometry: Iterable, spectra: Iterable, training, trained_photometry, trained_spectra, cfg: Mapping, simulated: bool,
    out_table, out_json, seed: int = 42,
) -> dict:
    """Write the pairs and their statistics.

    JSON: `panels` {labels, trained, predicted, trained_spectra, predicted_spectra: statistics, n_stars}, `predicted_snr` (the
    same beyond `validation.snr_min`), `claims`, `sign`, `simulated`.
    """
    points = k2_points(stars, photometry, spectra, training, trained_photometry, trained_spectra)
    panels, beyond = {}, {}
    for name in PANELS:
        part = points[points["panel"] == name]
        residual = (part["logg"] - part["logg_k2"]).to_numpy()
        panels[name] = measured(residual, cfg, seed) | {"n_stars": part["raveid"].nunique()}
        if name.startswith("predicted"):
            beyond[name] = measured(residual[part["snr_rave"].to_numpy() > cfg["validation"]["snr_min"]], cfg, seed)
    log.info("K2: %d observed spectra of %d stars", panels["predicted"]["n"], panels["predicted"]["n_stars"])
    content = {
        "parameter": "logg", "reference": "K2", "panels": panels,
        "predicted_snr": {"snr_min": cfg["validation"]["snr_min"], **beyond},
        "claims": claims(panels), "sign": SIGN, "simulated": bool(simulated),
    }
    write_table(out_table, points, meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def claims(panels: Mapping) -> dict:
    """Statements of Sections 6.1 and 7 about K2."""
    labels, trained, predicted, blind = (panels[k] for k in ("labels", "trained", "predicted", "predicted_spectra"))

    def scatter(found, paper, what):
        return claim({"bias": found["bias"], "sigma": found["sigma"]}, paper, found["n"], what, "dex",
                     intervals(found, bias="bias", sigma="sigma"), sign=SIGN)

    return {
        "rave.k2.labels": scatter(labels, {"bias": -0.03, "sigma": 0.04}, "APOGEE labels against K2 log g"),
        "rave.k2.trained": scatter(trained, {"sigma": 0.09}, "trained log g against K2"),
        "rave.k2.predicted": scatter(predicted, {"sigma": 0.14}, "predicted log g against K2"),
        "rave.k2.no_photometry": scatter(blind, {"sigma": 0.26}, "predicted log g against K2, spectra alone"),
        "rave.n.k2": claim(predicted["n"], 433, predicted["n"], "observed spectra with a K2 log g", n_stars=predicted["n_stars"]),
    }
