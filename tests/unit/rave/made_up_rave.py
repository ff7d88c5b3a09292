"""Made-up RAVE stars in the files that the validations read: truth, labels, predictions of both networks. No stage is run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from starlabels.io import write_table

ROOT = Path(__file__).resolve().parents[3]
SUPERGIANT = 5983723702088571392
LABELS = ("teff", "logg", "mh", "feh", "alpha_m", "si_fe", "al_fe", "mg_fe", "ni_fe")
SCATTER = {"teff": 80.0, "logg": 0.11, "mh": 0.06, "feh": 0.06, "alpha_m": 0.03, "si_fe": 0.04, "al_fe": 0.06, "mg_fe": 0.05, "ni_fe": 0.03}
SLOPE = {"al_fe": 0.6, "ni_fe": 0.4}     # predictions of these fall back to the mean
NETWORKS = {"photometry": 1.0, "spectra": 2.0}


def configuration() -> dict:
    """The choices of the paper, with fewer resamples."""
    cfg = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
    cfg["validation"] |= {"bootstrap": 20}
    return cfg


def true_labels(n: int, rng) -> pd.DataFrame:
    """Labels of giants and dwarfs of the thin and the thick disc and a few halo stars."""
    giant, u = rng.random(n) < 0.55, rng.random(n)
    mh = np.where(u < 0.8, rng.normal(-0.1, 0.2, n), np.where(u < 0.97, rng.normal(-0.5, 0.25, n), rng.normal(-1.4, 0.4, n)))
    mh = np.clip(mh, -2.4, 0.5)
    clump = rng.random(n) < 0.45
    logg = np.where(giant, np.where(clump, rng.normal(2.45, 0.08, n), 3.5 - 3.2 * rng.random(n) ** 1.6), 0.0)
    branch = 5050 + 480 * (logg - 3.0) - 420 * mh - 60 * np.maximum(2.0 - logg, 0)
    teff = np.where(giant, np.where(clump, 4850 - 300 * mh, branch) + rng.normal(0, 60, n), rng.normal(5750, 600, n))
    teff = np.clip(teff, 3650, 7300)
    main = np.clip(4.55 - 0.00032 * np.maximum(teff - 5200, 0) - 0.0001 * (teff - 5200) * (teff < 5200), 3.7, 4.9)
    turned = np.where((teff > 5300) & (rng.random(n) < 0.25), rng.uniform(0, 0.6, n), 0.0)
    logg = np.where(giant, logg, main - turned - 0.1 * mh + rng.normal(0, 0.04, n))
    thick = (u > 0.8) & (rng.random(n) < 0.85)
    alpha = np.where(thick, np.clip(0.22 - 0.12 * (mh + 0.5), 0.05, 0.3), np.clip(-0.12 * mh + 0.01, -0.03, 0.1)) + rng.normal(0, 0.02, n)
    frame = pd.DataFrame({"teff": teff, "logg": logg, "mh": mh, "feh": mh + rng.normal(0, 0.01, n), "alpha_m": alpha})
    frame["si_fe"], frame["mg_fe"] = 0.8 * alpha + rng.normal(0, 0.03, n), alpha + rng.normal(0, 0.03, n)
    frame["al_fe"] = np.where(mh < -1.0, -0.15, 0.8 * alpha) + rng.normal(0, 0.07, n)
    frame["ni_fe"] = 0.02 + rng.normal(0, 0.03, n)
    return frame


def predicted(labels: pd.DataFrame, snr: np.ndarray, factor: float, rng) -> pd.DataFrame:
    """`<label>_cnn` and `<label>_cnn_err` for labels; the scatter grows as the S/N falls."""
    out = {}
    for p in LABELS:
        sigma = factor * SCATTER[p] * np.sqrt(1 + (25 / snr) ** 2)
        value, slope = labels[p].to_numpy(), SLOPE.get(p, 1.0)
        out[f"{p}_cnn"] = (value.mean() + slope * (value - value.mean()) + rng.normal(0, sigma)).astype(np.float32)
        out[f"{p}_cnn_err"] = (0.5 * sigma * rng.uniform(0.7, 1.3, len(snr))).astype(np.float32)
        out[f"{p}_cnn_flag"] = np.zeros(len(snr), np.int8)
    return pd.DataFrame(out)


@dataclass
class World:
    """Paths of a small run, below `folder`."""

    folder: Path
    stars: list
    predictions: dict
    training: Path
    training_predictions: dict
    truth: list


def world(folder: Path, n: int = 3000, n_training: int = 600, slices: int = 2, seed: int = 5, supergiant: bool = True) -> World:
    """Write the files of a run with `n` observed spectra, of which the first `n_training` are the training and test sample."""
    rng = np.random.default_rng(seed)
    truth = true_labels(n, rng)
    ids = np.array([f"20040101_{k // 150:04d}m10_{k % 150:03d}" for k in range(n)])
    star = np.arange(n)
    star[1::9] = star[0::9][: len(star[1::9])]                       # some stars twice
    truth[list(LABELS)] = truth[list(LABELS)].to_numpy()[star]
    snr = np.clip(rng.lognormal(3.75, 0.4, n), 10.5, 190)
    snr[:n_training] = np.maximum(snr[:n_training], 30.5)
    ratio = rng.lognormal(-3.0, 0.9, n)
    ratio[rng.random(n) < 0.004] = np.inf
    ratio[:n_training] = np.minimum(ratio[:n_training], 0.19)
    normal = rng.random(n) < 0.93
    gaia = 4_000_000_000_000_000_000 + star.astype(np.int64)
    if supergiant:
        last = slice(n - 6, n)
        star[last], gaia[last], snr[last], ratio[last], normal[last] = n - 6, SUPERGIANT, 90 + np.arange(6), 0.1, True
        for p, v in zip(LABELS, (5423, 1.02, -0.36, -0.36, 0.05, 0.05, 0.1, 0.05, 0.0), strict=True):
            truth.loc[n - 6:, p] = v
    seen = np.array([f"G{k:07d}" for k in star])
    stars = pd.DataFrame({
        "rave_obs_id": ids, "raveid": seen, "gaia_dr2_source_id": gaia, "snr_rave": snr, "parallax_error_ratio": ratio,
        "class_normal": normal, "in_observed": rng.random(n) < 0.98,
    })
    stars.loc[stars.index[-6:], "in_observed"] = True
    made = World(folder, [], {k: [] for k in NETWORKS}, folder / "training.parquet", {}, [])
    labels = truth + pd.DataFrame({p: rng.normal(0, 0.3 * SCATTER[p], n) for p in LABELS})
    pieces = np.array_split(np.arange(n), slices)
    for network, factor in NETWORKS.items():
        found = pd.concat([stars[["rave_obs_id"]], predicted(truth, snr, factor, rng)], axis=1)
        for k, part in enumerate(pieces):
            path = folder / "predictions" / network / f"south{k}-000.parquet"
            write_table(path, found.iloc[part][stars["in_observed"].to_numpy()[part]])
            made.predictions[network].append(path)
        role = np.where(np.arange(n_training) % 10 == 7, "test", "train")
        made.training_predictions[network] = folder / "predictions" / network / "training.parquet"
        write_table(made.training_predictions[network], found.iloc[:n_training].assign(role=role))
    for k, part in enumerate(pieces):
        made.stars.append(folder / "stars" / f"south{k}-000.parquet")
        write_table(made.stars[-1], stars.iloc[part])
        made.truth.append(folder / "truth" / f"part-south{k}-000.parquet")
        write_table(made.truth[-1], pd.concat([stars[["rave_obs_id", "raveid"]], truth], axis=1).iloc[part])
    training = pd.concat([stars.iloc[:n_training].assign(role=role), labels.iloc[:n_training]], axis=1)
    trained = set(training.loc[training["role"] == "train", "raveid"])
    training["twin_in_train"] = (training["role"] == "test") & training["raveid"].isin(trained)
    write_table(made.training, training)
    return made
