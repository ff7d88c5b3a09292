"""Effective temperatures against the infrared flux method of RAVE DR6 (Section 6.3, Figure 16)."""

from collections.abc import Iterable, Mapping

from .against_dr6 import Reference, compare, write_reference
from .agreement import claim, intervals

SIGN = "label or CNN minus IRFM, as in Section 6.3 (hot stars -250 K: ours are cooler)"


def run_irfm(
    stars: Iterable, photometry: Iterable, spectra: Iterable, training, trained_photometry, trained_spectra, cfg: Mapping, simulated: bool,
    out_json, out_density, out_hist, seed: int = 42,
) -> dict:
    """Compare Teff with that of the infrared flux method, hot and cool stars apart (B-22); files as `write_reference` says."""
    reference = Reference("IRFM", "teff", "teff_irfm", float(cfg["validation"]["teff_hot"]), ("hot", "cool"), SIGN)
    found = compare(reference, stars, photometry, spectra, training, trained_photometry, trained_spectra, cfg)
    return write_reference(reference, found, claims, cfg, simulated, out_json, out_density, out_hist, seed)


def claims(panels: Mapping) -> dict:
    """Statements of Section 6.3, all on the labels of the training sample but the number of observed stars."""
    everyone, hot, cool = (panels["labels"][part] for part in ("all", "hot", "cool"))

    def scatter(found, paper, what):
        return claim({"bias": found["bias"], "sigma": found["sigma"]}, paper, found["n"], what, "K",
                     intervals(found, bias="bias", sigma="sigma"), sign=SIGN)

    n = panels["predicted"]["all"]["n"]
    return {
        "rave.irfm.hot": scatter(hot, {"bias": -250, "sigma": 260}, "labels of hot stars against IRFM Teff"),
        "rave.irfm.cool": scatter(cool, {"bias": -20, "sigma": 90}, "labels of cool stars against IRFM Teff"),
        "rave.irfm.all": scatter(everyone, {"sigma": 220}, "labels of all training stars against IRFM Teff (the paper: 3651)"),
        "rave.n.irfm": claim(n, 371166, n, "observed spectra with an IRFM Teff beyond the least S/N"),
    }
