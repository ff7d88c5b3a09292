"""Tables of RAVE DR6 as its query service gives them: CSV, one row a spectrum, empty where a value is missing.

Columns are those of the service where they are known; of the infrared flux method, the seismic stars, the orbits and the
cross-matches they are plausible names (config/datasets.yaml lists others). Some rows hold -9999 or 99.99 for a missing value.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ... import observe
from ...native import formats
from ...observe import draw
from . import pipelines

G_SHIFT = -0.018  # mag, G of Gaia DR2 minus DR3 (design section 4.2)
PARALLAX_ZERO_POINT = -0.03  # mas, Gaia DR2
PARALLAX_ERROR, PARALLAX_SPREAD, POOR_SHARE = 0.046, 0.20, 0.07  # mas at G < 14, scatter of its logarithm; share of much worse ones
NO_GAIA_SHARE, NO_PARALLAX_SHARE, NO_COLOUR_SHARE = 0.004, 0.004, 0.003
NO_ALLWISE_SHARE, LIMIT_SHARE, NO_TMASS_SHARE = 0.010, 0.040, 0.003
BDASP_SHARE, IRFM_SHARE, GAUGUIN_SHARE, ALPHA_SHARE = 0.993, 0.955, 0.875, 0.215
NOT_CONVERGED_SHARE = 0.06
SENTINEL_SHARE = 0.004
TMASS = {"j": "tmass_j", "h": "tmass_h", "k": "tmass_ks"}
WISE = {"w1": "wise_w1", "w2": "wise_w2"}


def positions(stars: pd.DataFrame, config: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Positions (deg, J2000) of RAVE's input catalogue."""
    ra, dec = observe.at_epoch(stars, 2000.0)
    return observe.scatter(config, "rave/input", stars["star_index"], ra, dec, arcsec=0.15)


def raveid(stars: pd.DataFrame, config: Mapping) -> np.ndarray:
    """Name of each star in RAVE, made of its position."""
    return formats.sexagesimal(*positions(stars, config), "J", 1, 0)


def no_gaia(stars: pd.DataFrame, config: Mapping) -> np.ndarray:
    """Which stars have no counterpart in Gaia DR2."""
    return (draw(config, "rave/gaia/none", stars["star_index"]) < NO_GAIA_SHARE) & ~pipelines.is_chosen(stars)


def obsdata(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_obsdata."""
    ra, dec = positions(stars, config)
    row = visits["star"].to_numpy()
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"], "raveid": raveid(stars, config)[row]})
    frame["ra_input"], frame["dec_input"] = ra[row].round(6), dec[row].round(6)
    frame["obsdate"], frame["fieldname"], frame["fibernumber"] = visits["obsdate"], visits["field_name"], visits["fibre"]
    return frame


def sparv(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_sparv: velocities (km/s) and signal-to-noise ratios a pixel; `snr_med_sparv` is the estimate after the fit."""
    snr = visits["snr"].to_numpy()
    noise = draw(config, "rave/sparv", visits["index"], 4, normal=True)
    error = 1.1 * np.clip(40.0 / snr, 0.4, 6.0) ** 0.7 * np.exp(0.2 * noise[:, 0])
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    frame["hrv_sparv"] = (stars["rv"].to_numpy()[visits["star"].to_numpy()] + error * noise[:, 1]).round(3)
    frame["hrv_error_sparv"] = error.round(3)
    frame["snr_med_sparv"] = snr.round(3)
    frame["snr_sparv"] = (snr * (1.04 + 0.05 * noise[:, 2])).round(3)
    frame["correlation_coeff_sparv"] = np.clip(14.0 * snr**0.4 * np.exp(0.15 * noise[:, 3]), 4.0, 150.0).round(2)
    return frame


def classification(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_classification: three letters, best first, and their weights."""
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    for k in (1, 2, 3):
        frame[f"flag{k}_class"], frame[f"w{k}_class"] = visits[f"class_{k}"], visits[f"weight_{k}"]
    return frame


def _put(frame, values, names, digits):
    """Columns of a pipeline under their native names, rounded."""
    for label, native in names.items():
        frame[native] = values[label].to_numpy().round(digits.get(label.removesuffix("_err"), 3))


def madera(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_madera, calibrated: 6 % of the spectra did not converge (1), a few have no value (-9999)."""
    values = pipelines.madera(stars, visits, config)
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    names = {"teff": "teff_cal_madera", "logg": "logg_cal_madera", "mh": "m_h_cal_madera"}
    names |= {f"{label}_err": f"{native.split('_cal')[0]}_error_madera" for label, native in names.items()}
    _put(frame, values, names, {"teff": 0})
    chance = draw(config, "rave/madera/chance", visits["index"], 2)
    frame["snr_madera"] = visits["snr"].round(2)
    frame["algo_conv_madera"] = (chance[:, 0] < NOT_CONVERGED_SHARE).astype(int)
    lost = chance[:, 1] < SENTINEL_SHARE
    frame.loc[lost, list(names.values())] = -9999.0
    frame.loc[lost, "algo_conv_madera"] = 1
    return frame


def bdasp(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_bdasp: distances in kpc, ages in Gyr, masses in solar masses; 0.7 % of the stars are not there."""
    values = pipelines.bdasp(stars, config).iloc[visits["star"].to_numpy()].reset_index(drop=True)
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    natives = {"teff": "teff", "logg": "logg", "mh": "m_h", "distance": "distance", "age": "age", "mass": "mass"}
    names = {label: f"{native}_bdasp" for label, native in natives.items()}
    names |= {f"{label}_err": f"{native}_error_bdasp" for label, native in natives.items()}
    _put(frame, values, {**names, "log_av": "log_a_v_bdasp"}, {"teff": 1, "distance": 4})
    there = draw(config, "rave/bdasp/there", stars["star_index"]) < BDASP_SHARE
    return frame[there[visits["star"].to_numpy()]].reset_index(drop=True)


def irfm(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_irfm: temperatures in K; 4.5 % of the stars are not there."""
    values = pipelines.irfm(stars, config).iloc[visits["star"].to_numpy()].reset_index(drop=True)
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    _put(frame, values, {"teff": "teff_irfm", "teff_err": "teff_error_irfm"}, {"teff": 1})
    there = draw(config, "rave/irfm/there", stars["star_index"]) < IRFM_SHARE
    return frame[there[visits["star"].to_numpy()]].reset_index(drop=True)


def gauguin(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_gauguin_madera: abundances, chi-square and number of lines; [alpha/Fe] for a fifth of the spectra, mostly the better ones."""
    values = pipelines.gauguin(stars, visits, config)
    index, snr = visits["index"].to_numpy(), visits["snr"].to_numpy()
    chance, noise = draw(config, "rave/gauguin/chance", index, 4), draw(config, "rave/gauguin/chisq", index, 4, normal=True)
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    natives = {"feh": "fe_h", "al_h": "al_h", "ni_h": "ni_h", "alpha_fe": "alpha_fe"}
    for k, (label, native) in enumerate(natives.items()):
        frame[f"{native}_gauguin"] = values[label].round(3)
        frame[f"{native}_error_gauguin"] = values[f"{label}_err"].round(3)
        frame[f"{native}_chisq_gauguin"] = (0.5 * np.exp(0.4 * noise[:, k]) / np.clip(snr / 40.0, 0.3, 3.0) ** 2).round(4)
        frame[f"{native}_nl_gauguin"] = np.floor(1 + (40 if native == "fe_h" else 6) * chance[:, 3]).astype("int64")
    frame["alpha_fe_nl_gauguin"] = frame["alpha_fe_nl_gauguin"].astype("Int64")
    unknown = chance[:, 1] >= ALPHA_SHARE * np.clip(0.65 + 0.35 * snr / 40.0, 0.0, 1.5)
    frame.loc[unknown, [c for c in frame if c.startswith("alpha_fe")]] = np.nan
    frame.loc[chance[:, 2] < SENTINEL_SHARE, "fe_h_gauguin"] = 99.99
    return frame[chance[:, 0] < GAUGUIN_SHARE].reset_index(drop=True)


def seismic(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_seismic: giants with oscillations in K2."""
    row = visits["star"].to_numpy()
    values = pipelines.seismic(stars, config).iloc[row].reset_index(drop=True)
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    frame["epic_id"] = 201000000 + stars["star_index"].to_numpy()[row] % 1000000
    _put(frame, values, {"logg": "logg_seismic", "logg_err": "logg_error_seismic"}, {})
    return frame[pipelines.is_seismic(stars)[row]].reset_index(drop=True)


def orbit_table(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_orbits: kpc and km/s; v_phi is positive along Galactic rotation. Stars without a counterpart in Gaia are not there."""
    row = visits["star"].to_numpy()
    frame = pd.DataFrame({"rave_obs_id": visits["rave_obs_id"]})
    for name in ("r_gal", "z_gal", "v_r", "v_phi", "v_z", "ecc", "z_max", "r_peri", "r_apo", "r_mean"):
        frame[name] = stars[name].to_numpy()[row].round(4)
    return frame[~no_gaia(stars, config)[row]].reset_index(drop=True)


def gaiadr2(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_x_gaiadr2: Gaia DR2 id, positions at 2015.5, parallaxes (mas, no zero point applied), motions, magnitudes."""
    index, row = stars["star_index"].to_numpy(), visits["star"].to_numpy()
    chance, noise = draw(config, "rave/gaia/chance", index, 3), draw(config, "rave/gaia/astrometry", index, 4, normal=True)
    poor = chance[:, 0] < POOR_SHARE
    error = PARALLAX_ERROR * np.exp(PARALLAX_SPREAD * noise[:, 0]) * np.where(poor, 1.5 + 3.5 * chance[:, 0] / POOR_SHARE, 1.0)
    error = np.where(pipelines.is_supergiant(stars), 0.040, error)
    noise[pipelines.is_supergiant(stars), 1] *= 0.3
    ra, dec = observe.at_epoch(stars, 2015.5)
    star = pd.DataFrame({"source_id": stars["gaia_dr2_source_id"].astype("Int64"), "ra": ra.round(10), "dec": dec.round(10)})
    star["parallax"] = (stars["parallax"].to_numpy() + PARALLAX_ZERO_POINT + error * noise[:, 1]).round(6)
    star["parallax_error"] = error.round(6)
    for k, name in enumerate(("pmra", "pmdec"), start=2):
        star[name], star[f"{name}_error"] = (stars[name].to_numpy() + 1.5 * error * noise[:, k]).round(5), (1.5 * error).round(5)
    no_parallax = chance[:, 1] < NO_PARALLAX_SHARE
    star.loc[no_parallax & ~pipelines.is_chosen(stars), list(star.columns[3:])] = np.nan
    no_colour = (chance[:, 2] < NO_COLOUR_SHARE) & ~pipelines.is_chosen(stars)
    for band in ("g", "bp", "rp"):
        mag, _, _ = observe.measure(config, "rave/gaia", index, f"gaia_{band}", stars[f"gaia_{band}"].to_numpy())
        value = mag + (G_SHIFT if band == "g" else 0.0)
        star[f"phot_{band}_mean_mag"] = np.where(no_colour & (band != "g"), np.nan, value).round(6)
    star["dist"] = np.abs(0.1 * noise[:, 0]).round(4)
    star[no_gaia(stars, config)] = pd.NA
    frame = star.iloc[row].reset_index(drop=True)
    frame.insert(0, "rave_obs_id", visits["rave_obs_id"])
    return frame


def xmatch(stars: pd.DataFrame, visits: pd.DataFrame, config: Mapping) -> pd.DataFrame:
    """dr6_xmatch: 2MASS and AllWISE names and magnitudes; an upper limit has no error."""
    index = stars["star_index"].to_numpy()
    free = ~pipelines.is_chosen(stars)
    chance = draw(config, "rave/xmatch/chance", index, 3)
    ra, dec = observe.at_epoch(stars, 1999.5)
    star = pd.DataFrame({"designation_2mass": formats.sexagesimal(ra, dec, "", 2, 1, point=False)})
    for tag, band in TMASS.items():
        mag, error, _ = observe.measure(config, "rave/twomass", index, band, stars[band].to_numpy())
        limit = free & (chance[:, 0] < NO_TMASS_SHARE) & (tag == "h")
        star[f"{tag}mag_2mass"], star[f"e_{tag}mag_2mass"] = mag.round(3), np.where(limit, np.nan, error).round(3)
    ra, dec = observe.at_epoch(stars, 2010.5)
    star["designation_allwise"] = formats.sexagesimal(ra, dec, "J", 2, 1)
    limited = free & (chance[:, 1] < LIMIT_SHARE)
    for tag, band in WISE.items():
        mag, error, _ = observe.measure(config, "rave/allwise", index, band, stars[band].to_numpy())
        limit = limited & ((tag == "w2") | (chance[:, 1] < 0.7 * LIMIT_SHARE))
        star[f"{tag}mag_allwise"], star[f"e_{tag}mag_allwise"] = mag.round(3), np.where(limit, np.nan, error).round(3)
    lost = free & (chance[:, 2] < NO_ALLWISE_SHARE)
    star.loc[lost, [c for c in star if c.endswith("allwise")]] = np.nan
    frame = star.iloc[visits["star"].to_numpy()].reset_index(drop=True)
    frame.insert(0, "rave_obs_id", visits["rave_obs_id"])
    return frame


#: dataset -> its rows from (stars, visits, config)
TABLES = {
    "rave_obsdata": obsdata, "rave_sparv": sparv, "rave_classification": classification, "rave_madera": madera, "rave_bdasp": bdasp,
    "rave_irfm": irfm, "rave_gauguin": gauguin, "rave_seismic": seismic, "rave_orbits": orbit_table, "rave_xmatch": xmatch,
    "rave_gaiadr2": gaiadr2,
}  # fmt: skip


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write CSV; missing values are empty."""
    formats.write_text(path, frame)
