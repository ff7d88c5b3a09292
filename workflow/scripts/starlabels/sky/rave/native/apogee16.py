"""APOGEE DR16 allStar (HDU 1) of the stars in common: FITS with arrays, -9999 where a calibrated value is missing, Gaia DR2 ids.

Noise of the labels as real stars have it in the common sample (design section 6.2.1): Student-t, with one number a star that all
alpha elements share and one that aluminium, nickel and silicon share.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ... import observe
from ...native import formats
from ...observe import draw
from ...random import student_of
from .pipelines import ERROR_SCATTER, switched

LOGG_GIANT = 3.5
STAR_WARN, STAR_BAD, DUPLICATE = 1 << 7, 1 << 23, 1 << 4
BAD_SHARE, WARN_SHARE, AGAIN_SHARE, SHORT_SHARE, NO_ID_SHARE = 0.015, 0.050, 0.02, 0.010, 0.003
ELEMENT_LOST_SHARE = {"AL_FE": 0.015, "NI_FE": 0.010, "SI_FE": 0.003, "MG_FE": 0.003, "FE_H": 0.004}
MISSING = -9999.0
LABELS = ("TEFF", "LOGG", "M_H", "FE_H", "ALPHA_M", "MG_FE", "SI_FE", "AL_FE", "NI_FE")
FORMATS = {
    "APOGEE_ID": "18A", "TELESCOPE": "6A", "LOCATION_ID": "J", "FIELD": "19A", "J": "E", "J_ERR": "E", "H": "E", "H_ERR": "E", "K": "E",
    "K_ERR": "E", "RA": "D", "DEC": "D", "GLON": "D", "GLAT": "D", "SURVEY": "35A", "NVISITS": "J", "SNR": "E", "STARFLAG": "J",
    "ANDFLAG": "J", "VHELIO_AVG": "E", "VSCATTER": "E", "EXTRATARG": "J", "ASPCAP_CHI2": "E", "ASPCAP_CLASS": "20A", "PARAM": "9E",
    "FPARAM": "9E", "PARAMFLAG": "9J", "ASPCAPFLAG": "J", "ASPCAPFLAGS": "133A", "TEFF": "E", "TEFF_ERR": "E", "LOGG": "E",
    "LOGG_ERR": "E", "M_H": "E", "M_H_ERR": "E", "ALPHA_M": "E", "ALPHA_M_ERR": "E", "X_H": "26E", "X_H_ERR": "26E", "X_M": "26E",
    "MG_FE": "E", "MG_FE_ERR": "E", "MG_FE_FLAG": "J", "AL_FE": "E", "AL_FE_ERR": "E", "AL_FE_FLAG": "J", "SI_FE": "E", "SI_FE_ERR": "E",
    "SI_FE_FLAG": "J", "FE_H": "E", "FE_H_ERR": "E", "FE_H_FLAG": "J", "NI_FE": "E", "NI_FE_ERR": "E", "NI_FE_FLAG": "J",
    "GAIA_SOURCE_ID": "K", "GAIA_PARALLAX": "E", "GAIA_PARALLAX_ERROR": "E", "GAIA_PHOT_G_MEAN_MAG": "E", "GAIA_PHOT_BP_MEAN_MAG": "E",
    "GAIA_PHOT_RP_MEAN_MAG": "E",
}  # fmt: skip


def labels(stars: pd.DataFrame, config: Mapping, visit: int = 0) -> pd.DataFrame:
    """The nine labels and their errors, native names, before anything goes missing.

    Parameters
    ----------
    visit : int
        A second entry of a star has noise of its own.
    """
    index, n = stars["star_index"].to_numpy(), len(stars)
    giant, on = (stars["logg"] < LOGG_GIANT).to_numpy(), switched(config, "apogee16")
    u = observe.draw(config, f"rave/apogee/elements/{visit}", index, 9)
    t = np.where(giant[:, None], student_of(u, 5), student_of(u, 3)) if n else np.empty((0, 9))
    gauss = draw(config, f"rave/apogee/parameters/{visit}", index, 2, normal=True)

    def scale(giants, dwarfs):
        return np.where(giant, giants, dwarfs)

    alpha_error, common = scale(0.009, 0.018) * t[:, 0], scale(0.005, 0.014) * t[:, 1]
    iron = scale(0.009, 0.012)
    own = scale(0.004, 0.005)
    true = {name: stars[name].to_numpy() for name in ("teff", "logg", "feh", "alpha_fe", "mg_fe", "si_fe", "al_fe", "ni_fe")}
    share_mg, share_si = scale(1.3, 1.55), scale(0.85, 1.1)
    rest = {"MG_FE": scale(0.013, 0.018), "SI_FE": scale(0.014, 0.022), "AL_FE": scale(0.024, 0.034), "NI_FE": scale(0.012, 0.024)}
    noise = {
        "TEFF": scale(25.0, 50.0) * gauss[:, 0],
        "LOGG": scale(0.04, 0.05) * gauss[:, 1],
        "M_H": iron * t[:, 2] + own * t[:, 3],
        "FE_H": iron * t[:, 2] + own * t[:, 4],
        "ALPHA_M": alpha_error,
        "MG_FE": share_mg * alpha_error + rest["MG_FE"] * t[:, 5],
        "SI_FE": share_si * alpha_error + 0.8 * common + rest["SI_FE"] * t[:, 6],
        "AL_FE": 0.8 * alpha_error + 2.2 * common + rest["AL_FE"] * t[:, 7],
        "NI_FE": 0.25 * alpha_error + 1.3 * common + rest["NI_FE"] * t[:, 8],
    }
    offset = {"M_H": 0.010, "ALPHA_M": scale(0.0, -0.008), "MG_FE": scale(0.0, -0.012), "AL_FE": scale(0.0, -0.010)}
    alpha_scale, common_scale = scale(0.009, 0.018), scale(0.005, 0.014)
    sigma = {
        "TEFF": scale(25.0, 50.0), "LOGG": scale(0.04, 0.05), "M_H": np.hypot(iron, own), "FE_H": np.hypot(iron, own),
        "ALPHA_M": alpha_scale, "MG_FE": np.hypot(share_mg * alpha_scale, rest["MG_FE"]),
        "SI_FE": np.sqrt((share_si * alpha_scale) ** 2 + (0.8 * common_scale) ** 2 + rest["SI_FE"] ** 2),
        "AL_FE": np.sqrt((0.8 * alpha_scale) ** 2 + (2.2 * common_scale) ** 2 + rest["AL_FE"] ** 2),
        "NI_FE": np.sqrt((0.25 * alpha_scale) ** 2 + (1.3 * common_scale) ** 2 + rest["NI_FE"] ** 2),
    }  # fmt: skip
    source = {"M_H": "feh", "FE_H": "feh", "ALPHA_M": "alpha_fe"}
    stated = np.exp(ERROR_SCATTER * draw(config, f"rave/apogee/errors/{visit}", index, len(LABELS), normal=True))
    frame = {}
    for k, name in enumerate(LABELS):
        frame[name] = true[source.get(name, name.lower())] + on * offset.get(name, 0.0) + noise[name]
        frame[f"{name}_ERR"] = sigma[name] * stated[:, k]
    return pd.DataFrame(frame)


def rows(stars: pd.DataFrame, common: np.ndarray, config: Mapping) -> pd.DataFrame:
    """One row a star of `common` (bool), and a second one of lower S/N, marked in EXTRATARG, for 2 %."""
    chosen = stars[common].reset_index(drop=True)
    again = chosen[draw(config, "rave/apogee/again", chosen["star_index"]) < AGAIN_SHARE].reset_index(drop=True)
    return pd.concat([_entry(chosen, config, 0), _entry(again, config, 1)], ignore_index=True)


def _entry(stars: pd.DataFrame, config: Mapping, visit: int) -> pd.DataFrame:
    index = stars["star_index"].to_numpy()
    chance = draw(config, f"rave/apogee/chance/{visit}", index, 4 + len(ELEMENT_LOST_SHARE))
    frame = labels(stars, config, visit)
    for k, (name, share) in enumerate(ELEMENT_LOST_SHARE.items(), start=4):
        lost = chance[:, k] < share
        # two thirds have no value, the others only a flag
        frame.loc[lost & (chance[:, k] < share * 2 / 3), [name, f"{name}_ERR"]] = MISSING
        frame[f"{name}_FLAG"] = np.where(lost, 1 << 8, 0)
    bad, warn = chance[:, 0] < BAD_SHARE, chance[:, 1] < WARN_SHARE
    frame.loc[bad, [*LABELS, *(f"{name}_ERR" for name in LABELS)]] = MISSING
    frame["ASPCAPFLAG"] = np.where(bad, STAR_BAD, 0) | np.where(warn, STAR_WARN, 0)
    frame["ASPCAPFLAGS"] = np.select([bad & warn, bad, warn], ["STAR_WARN,STAR_BAD", "STAR_BAD", "STAR_WARN"], "")
    frame["EXTRATARG"] = DUPLICATE if visit else 0
    ra, dec = observe.at_epoch(stars, 2000.0)
    ra, dec = observe.scatter(config, "rave/apogee", index, ra, dec, arcsec=0.1)
    frame["RA"], frame["DEC"] = ra, dec
    frame["APOGEE_ID"] = formats.sexagesimal(ra, dec, "2M", 2, 1, point=False)
    frame["TELESCOPE"], frame["FIELD"], frame["SURVEY"], frame["LOCATION_ID"] = "lco25m", "simulated", "apogee2s", 1
    for tag, band in (("J", "tmass_j"), ("H", "tmass_h"), ("K", "tmass_ks")):
        mag, error, seen = observe.measure(config, "rave/twomass", index, band, stars[band].to_numpy())
        frame[tag], frame[f"{tag}_ERR"] = np.where(seen, mag, 99.0), np.where(seen, error, 99.0)
    scatter = np.exp(0.4 * draw(config, f"rave/apogee/snr/{visit}", index, normal=True))
    snr = 310.0 * 10.0 ** (-0.17 * (stars["tmass_h"].to_numpy() - 9.2)) * scatter
    short = chance[:, 2] < SHORT_SHARE
    frame["SNR"] = np.clip(snr * np.where(short, 0.12, 1.0) * (0.6 if visit else 1.0), 8.0, 2000.0)
    frame["NVISITS"], frame["STARFLAG"], frame["ANDFLAG"] = 1 if visit else 3, 0, 0
    frame["VHELIO_AVG"], frame["VSCATTER"], frame["ASPCAP_CHI2"] = stars["rv"].to_numpy(), 0.1, 2.0
    frame["ASPCAP_CLASS"] = np.where(stars["logg"] < LOGG_GIANT, "GKg", "GKd")
    frame["GAIA_SOURCE_ID"] = np.where(chance[:, 3] < NO_ID_SHARE, 0, stars["gaia_dr2_source_id"].to_numpy())
    frame["GAIA_PARALLAX"] = stars["parallax"].to_numpy()
    frame["GAIA_PARALLAX_ERROR"] = 0.045
    for band in ("g", "bp", "rp"):
        frame[f"GAIA_PHOT_{band.upper()}_MEAN_MAG"] = stars[f"gaia_{band}"].to_numpy()
    return frame


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write FITS. Of the arrays PARAM and FPARAM hold teff, logg, -, [M/H], -, -, [alpha/M]; X_H has Mg Al Si Fe Ni at 5 6 7 17 19."""
    arrays = {name: np.full((len(frame), 9), MISSING) for name in ("PARAM", "FPARAM")}
    for values in arrays.values():
        for place, column in ((0, "TEFF"), (1, "LOGG"), (3, "M_H"), (6, "ALPHA_M")):
            values[:, place] = frame[column]
    iron = frame["FE_H"].to_numpy()
    abundance, error = np.full((len(frame), 26), MISSING), np.full((len(frame), 26), MISSING)
    for place, column in ((5, "MG_FE"), (6, "AL_FE"), (7, "SI_FE"), (19, "NI_FE")):
        known = (frame[column] > MISSING) & (iron > MISSING)
        abundance[:, place] = np.where(known, frame[column] + iron, MISSING)
        error[:, place] = frame[f"{column}_ERR"]
    abundance[:, 17], error[:, 17] = iron, frame["FE_H_ERR"]
    metal = frame["M_H"].to_numpy()[:, None]
    arrays |= {"X_H": abundance, "X_H_ERR": error, "X_M": np.where(abundance > MISSING, abundance - metal, MISSING)}
    arrays["PARAMFLAG"] = np.zeros((len(frame), 9), np.int32)
    formats.write_fits(path, frame, FORMATS, name="ALLSTAR", arrays=arrays)
