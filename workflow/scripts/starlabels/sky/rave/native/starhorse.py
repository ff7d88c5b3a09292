"""StarHorse for RAVE DR6 (Queiroz et al. 2020): text without a header, fields parted by one blank.

Its spectrum ids are not written as RAVE writes them, so that only the Gaia DR2 ids can join the two. Stars without a
solution are not in the file.
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
    """One row a star: 16th, 50th and 84th percentile of mass, teff (K), log g, [M/H], distance (kpc) and A_V (mag)."""
    index = stars["star_index"].to_numpy()
    noise = draw(config, "rave/starhorse", index, len(QUANTITIES), normal=True)
    there = (draw(config, "rave/starhorse/there", index) >= MISSING_SHARE) | pipelines.is_supergiant(stars)
    first = visits[visits["visit"] == 0].set_index("star")["rave_obs_id"].reindex(range(len(stars))).fillna("")
    place = SkyCoord(stars["ra"].to_numpy() * u.deg, stars["dec"].to_numpy() * u.deg).galactic
    frame = pd.DataFrame({"rave_obs_id": "RAVE_" + first.astype("str").str.replace("_", "-"), "dr2_source_id": stars["gaia_dr2_source_id"]})
    frame["GLON"], frame["GLAT"] = place.l.deg.round(5), place.b.deg.round(5)
    true = {
        "Mass": (stars["mass"].to_numpy(), 0.08 * stars["mass"].to_numpy(), 3), "Teff": (stars["teff"].to_numpy(), 80.0, 1),
        "logg": (stars["logg"].to_numpy(), 0.08, 3), "Met": (stars["feh"].to_numpy() + 0.01, 0.12, 3),
        "Dist": (stars["distance"].to_numpy() / 1000, 0.05 * stars["distance"].to_numpy() / 1000, 5),
        "AV": (3.1 * stars["ebv"].to_numpy(), AV_ERROR, 5),
    }  # fmt: skip
    for k, (name, (value, sigma, digits)) in enumerate(true.items()):
        middle = value + sigma * noise[:, k]
        for step, p in ((-1, 16), (0, 50), (1, 84)):
            found = middle + step * sigma
            frame[f"{name}{p}"] = (np.maximum(found, 0.0) if name in ("AV", "Dist", "Mass") else found).round(digits)
    return frame[there & ~no_gaia(stars, config)].reset_index(drop=True)[list(COLUMNS)]


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write the text."""
    formats.write_text(path, frame, separator=" ", null="nan", header=False)
