"""Surface gravities against BDASP of RAVE DR6 (Section 6.2, Figure 15)."""

from collections.abc import Iterable, Mapping

import numpy as np

from .against_dr6 import Reference, compare, write_reference
from .agreement import claim, intervals

SIGN = "label or CNN minus BDASP, as in Section 6.2 (dwarfs +0.1 dex: ours are higher)"


def run_bdasp(
    stars: Iterable, photometry: Iterable, spectra: Iterable, training, trained_photometry, trained_spectra, cfg: Mapping, simulated: bool,
    out_json, out_density, out_hist, seed: int = 42,
) -> dict:
    """Compare log g with that of BDASP, dwarfs and giants apart (B-21); files as `write_reference` says."""
    reference = Reference("BDASP", "logg", "logg_bdasp", float(cfg["validation"]["logg_giant"]), ("dwarf", "giant"), SIGN)
    found = compare(reference, stars, photometry, spectra, training, trained_photometry, trained_spectra, cfg)
    return write_reference(reference, found, claims, cfg, simulated, out_json, out_density, out_hist, seed)


def claims(panels: Mapping) -> dict:
    """Statements of Section 6.2."""
    labels, trained, predicted = (panels[k]["all"] for k in ("labels", "trained", "predicted"))
    trained_alone, predicted_alone = panels["trained_spectra"]["all"], panels["predicted_spectra"]["all"]

    sigma = {"labels": labels["sigma"], "trained": trained["sigma"]}

    def scatter(found, paper, what, blind=None, **more):
        value = {"bias": found["bias"], "sigma": found["sigma"]} | ({"sigma_no_photometry": blind["sigma"]} if blind else {})
        spread = intervals(found, bias="bias", sigma="sigma") | (intervals(blind, sigma="sigma_no_photometry") if blind else {})
        return claim(value | more, paper, found["n"], what, "dex", spread, sign=SIGN)

    return {
        "rave.bdasp.labels": scatter(
            labels, {"bias": 0.05, "sigma": 0.14, "dwarf_bias": 0.1, "giant_bias": 0.0}, "APOGEE labels against BDASP log g",
            dwarf_bias=panels["labels"]["dwarf"]["bias"], giant_bias=panels["labels"]["giant"]["bias"],
        ),
        "rave.bdasp.trained": scatter(
            trained, {"bias": 0.04, "sigma": 0.09, "sigma_no_photometry": 0.17}, "trained against BDASP log g", trained_alone
        ),
        "rave.bdasp.training_gain": claim(
            bool(sigma["trained"] < sigma["labels"]) if np.isfinite(list(sigma.values())).all() else None, True, trained["n"],
            "the scatter against BDASP falls from labels to trained", sigma=sigma,
        ),
        "rave.bdasp.observed": scatter(
            predicted, {"sigma": 0.12, "sigma_no_photometry": 0.37}, "predicted against BDASP log g", predicted_alone
        ),
        "rave.n.bdasp": claim(predicted["n"], 388299, predicted["n"], "observed spectra with a BDASP log g beyond the least S/N"),
    }
