"""StarHorse for RAVE DR6 (Queiroz et al. 2020): text without a header, fields parted by one blank, one row a spectrum.

The spectra of one star have solutions of their own. Stars without a solution are not in the file.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord

from ...native import formats
from ...observe import draw
from . import pipelines
from .rave import no_gaia

MISSING_SHARE = 0.03
AV_ERROR = 0.10  # mag
QUANTITIES = ("Mass", "Teff", "logg", "Met", "Dist", "AV")
COLUMNS = ("rave_obs_id", "dr2_source_id", "GLON", "GLAT", *(f"{name}{p}" for name in QUANTITIES for p in (16, 50, 84)))


def rows(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """16th, 50th and 84th percentile of mass, teff (K), log g, [M/H], distance (kpc) and A_V (mag); half of an error is the star's."""
    row = visits["star"].to_numpy()
    own = draw(config, "rave/starhorse/star", stars["star_index"], len(QUANTITIES), normal=True)[row]
    noise = np.sqrt(0.5) * (own + draw(config, "rave/starhorse/spectrum", visits["index"], len(QUANTITIES), normal=True))
    there = (draw(config, "rave/starhorse/there", stars["star_index"]) >= MISSING_SHARE) | pipelines.is_chosen(stars)
    place = SkyCoord(stars["ra"].to_numpy() * u.deg, stars["dec"].to_numpy() * u.deg).galactic
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"], "dr2_source_id": stars["gaia_dr2_source_id"].to_numpy()[row]})
    frame["GLON"], frame["GLAT"] = place.l.deg.round(5)[row], place.b.deg.round(5)[row]
    star = stars.iloc[row]
    kpc = star["distance"].to_numpy() / 1000
    true = {
        "Mass": (star["mass"].to_numpy(), 0.08 * star["mass"].to_numpy(), 3), "Teff": (star["teff"].to_numpy(), 80.0, 1),
        "logg": (star["logg"].to_numpy(), 0.08, 3), "Met": (star["feh"].to_numpy() + 0.01, 0.12, 3), "Dist": (kpc, 0.05 * kpc, 5),
        "AV": (3.1 * star["ebv"].to_numpy(), AV_ERROR, 5),
    }  # fmt: skip
    for k, (name, (value, sigma, digits)) in enumerate(true.items()):
        middle = value + sigma * noise[:, k]
        for step, p in ((-1, 16), (0, 50), (1, 84)):
            found = middle + step * sigma
            frame[f"{name}{p}"] = (np.maximum(found, 0.0) if name in ("AV", "Dist", "Mass") else found).round(digits)
    return frame[(there & ~no_gaia(stars, config))[row]].reset_index(drop=True)[list(COLUMNS)]


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write the text."""
    formats.write_text(path, frame, separator=" ", null="nan", header=False)
