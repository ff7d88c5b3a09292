"""SAGES DR1 `dr1-uv`: FITS table with -999.99 (and flag 0!) where a band is missing."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .. import observe
from . import formats

FIRST_MJD, LAST_MJD = 57314.0, 58666.0  # 2015.8 to 2019.5
SENTINEL = -999.99
MISSING_SHARE, FLAGGED_SHARE, DUPLICATE_SHARE = 0.06, 0.03, 0.005
DUPLICATE_ARCSEC = 0.1

FORMATS = {
    "SAGE_ID": "30A", "RA": ("D", "deg"), "DEC": ("D", "deg"),
    "MAG_U": ("D", "mag"), "ERR_U": ("D", "mag"), "OBS_TIME_U": ("D", "d"), "FLAG_U": "J",
    "MAG_V": ("D", "mag"), "ERR_V": ("D", "mag"), "OBS_TIME_V": ("D", "d"), "FLAG_V": "J",
}  # fmt: skip


def rows(stars: pd.DataFrame, config: Mapping) -> tuple[pd.DataFrame, np.ndarray]:
    """Native rows, and for each the row number of its star in `stars`.

    Each source is listed where it was on the day of its u image (of its v image where u is missing). 0.5 % of the sources
    are listed twice, the second time 0.1 arcsec away with another date. Names are positions, with two digits more than SAGES
    writes, so that these doubles have names of their own.
    """
    first, first_rows = _visit(stars, config, 0)
    again = np.flatnonzero(observe.draw(config, "sages/duplicate", stars["star_index"]) < DUPLICATE_SHARE)
    second, second_rows = _visit(stars.iloc[again].reset_index(drop=True), config, 1)
    return pd.concat([first, second], ignore_index=True), np.concatenate([first_rows, again[second_rows]])


def _visit(stars: pd.DataFrame, config: Mapping, visit: int) -> tuple[pd.DataFrame, np.ndarray]:
    index = stars["star_index"].to_numpy()
    key = f"sages/{visit}"
    when = observe.draw(config, f"{key}/date", index, 2)
    mjd_u = FIRST_MJD + (LAST_MJD - FIRST_MJD) * when[:, 0]
    mjd = {"u": mjd_u, "v": mjd_u + 0.02 + 0.1 * when[:, 1]}
    bands = {}
    for number, band in enumerate("uv"):
        true = stars[f"sages_{band}"].to_numpy()
        mag, error, seen = observe.measure(config, key, index, f"sages_{band}", true)
        mag = mag + observe.zero_point(config, band, stars["ra"].to_numpy(), stars["dec"].to_numpy())
        chance = observe.draw(config, f"{key}/chance", index, 4)[:, 2 * number : 2 * number + 2]
        bands[band] = (mag, error, seen & (chance[:, 0] >= MISSING_SHARE), np.where(chance[:, 1] < FLAGGED_SHARE, _flag(chance[:, 1]), 0))
    ra, dec = observe.at_epoch(stars, observe.year_of_mjd(np.where(bands["u"][2], mjd["u"], mjd["v"])))
    ra, dec = observe.scatter(config, "sages", index, ra, dec)
    if visit:
        angle = 2 * np.pi * observe.draw(config, f"{key}/angle", index)
        ra = (ra + DUPLICATE_ARCSEC / 3600 * np.sin(angle) / np.cos(np.radians(dec))) % 360.0
        dec = dec + DUPLICATE_ARCSEC / 3600 * np.cos(angle)
    frame = pd.DataFrame({"RA": ra.round(7), "DEC": dec.round(7)})
    for band, (mag, error, seen, flag) in bands.items():
        for name, value in (("MAG", mag.round(4)), ("ERR", error.round(4)), ("OBS_TIME", mjd[band].round(5))):
            frame[f"{name}_{band.upper()}"] = np.where(seen, value, SENTINEL)
        frame[f"FLAG_{band.upper()}"] = np.where(seen, flag, 0)
    keep = np.flatnonzero(bands["u"][2] | bands["v"][2])
    frame = frame.iloc[keep].reset_index(drop=True)
    frame.insert(0, "SAGE_ID", formats.sexagesimal(frame["RA"], frame["DEC"], "SAGE", 3, 2))
    return frame, keep


def _flag(chance: np.ndarray) -> np.ndarray:
    """SExtractor-like flags: 2 (blended), 1 (neighbour), 4 (saturated)."""
    return np.select([chance < 0.6 * FLAGGED_SHARE, chance < 0.9 * FLAGGED_SHARE], [2, 1], 4)


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write the FITS table."""
    formats.write_fits(path, frame, FORMATS, name="DR1_UV")
