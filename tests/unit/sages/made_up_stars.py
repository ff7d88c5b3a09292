"""Made-up stars with the columns of the features and samples tables; the labels are simple functions of the magnitudes."""

import numpy as np
import pandas as pd

BANDS = {"sages_u": "u", "sages_v": "v", "gaia_g": "g", "gaia_bp": "bp", "gaia_rp": "rp"}
CFG = {
    "bands": {band: {"tag": tag, "reddening": 1.0} for band, tag in BANDS.items()},
    "data_sets": [{"id": 1, "bands": list(BANDS)}],
    "features": {"magnitudes": True, "colours": "all", "parallax": True, "abs_magnitude": "gaia_g", "ebv": True},
    "forest": {"n_estimators": 20, "max_features": None, "max_depth": 10, "engine": "sklearn"},
    "models": ["feh_dwarf", "feh_giant", "teff_dwarf", "teff_giant", "logg_all"],
    "uncertainty": {"bins": 4, "domain_without": ["ebv_sfd"], "domain_quantile": 0.999},
    "cool_mask": {"colour": ["gaia_bp", "gaia_rp"], "colour_max": 1.3},
    "validation": {"histogram_bin": {"feh": 0.02, "teff": 10.0, "logg": 0.02}, "fit_range_sigma": 4.0},
}
NOISE = {"teff": 40.0, "logg": 0.08, "feh": 0.05}  # of the labels


def features(n: int, seed: int, data_set: int = 1) -> pd.DataFrame:
    """A features table of n stars with their true labels in `true_<label>`."""
    rng = np.random.default_rng(seed)
    giant = rng.random(n) < 0.3
    teff = np.where(giant, rng.normal(4800, 250, n), rng.normal(5700, 450, n))
    feh = np.clip(rng.normal(-0.4, 0.4, n), -2.5, 0.5)
    logg = np.where(giant, 2.5 + (teff - 4800) / 600, 4.4 - (teff - 5700) / 3000) + rng.normal(0, 0.1, n)
    absolute = np.where(giant, 1.0 + 1.5 * (logg - 2.5), 4.7 - (teff - 5700) / 500) + rng.normal(0, 0.1, n)
    distance = rng.uniform(0.3, 2.0, n)
    bp_rp = 0.82 + (5770 - teff) / 2200
    g = absolute + 5 * np.log10(distance) + 10
    sigma = np.array([0.01, 0.01, 0.002, 0.002, 0.002]) * rng.uniform(0.5, 1.5, (n, 1))
    error = sigma * rng.normal(size=(n, 5))
    frame = pd.DataFrame({
        "gaia_dr3_source_id": 10**15 + rng.permutation(n) + n * seed * 10,
        "sages_u_0": g + 1.6 + 0.35 * feh + 0.9 * bp_rp + error[:, 0], "sages_v_0": g + 0.9 + 0.25 * feh + 0.7 * bp_rp + error[:, 1],
        "gaia_g_0": g + error[:, 2], "gaia_bp_0": g + 0.45 * bp_rp + error[:, 3], "gaia_rp_0": g - 0.55 * bp_rp + error[:, 4],
        **{f"{band}_err": sigma[:, k] for k, band in enumerate(BANDS)},
        "parallax": 1 / distance, "abs_gaia_g_0": absolute, "ebv_sfd": rng.uniform(0, 0.05, n),
        "star_class": pd.Series(np.where(giant, "giant", "dwarf"), dtype="str"),
        f"predict_set{data_set}": rng.random(n) < 0.9,
        "true_teff": teff, "true_logg": logg, "true_feh": feh,
    })
    return frame


def samples(n_train: int, n_test: int, seed: int = 0) -> pd.DataFrame:
    """A samples table: `n_train` LAMOST stars and `n_test` APOGEE stars, one in ten of the latter in training too."""
    train, test = features(n_train, seed), features(n_test, seed + 1)
    shared = n_test // 10
    test.iloc[:shared] = train.iloc[:shared]
    frame = pd.concat([train, test], ignore_index=True)
    rng = np.random.default_rng(seed + 2)
    is_train = np.arange(len(frame)) < n_train
    new = {
        "role": pd.Series(np.where(is_train, "train", "test"), dtype="str"),
        "survey": pd.Series(np.where(is_train, "lamost", "apogee"), dtype="str"),
    }
    for label, noise in NOISE.items():
        scale = noise * np.where(is_train, rng.uniform(0.5, 1.5, len(frame)), 0.2)
        new[label] = frame[f"true_{label}"] + scale * rng.normal(size=len(frame))
        new[f"{label}_err"], new[f"use_{label}"] = scale, True
    in_train = is_train | (np.arange(len(frame)) < n_train + shared)
    return frame.assign(**new, in_train=in_train)
