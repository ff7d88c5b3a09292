"""Table 1 of Gu et al. 2025: reddening coefficients, as the run used them (Section 2.1)."""

import pandas as pd

# band: survey, name, coefficient of the paper's table and where it is from
PAPER = {
    "galex_nuv": ("GALEX", "NUV", 7.294, "Zhang & Yuan (2023)"), "sages_u": ("SAGES", "u", 4.324, "Tan et al. (2022)"),
    "sages_v": ("SAGES", "v", 3.917, "Tan et al. (2022)"), "gaia_g": ("Gaia", "G", 2.364, "Zhang & Yuan (2023)"),
    "gaia_bp": ("Gaia", "Bp", 2.998, "Zhang & Yuan (2023)"), "gaia_rp": ("Gaia", "Rp", 1.737, "Zhang & Yuan (2023)"),
    "tmass_j": ("2MASS", "J", 0.748, "Zhang & Yuan (2023)"), "tmass_h": ("2MASS", "H", 0.453, "Zhang & Yuan (2023)"),
    "tmass_ks": ("2MASS", "K", 0.306, "Zhang & Yuan (2023)"), "wise_w1": ("WISE", "W1", 0.194, "Zhang & Yuan (2023)"),
    "wise_w2": ("WISE", "W2", 0.138, "Zhang & Yuan (2023)"),
}


def table(inputs: dict, cfg: dict, simulated: bool) -> pd.DataFrame:
    """A row a band of the data sets, in the paper's order; reads only the configuration.

    The source is named where the coefficient is the paper's; any other coefficient is the configuration's own.
    """
    used = list(dict.fromkeys(b for entry in cfg["data_sets"] for b in entry["bands"]))
    rows = []
    for band in [*(b for b in PAPER if b in used), *(b for b in used if b not in PAPER)]:
        value = cfg["bands"][band]["reddening"]
        survey, name, published, source = PAPER.get(band, (band.split("_")[0].upper(), cfg["bands"][band]["tag"], None, ""))
        rows.append((name, survey, f"{value:.3f}", source if published is not None and value == published else "configuration"))
    return pd.DataFrame(rows, columns=["Band", "Survey", "Reddening coefficient", "Citation"])
