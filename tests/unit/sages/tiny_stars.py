"""A handful of made-up matched stars that pass every cut, and labels for them."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

CONFIG = Path(__file__).resolve().parents[3] / "config" / "sages.yaml"


def settings(**changes) -> dict:
    """The paper's configuration; `changes` are merged in, two levels deep."""
    cfg = copy.deepcopy(yaml.safe_load(CONFIG.read_text())["sages"])
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(cfg.get(key), dict):
            cfg[key] = {**cfg[key], **value}
        else:
            cfg[key] = value
    return cfg


def good_stars(n: int, cfg: dict, first_id: int = 10**18) -> pd.DataFrame:
    """Matched dwarfs with every band, small errors, good parallax, no reddening."""
    offset = np.linspace(0.0, 0.01, n)
    frame = pd.DataFrame({"gaia_dr3_source_id": first_id + np.arange(n), "sage_id": [f"SAGE{k}" for k in range(n)]})
    frame = frame.assign(ra=140.0 + offset, dec=40.0 - offset)
    for k, band in enumerate(cfg["bands"]):
        frame = frame.assign(**{band: 15.0 - 0.35 * k + offset, f"{band}_err": 0.005})
    frame["gaia_bp"], frame["gaia_rp"], frame["gaia_g"] = 15.4 + offset, 14.6 + offset, 15.0 + offset
    frame = frame.assign(sages_u_flag=0, sages_v_flag=0, parallax=1.0, parallax_err=0.02)
    return frame.astype({"sage_id": "str"})


def with_features(frame: pd.DataFrame, ebv: float = 0.0, star_class: str = "dwarf") -> pd.DataFrame:
    """The same with reddening and class, as the cuts need them."""
    return frame.assign(ebv_sfd=ebv, star_class=pd.array([star_class] * len(frame), dtype="str"))


def labels_of(ids, survey: str, **values) -> pd.DataFrame:
    """Labels with small errors for some stars."""
    given = {"teff": 5700.0, "teff_err": 50.0, "logg": 4.4, "logg_err": 0.1, "feh": -0.2, "feh_err": 0.05, "snr": 60.0, "sep": np.nan}
    frame = pd.DataFrame({"gaia_dr3_source_id": np.asarray(ids, dtype=np.int64)})
    frame = frame.assign(survey=survey, **{**given, **values}, reference=survey)
    return frame.astype({"survey": "str", "reference": "str"})


def narrow_band_settings():
    """A survey of dereddened narrow-band magnitudes without parallax, flags and Gaia: class by log g."""
    bands = {
        name: {"tag": name, "reddening": 0.0, "err_max_train": 0.1, "err_max_predict": 0.2} for name in ("f395", "f410", "g", "r")
    }
    return settings(
        bands=bands, data_sets=[{"id": 1, "bands": list(bands)}], photometry={"ebv": "column"},
        features={"parallax": False, "abs_magnitude": None, "ebv": False}, cuts={"parallax_over_err_min": None, "flags_zero": []},
        classes={"rule": "logg"},
        samples={"split": "random", "test_fraction": 0.3, "train": {"segue": {"labels": ["teff", "logg", "feh"]}}, "test": {}},
    ) | {"bands": bands}
