"""Gaia DR3 `gaia_source` as the archive's bulk files: gzipped ECSV, `null` for missing values."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import SkyCoord

from .. import observe
from . import formats

#: Vega zero points of EDR3 fluxes in electrons a second (Riello et al. 2021, A&A 649, A3).
ZERO_POINTS = {"g": 25.6873668671, "bp": 25.3385422158, "rp": 24.7478955012}
PARALLAX_ZERO_POINT = -0.017  # mas (EDR3, median of quasars)
SOLUTION_ID = 1636148068921376768

#: Columns in the archive's order (those that this sky has): type, unit, description.
COLUMNS = {
    "solution_id": ("int64", "", "Solution Identifier"),
    "designation": ("string", "", "Unique source designation (unique across all Data Releases)"),
    "source_id": ("int64", "", "Unique source identifier (unique within a particular Data Release)"),
    "ref_epoch": ("float64", "yr", "Reference epoch"),
    "ra": ("float64", "deg", "Right ascension"),
    "ra_error": ("float32", "mas", "Standard error of right ascension"),
    "dec": ("float64", "deg", "Declination"),
    "dec_error": ("float32", "mas", "Standard error of declination"),
    "parallax": ("float64", "mas", "Parallax"),
    "parallax_error": ("float32", "mas", "Standard error of parallax"),
    "parallax_over_error": ("float32", "", "Parallax divided by its standard error"),
    "pm": ("float32", "mas.yr**-1", "Total proper motion"),
    "pmra": ("float64", "mas.yr**-1", "Proper motion in right ascension direction"),
    "pmra_error": ("float32", "mas.yr**-1", "Standard error of proper motion in right ascension direction"),
    "pmdec": ("float64", "mas.yr**-1", "Proper motion in declination direction"),
    "pmdec_error": ("float32", "mas.yr**-1", "Standard error of proper motion in declination direction"),
    "astrometric_params_solved": ("int16", "", "Which parameters have been solved for?"),
    "ruwe": ("float32", "", "Renormalised unit weight error"),
    "duplicated_source": ("bool", "", "Source with multiple source identifiers"),
    "phot_g_mean_flux": ("float64", "'electron'.s**-1", "G-band mean flux"),
    "phot_g_mean_flux_error": ("float32", "'electron'.s**-1", "Error on G-band mean flux"),
    "phot_g_mean_flux_over_error": ("float32", "", "G-band mean flux divided by its error"),
    "phot_g_mean_mag": ("float32", "mag", "G-band mean magnitude"),
    "phot_bp_mean_flux": ("float64", "'electron'.s**-1", "Integrated BP mean flux"),
    "phot_bp_mean_flux_error": ("float32", "'electron'.s**-1", "Error on the integrated BP mean flux"),
    "phot_bp_mean_flux_over_error": ("float32", "", "Integrated BP mean flux divided by its error"),
    "phot_bp_mean_mag": ("float32", "mag", "Integrated BP mean magnitude"),
    "phot_rp_mean_flux": ("float64", "'electron'.s**-1", "Integrated RP mean flux"),
    "phot_rp_mean_flux_error": ("float32", "'electron'.s**-1", "Error on the integrated RP mean flux"),
    "phot_rp_mean_flux_over_error": ("float32", "", "Integrated RP mean flux divided by its error"),
    "phot_rp_mean_mag": ("float32", "mag", "Integrated RP mean magnitude"),
    "phot_bp_rp_excess_factor": ("float32", "", "BP/RP excess factor"),
    "bp_rp": ("float32", "mag", "BP - RP colour"),
    "l": ("float64", "deg", "Galactic longitude"),
    "b": ("float64", "deg", "Galactic latitude"),
}  # fmt: skip


def rows(stars: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """One row a star in native columns.

    Flux errors hold the photon part alone: a reader adds the floor of the passband and gets the error
    that the magnitudes were drawn with. BP and RP are missing for 0.3 % of the stars, the astrometry of 0.5 % (and of a
    fifth of the neighbours closer than 0.7 arcsec) has positions only.
    """
    index = stars["star_index"].to_numpy()
    g = stars["gaia_g"].to_numpy()
    error = observe.parallax_sigma(g)
    noise = observe.draw(config, "gaia/astrometry", index, 6, normal=True)
    chance = observe.draw(config, "gaia/chance", index, 4)
    close = stars["separation"].to_numpy() < 0.7
    two = (chance[:, 0] < 0.005) | (close & (chance[:, 0] < 0.2))
    errors = {
        "ra_error": 0.80 * error,
        "dec_error": 0.75 * error,
        "parallax_error": error,
        "pmra_error": 1.03 * error,
        "pmdec_error": 0.93 * error,
    }
    dec = stars["dec"].to_numpy() + noise[:, 1] * errors["dec_error"] / 3.6e6
    ra = (stars["ra"].to_numpy() + noise[:, 0] * errors["ra_error"] / 3.6e6 / np.cos(np.radians(dec))) % 360.0
    parallax = stars["parallax"].to_numpy() + PARALLAX_ZERO_POINT + noise[:, 2] * error
    pmra = stars["pmra"].to_numpy() + noise[:, 3] * errors["pmra_error"]
    pmdec = stars["pmdec"].to_numpy() + noise[:, 4] * errors["pmdec_error"]
    binary = stars["is_binary"].to_numpy(bool)
    ruwe = (
        np.exp(0.06 * noise[:, 5])
        * np.where(binary & (chance[:, 1] < 0.25), 1.0 - 0.6 * np.log(chance[:, 2]), 1.0)
        * np.where(close, 1.6, 1.0)
    )
    frame = pd.DataFrame({"solution_id": np.full(len(stars), SOLUTION_ID), "source_id": stars["source_id"].to_numpy()})
    frame["designation"] = np.array([f"Gaia DR3 {i}" for i in frame["source_id"].tolist()], dtype=object)
    frame["ref_epoch"] = 2016.0
    frame["ra"], frame["dec"] = ra.round(12), dec.round(12)
    for name, value in errors.items():
        frame[name] = value.astype(np.float32)
    frame["parallax"], frame["pmra"], frame["pmdec"] = parallax.round(10), pmra.round(10), pmdec.round(10)
    frame["parallax_over_error"] = (parallax / error).astype(np.float32)
    frame["pm"] = np.hypot(pmra, pmdec).astype(np.float32)
    frame["ruwe"] = ruwe.astype(np.float32)
    frame["astrometric_params_solved"] = np.where(two, 3, 31)
    five = ["parallax", "parallax_error", "parallax_over_error", "pm", "pmra", "pmra_error", "pmdec", "pmdec_error", "ruwe"]
    frame.loc[two, five] = np.nan
    frame["duplicated_source"] = np.where(chance[:, 3] < 0.01, "True", "False")
    no_colour = observe.draw(config, "gaia/no_colour", index) < 0.003
    for band in ("g", "bp", "rp"):
        _photometry(frame, band, stars, config, np.zeros(len(stars), bool) if band == "g" else no_colour)
    colour = frame["phot_bp_mean_mag"] - frame["phot_rp_mean_mag"]
    frame["bp_rp"] = colour
    frame["phot_bp_rp_excess_factor"] = (1.155 + 0.033 * colour + 0.012 * colour**2).astype(np.float32)
    place = SkyCoord(ra * u.deg, dec * u.deg).galactic
    frame["l"], frame["b"] = place.l.deg.round(12), place.b.deg.round(12)
    return frame[list(COLUMNS)]


def _photometry(frame: pd.DataFrame, band: str, stars: pd.DataFrame, config: Mapping, missing: np.ndarray) -> None:
    name = f"gaia_{band}"
    true = stars[name].to_numpy()
    mag, _, seen = observe.measure(config, "gaia", stars["star_index"], name, true)
    flux = np.where(missing | ~seen, np.nan, 10.0 ** (0.4 * (ZERO_POINTS[band] - mag)))
    error = flux * observe.photon_sigma(name, true) * np.log(10.0) / 2.5
    frame[f"phot_{band}_mean_flux"] = np.round(flux, 6)
    frame[f"phot_{band}_mean_flux_error"] = error.astype(np.float32)
    frame[f"phot_{band}_mean_flux_over_error"] = (flux / error).astype(np.float32)
    frame[f"phot_{band}_mean_mag"] = np.where(np.isfinite(flux), mag, np.nan).astype(np.float32)


def _quoted(unit: str) -> str:
    """YAML text of a unit; one that starts with a quote must be quoted."""
    return "'" + unit.replace("'", "''") + "'" if unit.startswith("'") else unit


def _header() -> str:
    lines = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:"]
    for name, (kind, unit, text) in COLUMNS.items():
        lines += ["# -", f"#   name: {name}", f"#   datatype: {kind}"]
        lines += [f"#   unit: {_quoted(unit)}"] if unit else []
        lines += [f"#   description: {text}"]
    return "\n".join(lines) + "\n"


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write gzipped ECSV with the archive's header."""
    formats.write_text(path, frame, null="null", above=_header(), gzipped=True)
