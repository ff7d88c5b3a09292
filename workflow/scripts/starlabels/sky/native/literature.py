"""RAVE DR5 (CSV as in the Gaia archive), PASTEL (VizieR TSV, several rows a star) and nine lists of very metal-poor stars (CSV)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .. import labels, observe
from ..layout import running_number
from ..random import choice_of
from . import formats

RAVE_REPEAT_SHARE = 0.12
RAVE_COLUMNS = [
    "name", "rave", "ra", "dec", "snrk", "snrs", "teffk", "cteffk", "e_teffk", "loggk", "cloggk", "e_loggk", "m_h_k", "m_h_nk", "e__m_h_k",
    "fe_h_c", "o_fe_h_c", "qk", "chisqk", *(f"c{i}" for i in range(1, 21)),
]  # fmt: skip
PASTEL_UNITS = {
    "ID": "", "RAdeg": "deg", "DEdeg": "deg", "Bmag": "mag", "Vmag": "mag", "Jmag": "mag", "Hmag": "mag", "Ksmag": "mag", "Teff": "K",
    "e_Teff": "K", "logg": "[cm/s2]", "e_logg": "[cm/s2]", "[Fe/H]": "[Sun]", "e_[Fe/H]": "[Sun]", "bibcode": "", "Author": "",
}  # fmt: skip
PASTEL_VISITS = (0.45, 0.22, 0.13, 0.09, 0.06, 0.05)  # share of stars with 1 to 6 determinations

#: The nine lists: rows of the real one, and the names that a table of this kind gives to
#: (name, ra, dec, teff, logg, feh, feh_err).
VMP_LISTS = {
    "vmp_li2018": (10000, ("LAMOST", "_RA", "_DE", "Teff", "logg", "[Fe/H]", "e_[Fe/H]")),
    "vmp_lai2004": (110, ("Star", "RAdeg", "DEdeg", "Teff", "log_g", "[Fe/H]", "sigma_[Fe/H]")),
    "vmp_bonifacio2009": (30, ("Star", "_RAJ2000", "_DEJ2000", "Teff", "log(g)", "[Fe/H]", "e_[Fe/H]")),
    "vmp_yong2013": (190, ("Star", "RA_deg", "DEC_deg", "Teff", "logg", "[Fe/H]", "e_[Fe/H]")),
    "vmp_aoki2013": (137, ("SDSS", "RAdeg", "DEdeg", "Teff", "logg", "[Fe/H]", "e_[Fe/H]")),
    "vmp_yoon2016": (305, ("Name", "ra", "dec", "teff", "logg", "feh", "e_feh")),
    "vmp_francois2018": (30, ("Object", "RAJ2000", "DEJ2000", "TEFF", "LOGG", "FEH", "FEH_ERR")),
    "vmp_ezzeddine2020": (600, ("2MASS", "RAdeg", "DECdeg", "Teff-LTE", "logg-LTE", "[Fe/H]-LTE", "e_[Fe/H]-LTEc")),
    "vmp_limberg2021": (1500, ("Star", "RAJ2000", "DEJ2000", "Teff", "logg", "Fe_H", "e_Fe_H")),
}
VMP_TWICE_SHARE = 0.06  # stars that stand in a second list too
#: Lists of extremely metal-poor stars, and the highest published [Fe/H] (noise apart) that they take.
VMP_EXTREME = {"vmp_bonifacio2009": -2.3, "vmp_yong2013": -2.0, "vmp_aoki2013": -2.3, "vmp_francois2018": -2.3}


def rave5(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """One row a spectrum; 12 % of the stars were observed 2 to 6 times. 7 % of the spectra did not converge (`qk` not 0)."""
    chosen = stars[labels.selected("rave5", stars, config)].reset_index(drop=True)
    chance = observe.draw(config, "rave5/visits", chosen["star_index"])
    visits = np.where(chance < RAVE_REPEAT_SHARE, 2 + np.floor(5.0 * (chance / RAVE_REPEAT_SHARE) ** 3), 1).astype(int)
    return pd.concat([_rave_visit(chosen[visits > k].reset_index(drop=True), config, k) for k in range(6)], ignore_index=True)


def _rave_visit(stars: pd.DataFrame, config: Mapping, visit: int) -> pd.DataFrame:
    index = stars["star_index"].to_numpy()
    values = labels.measured("rave5", stars, config, visit)
    chance = observe.draw(config, f"rave5/chance/{visit}", index, 3)
    ra, dec = observe.catalogue_position(config, "rave5", stars)
    frame = pd.DataFrame({"ra": ra.round(6), "dec": dec.round(6)})
    running = running_number(index)
    field = np.array(
        [f"{int(a / 15):02d}{int(a * 4 % 60):02d}{'m' if d < 0 else 'p'}{int(abs(d)):02d}" for a, d in zip(ra, dec, strict=True)], object
    )
    days = (12150 + visit * 400 + running % 350).astype("datetime64[D]").astype(str)
    names = [f"{d.replace('-', '')}_{f}_{1 + r % 997:03d}" for d, f, r in zip(days, field, running.tolist(), strict=True)]
    frame["name"] = pd.array(names, dtype="str")
    frame["rave"] = formats.sexagesimal(ra, dec, "J", 1, 0)
    scatter = np.exp(0.3 * observe.draw(config, f"rave5/snr/{visit}", index, normal=True))
    snr = 45.0 * 10.0 ** (-0.2 * (stars["gaia_g"].to_numpy() - 11.5)) * scatter
    frame["snrk"], frame["snrs"] = np.clip(snr, 10.0, 150.0).round(1), np.clip(snr * 0.95, 10.0, 150.0).round(1)
    for label, raw, calibrated, error, shift in (
        ("teff", "teffk", "cteffk", "e_teffk", -40.0),
        ("logg", "loggk", "cloggk", "e_loggk", 0.1),
        ("feh", "m_h_k", "m_h_nk", "e__m_h_k", -0.1),
    ):
        digits = 0 if label == "teff" else 2
        frame[calibrated] = values[label].round(digits)
        frame[raw] = (values[label] + shift).round(digits)
        frame[error] = values[f"{label}_err"].round(digits if label == "teff" else 3)
    frame["fe_h_c"] = np.where(chance[:, 0] < 0.3, np.nan, values["feh"] + 0.1 * (chance[:, 1] - 0.5)).round(2)
    frame["o_fe_h_c"] = np.floor(10 + 30 * chance[:, 1]).astype(int)
    frame["qk"] = np.select([chance[:, 2] < 0.93, chance[:, 2] < 0.96, chance[:, 2] < 0.98], [0, 1, 2], 4)
    frame["chisqk"] = (500 + 1500 * chance[:, 1]).round(1)
    normal = np.where(chance[:, 0] < 0.93, "n", "b")
    for i in range(1, 21):
        frame[f"c{i}"] = normal
    return frame[RAVE_COLUMNS]


def pastel(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """1 to 6 determinations a star, each with errors of its own; a tenth have no [Fe/H], a third no stated error."""
    chosen = stars[labels.selected("pastel", stars, config)].reset_index(drop=True)
    visits = 1 + choice_of(observe.draw(config, "pastel/visits", chosen["star_index"]), PASTEL_VISITS)
    frame = pd.concat([_determination(chosen[visits > k].reset_index(drop=True), config, k) for k in range(6)], ignore_index=True)
    return frame.sort_values(["ID", "bibcode"], kind="stable", ignore_index=True)


def _determination(stars: pd.DataFrame, config: Mapping, visit: int) -> pd.DataFrame:
    index = stars["star_index"].to_numpy()
    values = labels.measured("pastel", stars, config, visit)
    chance = observe.draw(config, f"pastel/chance/{visit}", index, 4)
    ra, dec = observe.catalogue_position(config, "pastel", stars)
    frame = pd.DataFrame({"ID": formats.sexagesimal(ra, dec, "SIM J", 2, 1), "RAdeg": ra.round(5), "DEdeg": dec.round(5)})
    g, colour = stars["gaia_g"].to_numpy(), (stars["gaia_bp"] - stars["gaia_rp"]).to_numpy()
    # rough Johnson magnitudes; they are there because the table has them
    frame["Vmag"] = (g + 0.02 + 0.17 * colour**2).round(2)
    frame["Bmag"] = (frame["Vmag"] + 0.85 * colour).round(2)
    for name, band in (("Jmag", "tmass_j"), ("Hmag", "tmass_h"), ("Ksmag", "tmass_ks")):
        frame[name] = stars[band].to_numpy().round(3)
    no_feh, no_error = chance[:, 0] < 0.10, chance[:, 1] < 0.33
    frame["Teff"], frame["logg"] = values["teff"].round(0), values["logg"].round(2)
    frame["[Fe/H]"] = np.where(no_feh, np.nan, values["feh"].round(2))
    frame["e_Teff"] = np.where(no_error, np.nan, values["teff_err"].round(0))
    frame["e_logg"] = np.where(no_error, np.nan, values["logg_err"].round(2))
    frame["e_[Fe/H]"] = np.where(no_error | no_feh, np.nan, np.maximum(values["feh_err"].round(2), 0.01))
    year = 1985 + visit * 5 + np.floor(5 * chance[:, 2]).astype(int)
    papers = [f"{y}Sim..{100 + visit:03d}..{1 + int(900 * c):03d}X" for y, c in zip(year.tolist(), chance[:, 3], strict=True)]
    frame["bibcode"] = pd.array(papers, dtype="str")
    frame["Author"] = pd.array([f"Simulated {visit + 1}"] * len(frame), dtype="str")
    return frame[list(PASTEL_UNITS)]


def write_pastel(path: str | Path, frame: pd.DataFrame) -> None:
    """Write VizieR's tab-separated form: comments, names, units, dashes, rows."""
    names = list(PASTEL_UNITS)
    above = "#\n#   Simulated determinations in the layout of VizieR's B/pastel/pastel\n#\n"
    marks = "\t".join(PASTEL_UNITS[c] or " " for c in names) + "\n" + "\t".join("-" * max(len(c), 6) for c in names) + "\n"
    formats.write_text(path, frame, separator="\t", header=False, above=above + "\t".join(names) + "\n" + marks)


def vmp(stars: pd.DataFrame, config: Mapping) -> dict[str, pd.DataFrame]:
    """The nine lists, each with column names of its own.

    The lists share the stars in proportion to the sizes of the real ones; 6 % of the stars stand in two. Names are the
    position behind a prefix of the list.
    """
    chosen = stars[labels.selected("vmp", stars, config)].reset_index(drop=True)
    index = chosen["star_index"].to_numpy()
    pick = observe.draw(config, "vmp/list", index, 3)
    sizes = np.array([size for size, _ in VMP_LISTS.values()], float)
    first = _suitable(choice_of(pick[:, 0], sizes), chosen)
    other = np.where(first == 0, _suitable(1 + choice_of(pick[:, 1], sizes[1:]), chosen), 0)
    second = np.where((pick[:, 2] < VMP_TWICE_SHARE) & (other != first), other, -1)
    tables = {}
    for number, (dataset, (_, names)) in enumerate(VMP_LISTS.items()):
        part = chosen[(first == number) | (second == number)].reset_index(drop=True)
        values = labels.measured("vmp", part, config, number)
        ra, dec = observe.catalogue_position(config, "vmp", part, salt=f"/{number}")
        prefix = "2MASS J" if names[0] == "2MASS" else "J" if names[0] in ("LAMOST", "SDSS") else "SIM "
        columns = [
            formats.sexagesimal(ra, dec, prefix, 2, 1), ra.round(6), dec.round(6), values["teff"].round(0), values["logg"].round(2),
            values["feh"].round(2), np.maximum(values["feh_err"].round(2), 0.01),
        ]  # fmt: skip
        tables[dataset] = pd.DataFrame(dict(zip(names, columns, strict=True)))
    return tables


def _suitable(number: np.ndarray, stars: pd.DataFrame) -> np.ndarray:
    """A list of extremely metal-poor stars passes its richer ones on to the first, largest list."""
    limits = np.array([VMP_EXTREME.get(name, np.inf) for name in VMP_LISTS])
    return np.where(stars["feh"].to_numpy() + labels.VMP_SHIFT > limits[number], 0, number)


def write_csv(path: str | Path, frame: pd.DataFrame) -> None:
    """Write CSV; missing values are empty."""
    formats.write_text(path, frame)
