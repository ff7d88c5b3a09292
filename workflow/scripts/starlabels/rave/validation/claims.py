"""What Guiglion et al. (2020) state, beside what a run finds."""

from collections.abc import Mapping

# Bias and standard deviation, CNN minus APOGEE, of the authors' public run (the code of their Figure 6)
FIG6_TRAIN = {
    "teff": (5.6, 67.2), "logg": (0.0113, 0.0967), "mh": (-0.0147, 0.0490), "feh": (-0.0065, 0.0498), "alpha_m": (0.0020, 0.0200),
    "si_fe": (0.0041, 0.0280), "al_fe": (-0.0100, 0.0423), "mg_fe": (0.0017, 0.0317), "ni_fe": (-0.0012, 0.0244),
}
FIG6_TEST = {
    "teff": (8.4, 93.9), "logg": (0.0166, 0.1328), "mh": (-0.0047, 0.0872), "feh": (0.0048, 0.0890), "alpha_m": (0.0030, 0.0503),
    "si_fe": (0.0092, 0.0582), "al_fe": (-0.0053, 0.0877), "mg_fe": (0.0016, 0.0834), "ni_fe": (-0.0043, 0.0447),
}
TWINS = 38                              # of 235 test spectra, in the authors' public sample


def pair_claim(statistics: Mapping[str, Mapping], paper: Mapping[str, tuple]) -> dict:
    """Bias and sigma of every label: {"value": {label: [bias, sigma]}, "intervals": {label: [[...], [...]]}, "paper": {...}}."""
    found = {p: s for p, s in statistics.items() if s}
    return {
        "value": {p: [s["bias"], s["sigma"]] for p, s in found.items()},
        "intervals": {p: [s["bias_interval"], s["sigma_interval"]] for p, s in found.items()},
        "paper": {p: list(v) for p, v in paper.items() if p in found},
    }
