"""H23 (Huang et al. 2023) and A23 (Andrae et al. 2023): photometric and XP parameters, FITS; and the globular clusters of Harris."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord

from ...io import atomic
from .. import labels, observe
from ..clusters import CLUSTERS
from ..random import normals, uniforms
from . import formats

H23_FORMATS = {
    "sourceid": "K", "ra": ("D", "deg"), "dec": ("D", "deg"), "teff": ("D", "K"), "err_teff": ("D", "K"), "feh": "D",
    "err_feh": "D", "ruwe": "D",
}  # fmt: skip
A23_FORMATS = {
    "source_id": "K", "catwise_w1": ("E", "mag"), "catwise_w2": ("E", "mag"), "in_training_sample": "J", "mh_xgboost": "E",
    "teff_xgboost": ("E", "K"), "logg_xgboost": "E",
}  # fmt: skip
GLOBULARS = {"NGC 104": "47 Tuc", "NGC 5139": "omega Cen", "NGC 6934": "NGC 6934", "NGC 7089": "NGC 7089"}
INVENTED = 8


def h23(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """Two thirds of the dwarfs and giants; no log g, as in the release."""
    chosen = stars[labels.selected("h23", stars, config)].reset_index(drop=True)
    values = labels.measured("h23", chosen, config)
    frame = pd.DataFrame({"sourceid": chosen["source_id"], "ra": chosen["ra"], "dec": chosen["dec"]})
    frame["teff"], frame["err_teff"] = values["teff"], values["teff_err"]
    frame["feh"], frame["err_feh"] = values["feh"], values["feh_err"]
    frame["ruwe"] = np.exp(0.06 * observe.draw(config, "h23/ruwe", chosen["star_index"], normal=True))
    return frame


def a23(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """A bit more than half of the dwarfs and giants; temperatures end at 7000 K. [M/H] is [Fe/H] here."""
    chosen = stars[labels.selected("a23", stars, config)].reset_index(drop=True)
    values = labels.measured("a23", chosen, config)
    frame = pd.DataFrame({"source_id": chosen["source_id"]})
    for band in ("w1", "w2"):
        mag, _, seen = observe.measure(config, "a23", chosen["star_index"], f"wise_{band}", chosen[f"wise_{band}"].to_numpy())
        frame[f"catwise_{band}"] = np.where(seen, mag, np.nan)
    frame["in_training_sample"] = (observe.draw(config, "a23/training", chosen["star_index"]) < 0.003).astype(int)
    frame["mh_xgboost"], frame["teff_xgboost"], frame["logg_xgboost"] = values["feh"], values["teff"], values["logg"]
    return frame


def write_h23(path: str | Path, frame: pd.DataFrame) -> None:
    """Write FITS."""
    formats.write_fits(path, frame, H23_FORMATS, name="SAGES_PARAM")


def write_a23(path: str | Path, frame: pd.DataFrame) -> None:
    """Write FITS."""
    formats.write_fits(path, frame, A23_FORMATS, name="TABLE_1_CATWISE")


def globulars(config: Mapping) -> pd.DataFrame:
    """The globular clusters of this sky and eight invented ones: id name ra dec distance (kpc) feh weight ebv rv."""
    rows = []
    for name, key in GLOBULARS.items():
        c = CLUSTERS[key]
        other = key if key != name else {"NGC 7089": "M 2"}.get(name, "")
        rows.append((name, other, c["ra"], c["dec"], c["distance"] / 1000, c["feh"], 5, c["ebv"], c["rv"]))
    number = np.arange(INVENTED)
    draw, noise = uniforms(config["seed"], "harris/invented", number, 4), normals(config["seed"], "harris/feh", number, 2)
    for i in range(INVENTED):
        dec = np.degrees(np.arcsin(2 * draw[i, 1] - 1))
        distance, feh = 5 + 25 * draw[i, 2], np.clip(-1.4 + 0.5 * noise[i, 0], -2.4, -0.3)
        rows.append((f"Sim {i + 1}", "", 360 * draw[i, 0], dec, distance, feh, 1, 0.02 + 0.2 * draw[i, 3], 120 * noise[i, 1]))
    frame = pd.DataFrame(rows, columns=["id", "name", "ra", "dec", "distance", "feh", "weight", "ebv", "rv"])
    return frame.sort_values("ra", ignore_index=True)


def _sexagesimal(ra: float, dec: float) -> tuple[str, str]:
    time, arc = round(ra / 15 * 3600, 2), round(abs(dec) * 3600, 1)
    hours = f"{int(time // 3600):02d} {int(time // 60 % 60):02d} {time % 60:05.2f}"
    return hours, f"{'-' if dec < 0 else '+'}{int(arc // 3600):02d} {int(arc // 60 % 60):02d} {arc % 60:04.1f}"


def write_harris(path: str | Path, frame: pd.DataFrame) -> None:
    """Write the three parts of Harris' table (positions; metallicities and photometry; velocities), in its columns."""
    place = SkyCoord(frame["ra"].to_numpy() * u.deg, frame["dec"].to_numpy() * u.deg).galactic
    x, y, z = (frame["distance"].to_numpy() * place.cartesian.xyz.value).tolist()
    rule = "_" * 97
    lines = [
        " " * 10 + "PARAMETERS OF GLOBULAR CLUSTERS OF A SIMULATED SKY",
        "",
        rule,
        "",
        " " * 12 + "Part I:  Identifications and Positional Data",
        "",
    ]
    lines += ["   ID        Name           RA   (2000)   DEC         L       B     R_Sun  R_gc    X     Y     Z", ""]
    for i, row in frame.iterrows():
        hours, degrees = _sexagesimal(row["ra"], row["dec"])
        centre = np.sqrt((8.0 - x[i]) ** 2 + y[i] ** 2 + z[i] ** 2)
        start = f" {row['id']:<11}{row['name']:<13}{hours}  {degrees}{place.l.deg[i]:9.2f}{place.b.deg[i]:8.2f}"
        lines.append(start + f"{row['distance']:7.1f}{centre:6.1f}{x[i]:6.1f}{y[i]:6.1f}{z[i]:6.1f}")
    lines += ["", rule, "", " " * 20 + "Part II:  Metallicity and Photometry", ""]
    lines += ["   ID       [Fe/H] wt  E(B-V) V_HB (m-M)V V_t   M_V,t   U-B   B-V   V-R   V-I  spt   ellip", ""]
    for _, row in frame.iterrows():
        modulus = 5 * np.log10(row["distance"] * 100) + 3.1 * row["ebv"]
        metal = f"{row['feh']:6.2f}{row['weight']:3d}{row['ebv']:7.2f}"
        lines.append(f" {row['id']:<11}" + metal + f"{modulus + 0.6:6.2f}{modulus:6.2f}{modulus - 7.5:6.2f}{-7.5:7.2f}")
    lines += ["", rule, "", " " * 12 + "Part III:  Velocities and Structural Parameters", ""]
    lines += ["    ID         v_r   +/-    v_LSR    sig_v  +/-    c        r_c   r_h    mu_V   rho_0 lg(tc) lg(th)", ""]
    lines += [f" {row['id']:<11}{row['rv']:8.1f}{0.3:6.1f}{row['rv'] - 5:8.1f}" for _, row in frame.iterrows()]
    with atomic(path) as part:
        part.write_text("\n".join([*lines, "", rule, ""]), encoding="ascii", newline="\n")
