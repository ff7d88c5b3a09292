"""Made-up observed stars and predictions in the form that the RAVE validations read: two discs, a halo, repeats, DR6 labels."""

from pathlib import Path

import numpy as np
import pandas as pd

from starlabels.io import write_json, write_table

LABELS = ("teff", "logg", "mh", "feh", "alpha_m", "si_fe", "al_fe", "mg_fe", "ni_fe")
NOISE = {"teff": 35.0, "logg": 0.04, "mh": 0.04, "feh": 0.04, "alpha_m": 0.02, "si_fe": 0.025, "al_fe": 0.03, "mg_fe": 0.025,
         "ni_fe": 0.02}


def stars(n: int, seed: int = 1) -> pd.DataFrame:
    """One row a star with its true labels and its orbit."""
    rng = np.random.default_rng(seed)
    part = rng.choice(["thin", "thick", "halo"], n, p=[0.80, 0.18, 0.02])
    thick, halo = part == "thick", part == "halo"
    feh = np.where(thick, rng.normal(-0.5, 0.3, n), rng.normal(-0.1, 0.2, n))
    feh = np.clip(np.where(halo, rng.normal(-1.4, 0.35, n), feh), -2.4, 0.5)
    alpha = np.where(thick | halo, np.clip(0.24 - 0.12 * np.maximum(feh + 0.5, 0), 0.05, 0.28), np.clip(0.01 - 0.1 * feh, -0.05, 0.12))
    alpha = alpha + rng.normal(0, 0.02, n)
    giant = rng.random(n) < 0.5
    logg = np.where(giant, rng.choice([2.45, 1.6], n, p=[0.6, 0.4]) + rng.normal(0, 0.3, n), rng.normal(4.4, 0.15, n))
    teff = np.where(giant, 4000 + 420 * np.clip(logg, 0.3, 3.4) - 250 * feh * 0.6, rng.normal(5600, 500, n))
    v_phi = np.where(thick, 190 + 45 * (feh + 0.5) + rng.normal(0, 45, n), 215 - 20 * (feh + 0.1) + rng.normal(0, 25, n))
    v_phi = np.where(halo, rng.normal(0, 80, n), v_phi)
    ecc = np.where(halo, rng.uniform(0.4, 0.95, n), np.where(thick, rng.beta(4, 8, n), rng.beta(2, 14, n)))
    z_max = np.abs(np.where(halo, rng.normal(0, 4, n), np.where(thick, rng.normal(0, 1.2, n), rng.normal(0, 0.4, n))))
    r_mean = np.clip(rng.normal(7.6, 1.2, n), 3, 12)
    frame = pd.DataFrame({"teff": teff, "logg": logg, "mh": feh + 0.01, "feh": feh, "alpha_m": alpha, "si_fe": alpha * 0.8,
                          "al_fe": alpha * 0.9, "mg_fe": alpha * 1.1, "ni_fe": rng.normal(0, 0.02, n)})
    return frame.assign(v_phi=v_phi, ecc=ecc, z_max=z_max, r_mean=r_mean, r_gal=r_mean, z_gal=z_max * rng.uniform(-1, 1, n),
                        age_bdasp=np.where(thick | halo, 10.0, rng.uniform(1, 9, n)), star=np.arange(n))


def spectra(n: int, seed: int = 1) -> pd.DataFrame:
    """Rows of the observed sample: stars, some of them observed again, with everything that `rave/stars` holds for the validations."""
    rng = np.random.default_rng(seed + 1)
    own = stars(n, seed)
    visits = np.where(rng.random(n) < 0.12, rng.integers(2, 6, n), 1)
    frame = own.loc[np.repeat(np.arange(n), visits)].reset_index(drop=True)
    m = len(frame)
    days = pd.to_datetime("2004-01-01") + pd.to_timedelta(rng.integers(0, 3000, m), unit="D")
    date = days.strftime("%Y%m%d").to_numpy(object)
    feh = frame["feh"].to_numpy()
    shift = np.where((feh > -1) & (feh < 0), 0.14, 0.0)
    good = rng.random(m) < 0.6
    return frame.assign(
        rave_obs_id=[f"{d}_{i:06d}_001" for i, d in enumerate(date)], raveid=[f"J{s:07d}" for s in frame["star"]],
        gaia_dr2_source_id=frame["star"].to_numpy(np.int64) + 10**12, obsdate=date, snr_rave=rng.lognormal(3.75, 0.4, m),
        class_normal=rng.random(m) < 0.93, parallax_error_ratio=rng.lognormal(-3.2, 0.8, m), in_observed=rng.random(m) < 0.95,
        feh_gauguin=feh - shift + rng.normal(0, 0.12, m), alpha_fe_gauguin=np.where(good, frame["alpha_m"] + rng.normal(0, 0.1, m), np.nan),
        alpha_fe_gauguin_chisq=0.5, alpha_fe_gauguin_nl=20.0, madera_algo_flag=np.where(rng.random(m) < 0.9, 0, 1),
        teff_madera=frame["teff"] + rng.normal(0, 100, m), logg_madera=frame["logg"] + rng.normal(0, 0.2, m),
        logg_k2=np.nan, logg_bdasp=frame["logg"], teff_irfm=frame["teff"], av_starhorse=np.abs(rng.normal(0, 0.4, m)),
    )


def predictions(frame: pd.DataFrame, factor: float = 1.0, seed: int = 5) -> pd.DataFrame:
    """Predicted labels with errors that have wide tails."""
    rng = np.random.default_rng(seed)
    out = {"rave_obs_id": frame["rave_obs_id"]}
    for label in LABELS:
        scale = factor * NOISE[label] * np.where(rng.random(len(frame)) < 0.2, 3.0, 1.0) / np.sqrt(2)
        out[f"{label}_cnn"] = (frame[label] + scale * rng.normal(0, 1, len(frame))).astype(np.float32)
        out[f"{label}_cnn_err"] = (np.full(len(frame), NOISE[label]) * (1 + np.maximum(0, -frame["feh"]))).astype(np.float32)
        out[f"{label}_cnn_flag"] = np.zeros(len(frame), np.int8)
    return pd.DataFrame(out)


def write_slices(folder: Path, n: int = 6000, seed: int = 1, pieces: int = 2) -> dict[str, list]:
    """Write `stars`, `photometry` and `spectra` slices; {kind: paths}."""
    frame = spectra(n, seed)
    found = {"stars": [], "photometry": [], "spectra": []}
    kinds = {"stars": frame.drop(columns=["star", *LABELS]), "photometry": predictions(frame), "spectra": predictions(frame, 2.0, seed=9)}
    for k in range(pieces):
        for kind, table in kinds.items():
            path = Path(folder) / kind / f"south{k}-000.parquet"
            write_table(path, table.iloc[k::pieces].reset_index(drop=True))
            found[kind].append(path)
    return found


def write_variant(folder: Path, name: str, n: int = 800, test: float = 0.1, factor: float = 1.0, snr_min: float = 30.0, networks: int = 3,
                  flat: bool = False, epochs: int = 80, seed: int = 3) -> dict[str, Path]:
    """Write a variant's sample, predictions and ensemble; the spectra are those of one survey, so that variants share some."""
    frame = spectra(n, 77)
    frame = frame[frame["snr_rave"] > snr_min].reset_index(drop=True)
    role = np.where(np.random.default_rng(seed).random(len(frame)) < test, "test", "train")
    label_noise = np.random.default_rng(1)
    sample = frame[["rave_obs_id", "raveid", "gaia_dr2_source_id", "snr_rave", "parallax_error_ratio", "av_starhorse"]].assign(role=role)
    for label in LABELS:
        sample[label] = frame[label] + NOISE[label] / 3 * label_noise.normal(0, 1, len(frame))
        sample[f"{label}_err"] = NOISE[label] / 3
    found = predictions(frame, factor, seed=len(name)).assign(role=role)
    if flat:
        found["alpha_m_cnn"] = (0.03 - 0.15 * found["mh_cnn"]).astype(np.float32)
    paths = {k: Path(folder) / name / k for k in ("training.parquet", "predictions.parquet", "ensemble.json")}
    write_table(paths["training.parquet"], sample)
    write_table(paths["predictions.parquet"], found)
    write_json(paths["ensemble.json"], {
        "variant": name, "network": "photometry", "n_networks": networks, "n_kept": max(networks - 1, 1), "parameters": 58549,
        "networks": [{"network": k, "epochs": epochs + k, "failed": False, "kept": k > 0} for k in range(networks)],
    })
    return paths
