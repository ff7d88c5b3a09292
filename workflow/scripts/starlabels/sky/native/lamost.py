"""LAMOST DR10 LRS stellar parameters: gzipped FITS, ids of Gaia as text, -9999 for missing numbers."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .. import labels, observe
from ..layout import running_number
from . import formats

REPEAT_SHARE, MISSING_SHARE, NO_GAIA_SHARE = 0.25, 0.01, 0.01
MJD = (56200, 59700)
FORMATS = {
    "obsid": "K", "uid": "20A", "gp_id": "K", "designation": "20A", "obsdate": "10A", "lmjd": "J", "mjd": "J", "planid": "20A",
    "spid": "J", "fiberid": "J", "ra_obs": ("D", "deg"), "dec_obs": ("D", "deg"), "snru": "D", "snrg": "D", "snrr": "D", "snri": "D",
    "snrz": "D", "class": "8A", "subclass": "8A", "z": "D", "z_err": "D", "gaia_source_id": "20A", "gaia_g_mean_mag": ("D", "mag"),
    "tsource": "8A", "fibertype": "8A", "tfrom": "12A", "offsets": "J", "offsets_v": "D", "ra": ("D", "deg"), "dec": ("D", "deg"),
    "teff": ("D", "K"), "teff_err": ("D", "K"), "logg": "D", "logg_err": "D", "feh": "D", "feh_err": "D", "rv": ("D", "km/s"),
    "rv_err": ("D", "km/s"), "alpha_m": "D", "alpha_m_err": "D", "vsini_lasp": ("D", "km/s"),
}  # fmt: skip


def rows(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """One row a spectrum; a quarter of the stars was observed twice. 1 % of the rows lack parameters, 1 % the Gaia id."""
    chosen = stars[labels.selected("lamost", stars, config)].reset_index(drop=True)
    again = chosen[observe.draw(config, "lamost/repeat", chosen["star_index"]) < REPEAT_SHARE].reset_index(drop=True)
    return pd.concat([_visit(chosen, config, 0), _visit(again, config, 1)], ignore_index=True)


def _visit(stars: pd.DataFrame, config: Mapping, visit: int) -> pd.DataFrame:
    index = stars["star_index"].to_numpy()
    chance = observe.draw(config, f"lamost/chance/{visit}", index, 4)
    frame = labels.measured("lamost", stars, config, visit).round(3)
    frame.loc[chance[:, 0] < MISSING_SHARE, :] = -9999.0
    ra, dec = observe.catalogue_position(config, "lamost", stars)
    frame["ra"], frame["dec"] = ra.round(7), dec.round(7)
    frame["ra_obs"], frame["dec_obs"] = frame["ra"], frame["dec"]
    frame["designation"] = formats.sexagesimal(ra, dec, "J", 2, 2)
    running = running_number(index)
    frame["obsid"] = running * 2 + visit
    frame["gp_id"] = running
    frame["uid"] = np.array([f"G{r:014d}" for r in running.tolist()], dtype=object)
    scatter = np.exp(0.35 * observe.draw(config, f"lamost/snr/{visit}", index, normal=True))
    snr = 100.0 * 10.0 ** (-0.22 * (stars["gaia_g"].to_numpy() - 14.0)) * scatter
    for band, factor in zip("ugriz", (0.35, 1.0, 1.5, 1.6, 1.2), strict=True):
        frame[f"snr{band}"] = np.clip(snr * factor, 3.0, 999.0).round(2)
    mjd = MJD[0] + np.floor((MJD[1] - MJD[0]) * chance[:, 1]).astype(np.int64)
    frame["mjd"], frame["lmjd"] = mjd, mjd + 1
    frame["obsdate"] = (mjd - 40587).astype("datetime64[D]").astype(str)
    frame["planid"] = np.array([f"SIM{m}" for m in mjd.tolist()], dtype=object)
    frame["spid"] = 1 + (running % 16)
    frame["fiberid"] = 1 + (running // 16 % 250)
    frame["class"] = "STAR"
    frame["subclass"] = np.select([stars["teff"] > 7300, stars["teff"] > 6000, stars["teff"] > 5200], ["A7", "F5", "G5"], "K3")
    rv = stars["rv"].to_numpy() + 4.0 * observe.draw(config, f"lamost/rv/{visit}", index, normal=True)
    frame["rv"], frame["rv_err"] = rv.round(2), 4.0
    frame["z"], frame["z_err"] = (rv / 299792.458).round(8), 1.3e-5
    ids = np.array([str(i) for i in stars["source_id"].tolist()], dtype=object)
    ids[chance[:, 2] < NO_GAIA_SHARE / 2] = "-9999"
    ids[chance[:, 2] > 1.0 - NO_GAIA_SHARE / 2] = ""
    frame["gaia_source_id"] = ids
    frame["gaia_g_mean_mag"] = stars["gaia_g"].to_numpy().round(4)
    frame["tsource"], frame["tfrom"], frame["fibertype"], frame["offsets"], frame["offsets_v"] = "LEGUE", "simulated", "Obj", 0, 0.0
    frame["alpha_m"] = (stars["alpha_fe"].to_numpy() + 0.05 * observe.draw(config, f"lamost/alpha/{visit}", index, normal=True)).round(3)
    frame["alpha_m_err"], frame["vsini_lasp"] = 0.05, -9999.0
    return frame


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write gzipped FITS."""
    formats.write_fits(path, frame, FORMATS, name="LRS_STELLAR", gzipped=True)
