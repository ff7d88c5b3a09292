"""APOGEE DR17 allStar (HDU 1): FITS with arrays of parameters and abundances, NaN for missing numbers, bit masks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .. import labels, observe
from . import formats

STAR_BAD, STAR_WARN, DUPLICATE = 1 << 23, 1 << 7, 1 << 4
BAD_SHARE, WARN_SHARE, DUPLICATE_SHARE, NO_FE_SHARE = 0.02, 0.10, 0.02, 0.01
FORMATS = {
    "APOGEE_ID": "30A", "TELESCOPE": "6A", "LOCATION_ID": "J", "FIELD": "20A", "ALT_ID": "30A", "RA": "D", "DEC": "D", "GLON": "D",
    "GLAT": "D", "J": "E", "J_ERR": "E", "H": "E", "H_ERR": "E", "K": "E", "K_ERR": "E", "AK_TARG": "E", "AK_TARG_METHOD": "32A",
    "SFD_EBV": "E", "APOGEE2_TARGET1": "J", "TARGFLAGS": "132A", "SURVEY": "32A", "PROGRAMNAME": "32A", "NVISITS": "J", "SNR": "E",
    "SNREV": "E", "STARFLAG": "K", "ANDFLAG": "K", "VHELIO_AVG": "E", "VSCATTER": "E", "VERR": "E", "N_COMPONENTS": "J",
    "GAIAEDR3_SOURCE_ID": "K", "GAIAEDR3_PARALLAX": "E", "GAIAEDR3_PHOT_G_MEAN_MAG": "E", "ASPCAP_GRID": "8A", "ASPCAP_CHI2": "E",
    "PARAM": "9E", "FPARAM": "9E", "PARAMFLAG": "9K", "ASPCAPFLAG": "K", "ASPCAPFLAGS": "132A", "X_H": "27E", "X_H_ERR": "27E",
    "X_M": "27E", "X_M_ERR": "27E", "EXTRATARG": "J", "TEFF": "E", "TEFF_ERR": "E", "LOGG": "E", "LOGG_ERR": "E", "M_H": "E",
    "M_H_ERR": "E", "ALPHA_M": "E", "ALPHA_M_ERR": "E", "VMICRO": "E", "MG_FE": "E", "MG_FE_ERR": "E", "MG_FE_FLAG": "J", "AL_FE": "E",
    "AL_FE_ERR": "E", "AL_FE_FLAG": "J", "SI_FE": "E", "SI_FE_ERR": "E", "SI_FE_FLAG": "J", "FE_H": "E", "FE_H_ERR": "E",
    "FE_H_FLAG": "J", "NI_FE": "E", "NI_FE_ERR": "E", "NI_FE_FLAG": "J",
}  # fmt: skip


def rows(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """One row a star, and a second one of lower S/N, marked in EXTRATARG, for 2 %. 2 % have ASPCAPFLAG bit 23 (STAR_BAD)."""
    chosen = stars[labels.selected("apogee", stars, config)].reset_index(drop=True)
    again = chosen[observe.draw(config, "apogee/repeat", chosen["star_index"]) < DUPLICATE_SHARE].reset_index(drop=True)
    return pd.concat([_visit(chosen, config, 0), _visit(again, config, 1)], ignore_index=True)


def _visit(stars: pd.DataFrame, config: Mapping, visit: int) -> pd.DataFrame:
    index = stars["star_index"].to_numpy()
    chance = observe.draw(config, f"apogee/chance/{visit}", index, 4)
    values = labels.measured("apogee", stars, config, visit)
    frame = pd.DataFrame({name.upper(): values[name] for name in ("teff", "teff_err", "logg", "logg_err")})
    frame["FE_H"], frame["FE_H_ERR"] = values["feh"], values["feh_err"]
    # the label [M/H] is [Fe/H] + 0.010 whatever the alpha elements (design section 6.2.1)
    frame["M_H"], frame["M_H_ERR"] = values["feh"] + 0.010, values["feh_err"]
    noise = observe.draw(config, f"apogee/elements/{visit}", index, 5, normal=True)
    for column, (element, scale) in enumerate({"alpha_fe": 0.012, "mg_fe": 0.016, "si_fe": 0.018, "al_fe": 0.028, "ni_fe": 0.016}.items()):
        truth = stars[element] if element in stars else stars["alpha_fe"]
        name = "ALPHA_M" if element == "alpha_fe" else element.upper()
        frame[name], frame[f"{name}_ERR"] = truth.to_numpy() + scale * noise[:, column], scale
    for name in ("MG_FE_FLAG", "SI_FE_FLAG", "FE_H_FLAG"):
        frame[name] = 0
    for column, name in ((2, "AL_FE"), (3, "NI_FE")):
        lost = chance[:, column] < 0.03
        frame.loc[lost, [name, f"{name}_ERR"]] = np.nan
        frame[f"{name}_FLAG"] = np.where(lost, 1 << 8, 0)
    no_fe = observe.draw(config, f"apogee/no_fe/{visit}", index) < NO_FE_SHARE
    frame.loc[no_fe, ["FE_H", "FE_H_ERR"]] = np.nan
    frame["FE_H_FLAG"] = np.where(no_fe, 1 << 0, 0)
    bad, warn = chance[:, 0] < BAD_SHARE, chance[:, 1] < WARN_SHARE
    frame["ASPCAPFLAG"] = np.where(bad, STAR_BAD, 0) | np.where(warn, STAR_WARN, 0)
    frame["ASPCAPFLAGS"] = np.select([bad & warn, bad, warn], ["STAR_WARN,STAR_BAD", "STAR_BAD", "STAR_WARN"], "")
    # calibrated values of bad stars are withheld, as in the archive
    frame.loc[bad, ["TEFF", "LOGG", "M_H", "FE_H"]] = np.nan
    frame["EXTRATARG"] = DUPLICATE if visit else 0
    ra, dec = observe.catalogue_position(config, "apogee", stars)
    frame["RA"], frame["DEC"] = ra, dec
    frame["APOGEE_ID"] = formats.sexagesimal(ra, dec, "2M", 2, 1, point=False)
    frame["TELESCOPE"], frame["FIELD"], frame["ALT_ID"], frame["SURVEY"] = "apo25m", "simulated", "none", "apogee2"
    frame["PROGRAMNAME"], frame["TARGFLAGS"], frame["AK_TARG_METHOD"], frame["LOCATION_ID"] = "simulated", "", "none", 1
    for tag, band in (("J", "tmass_j"), ("H", "tmass_h"), ("K", "tmass_ks")):
        mag, error, seen = observe.measure(config, "twomass", index, band, stars[band].to_numpy())
        frame[tag], frame[f"{tag}_ERR"] = np.where(seen, mag, 99.0), np.where(seen, error, 99.0)
    scatter = np.exp(0.3 * observe.draw(config, f"apogee/snr/{visit}", index, normal=True))
    snr = 180.0 * 10.0 ** (-0.2 * (stars["tmass_h"].to_numpy() - 12.0)) * scatter
    frame["SNR"] = np.clip(snr * (0.7 if visit else 1.0), 15.0, 900.0)
    frame["SNREV"], frame["NVISITS"], frame["STARFLAG"], frame["ANDFLAG"] = frame["SNR"], 3, 0, 0
    frame["VHELIO_AVG"], frame["VSCATTER"], frame["VERR"], frame["N_COMPONENTS"] = stars["rv"].to_numpy(), 0.1, 0.05, 1
    frame["SFD_EBV"], frame["AK_TARG"] = stars["ebv_map"].to_numpy(), 0.306 * stars["ebv_map"].to_numpy()
    frame["GAIAEDR3_SOURCE_ID"] = stars["source_id"].to_numpy()
    frame["GAIAEDR3_PARALLAX"], frame["GAIAEDR3_PHOT_G_MEAN_MAG"] = stars["parallax"].to_numpy(), stars["gaia_g"].to_numpy()
    frame["ASPCAP_GRID"] = np.where(stars["logg"] < 3.6, "GKg_d", "GKd_d")
    frame["ASPCAP_CHI2"], frame["VMICRO"], frame["APOGEE2_TARGET1"] = 2.0, 1.2, 0
    return frame


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write FITS. Of the arrays PARAM and FPARAM hold teff, logg, -, [M/H], -, -, [alpha/M]; X_H has iron at place 17, nickel at 19."""
    arrays = {name: np.full((len(frame), 9), np.nan) for name in ("PARAM", "FPARAM")}
    for name in arrays:
        for place, column in ((0, "TEFF"), (1, "LOGG"), (3, "M_H"), (6, "ALPHA_M")):
            arrays[name][:, place] = frame[column]
    abundance = np.full((len(frame), 27), np.nan)
    for place, column in ((5, "MG_FE"), (6, "AL_FE"), (7, "SI_FE"), (19, "NI_FE")):
        abundance[:, place] = frame[column] + frame["FE_H"]
    abundance[:, 17] = frame["FE_H"]
    arrays |= {"X_H": abundance, "X_M": abundance - frame["M_H"].to_numpy()[:, None], "PARAMFLAG": np.zeros((len(frame), 9), np.int64)}
    formats.write_fits(path, frame, FORMATS, name="ALLSTAR", arrays=arrays)
