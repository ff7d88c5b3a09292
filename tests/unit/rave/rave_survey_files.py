"""A made-up piece of RAVE: FITS files as DR6 publishes them, and the canonical tables of its spectra."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from astropy.io import fits

from starlabels.io import write_table
from starlabels.rave.catalogs import ELEMENTS, LABELS
from starlabels.spectra import grid_of
from starlabels.spectra_pack import write_packed

CONFIG = Path(__file__).resolve().parents[3] / "config" / "rave.yaml"
GAIA_0 = 5_983_723_702_088_571_392        # so large that a float64 would round it


def configuration() -> dict:
    """config/rave.yaml, `rave`; free to be changed."""
    return yaml.safe_load(CONFIG.read_text())["rave"]


def write_spectrum(
    folder: Path, name: str, flux, error=None, start=8405.0, step=0.385, unit="Angstrom", roi=None, crpix=1.0, drop=(), **cards
) -> Path:
    """One file of RAVE DR6 below `folder/<date>`; `drop` names an extension or a card of SPECTRUM to leave out."""
    flux = np.asarray(flux, dtype=np.float32)
    error = np.full(flux.shape, 0.02, np.float32) if error is None else np.asarray(error, dtype=np.float32)
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["ROI"] = name if roi is None else roi
    for extension, values in (("SPECTRUM", flux), ("ERROR", error)):
        if extension in drop:
            continue
        hdu = fits.ImageHDU(values, name=extension)
        hdu.header.update({"CRVAL1": start, "CRPIX1": crpix, "CDELT1": step, "CUNIT1": unit, **cards})
        for card in drop:
            hdu.header.remove(card, ignore_missing=True)
        hdus.append(hdu)
    path = folder / name[:8] / f"RAVE_{name}.fits"
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def ids(n: int, date: int = 20100313) -> np.ndarray:
    """Ids of n spectra."""
    return np.array([f"{date + k // 150}_0823m14_{k % 150:03d}" for k in range(n)])


def tables(n: int = 40, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Canonical tables of n spectra that pass every cut; spectra 2 k and 2 k + 1 with k < 3 are of one star."""
    rng, name = np.random.default_rng(seed), ids(n)
    star = np.arange(n)
    star[[1, 3, 5]] = [0, 2, 4]
    gaia = GAIA_0 + star
    key = pd.DataFrame({"rave_obs_id": pd.array(name, dtype="str")})
    magnitude = 11.0 + 0.02 * star
    out = {
        "rave_obsdata": key.assign(raveid=[f"J{k:04d}" for k in star], ra=30.0 + 0.01 * star, dec=-35.0),
        "rave_sparv": key.assign(hrv_rave=1.0, hrv_rave_err=0.5, snr_rave=35.0 + np.arange(n), rave_xcorr=40.0),
        "rave_classification": key.assign(rave_class_1="n", rave_class_2="n", rave_class_3="o"),
        "rave_xmatch": key.assign(**{b: magnitude - 1.5 for b in ("tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2")}),
        "rave_gaiadr2": key.assign(
            gaia_dr2_source_id=gaia, parallax=2.0 + 0.01 * star, parallax_err=0.05, gaia_g=magnitude, gaia_bp=magnitude + 0.4,
            gaia_rp=magnitude - 0.5,
        ),
        "rave_bdasp": key.assign(teff_bdasp=5000.0, logg_bdasp=3.0, mh_bdasp=0.0, distance_bdasp=500.0, age_bdasp=5.0),
    }  # fmt: skip
    one = np.unique(star)
    apogee = pd.DataFrame({"gaia_dr2_source_id": GAIA_0 + one, "snr_apogee": 200.0, "apogee_aspcapflag": 0, "apogee_extratarg": 0})
    labels = {"teff": (5000, 600), "logg": (3.0, 1.0)}
    for label in LABELS:
        middle, spread = labels.get(label, (0.0, 0.2))
        apogee[f"{label}_apogee"], apogee[f"{label}_apogee_err"] = middle + spread * rng.normal(size=len(one)), spread / 20
    out["apogee16"] = apogee.assign(**{f"{e}_apogee_flag": 0 for e in ELEMENTS})
    out["starhorse"] = pd.DataFrame({"gaia_dr2_source_id": GAIA_0 + one, "av_starhorse": 0.1 + 0.001 * one, "dist_starhorse": 500.0 - one})
    return out


def write_catalogs(folder: Path, frames: dict[str, pd.DataFrame]) -> dict[str, Path]:
    """The tables as canonical files."""
    paths = {}
    for name, frame in frames.items():
        paths[name] = folder / name / "cell-00000.parquet"
        write_table(paths[name], frame, meta={"reference": "Somebody et al. 2003, MNRAS 340, 304", "dataset": name})
    return paths


def write_flux(path: Path, names, cfg: dict, simulated: bool = True) -> Path:
    """Packed spectra of some ids; first pixel and number of bad ones are its number."""
    grid = grid_of(cfg["spectra"])
    flux = np.ones((len(names), grid.pixels), np.float32)
    numbers = [int(str(name)[-3:]) for name in names]
    flux[:, 0] = numbers
    write_packed(path, names, flux, numbers, np.zeros(len(names)), grid, simulated)
    return path
