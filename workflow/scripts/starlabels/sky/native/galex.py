"""GALEX GUVcat (FITS): NUV magnitudes, -999 where a source of the FUV image has none."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .. import observe
from ..layout import running_number
from . import formats

FIRST_OBJID = 6_370_000_000_000_000_000
REPEAT_SHARE = 0.04  # sources with a second observation: ranks 1 (primary) and -1
EPOCHS = (2003.5, 2012.0)
FORMATS = {
    "objid": "K", "ra": ("D", "deg"), "dec": ("D", "deg"), "glon": ("D", "deg"), "glat": ("D", "deg"),
    "fuv_mag": ("E", "mag"), "fuv_magerr": ("E", "mag"), "nuv_mag": ("E", "mag"), "nuv_magerr": ("E", "mag"),
    "nuv_artifact": "I", "nuv_flags": "I", "e_bv": ("E", "mag"), "grank": "I", "inlargeobj": "20A",
}  # fmt: skip


def rows(stars: pd.DataFrame, config: Mapping) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Native rows, and for each its star and the star blended into it (-1: none). Pairs closer than 3 arcsec are one source.

    Of the sources below the limit of 22.0 mag half are listed without an NUV magnitude, the others not at all.
    """
    year = EPOCHS[0] + (EPOCHS[1] - EPOCHS[0]) * observe.draw(config, "galex/date", stars["star_index"])
    sources = observe.blend(stars, ("galex_nuv",), year)
    own = sources["star_index"].to_numpy()
    repeat = observe.draw(config, "galex/repeat", own) < REPEAT_SHARE
    parts = [(sources, np.where(repeat, 1, 0), 0), (sources[repeat].reset_index(drop=True), np.full(int(repeat.sum()), -1), 1)]
    frames, star, second = [], [], []
    for part, rank, visit in parts:
        frame, keep = _visit(part, rank, visit, stars, config)
        frames.append(frame)
        star.append(part["row"].to_numpy()[keep])
        second.append(part["second"].to_numpy()[keep])
    return pd.concat(frames, ignore_index=True), np.concatenate(star), np.concatenate(second)


def _visit(part: pd.DataFrame, rank: np.ndarray, visit: int, stars: pd.DataFrame, config: Mapping) -> tuple[pd.DataFrame, np.ndarray]:
    own = part["star_index"].to_numpy()
    ra, dec = observe.scatter(config, f"galex/{visit}", own, part["ra"], part["dec"], observe.POSITION_ERROR["galex"])
    mag, error, seen = observe.measure(config, f"galex/{visit}", own, "galex_nuv", part["galex_nuv"].to_numpy())
    chance = observe.draw(config, "galex/chance", own, 3)
    frame = pd.DataFrame({
        "objid": FIRST_OBJID + running_number(own) * 2 + visit, "ra": ra, "dec": dec,
        "fuv_mag": np.where(seen, -999.0, 21.5), "fuv_magerr": np.where(seen, -999.0, 0.4),
        "nuv_mag": np.where(seen, mag, -999.0), "nuv_magerr": np.where(seen, error, -999.0),
        "nuv_artifact": np.where(chance[:, 0] < 0.03, 4, 0), "nuv_flags": np.where(chance[:, 1] < 0.02, 2, 0),
        "e_bv": stars["ebv_map"].to_numpy()[part["row"].to_numpy()], "grank": rank,
        "inlargeobj": np.where(chance[:, 2] < 0.001, "GA:large", "N"),
    })  # fmt: skip
    keep = np.flatnonzero(seen | (observe.draw(config, "galex/below", own) < 0.5))
    return frame.iloc[keep].reset_index(drop=True), keep


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write the FITS table."""
    formats.write_fits(path, frame, FORMATS, name="GUVCAT")
