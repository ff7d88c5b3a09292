"""A small made-up run of the RAVE half, in the form that its stages write: stars, spectra, samples, networks, predictions."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from starlabels.io import write_json, write_table

LABELS = ("teff", "logg", "mh", "feh", "alpha_m", "si_fe", "al_fe", "mg_fe", "ni_fe")
ERROR = {"teff": 45.0, "logg": 0.06, "mh": 0.03, "feh": 0.03, **dict.fromkeys(LABELS[4:], 0.02)}
BAND_OFFSET = {"gaia_g": 0.0, "gaia_bp": 0.6, "gaia_rp": -0.75, "tmass_j": -1.5, "tmass_h": -2.0, "tmass_ks": -2.15, "wise_w1": -2.2,
               "wise_w2": -2.15}
SUPERGIANT = 5983723702088571392
PIXELS, STEP, START = 912, 0.4, 8420.0
LINES = {8498.02: (0.55, 3.0), 8542.09: (0.68, 4.5), 8662.14: (0.65, 4.0), 8468.41: (0.25, 0.6), 8514.07: (0.25, 0.6),
         8611.80: (0.2, 0.6), 8648.47: (0.15, 0.6), 8674.75: (0.2, 0.6), 8688.62: (0.35, 0.7), 8736.02: (0.25, 1.0),
         8757.19: (0.2, 0.6), 8773.5: (0.2, 0.8), 8824.2: (0.2, 0.6), 8582.26: (0.15, 0.6), 8435.3: (0.2, 0.6)}


@dataclass(frozen=True)
class Run:
    """Paths of a made-up run."""

    folder: Path
    slices: tuple[str, ...]

    def all(self, pattern: str) -> list[Path]:
        """A path for each slice; `{}` stands for its name."""
        return [self.folder / pattern.format(name) for name in self.slices]

    @property
    def stars(self) -> list[Path]:
        return self.all("rave/stars/{}.parquet")

    @property
    def flows(self) -> list[Path]:
        return self.all("rave/stars/{}.json")

    @property
    def spectra(self) -> list[Path]:
        return self.all("rave/spectra/{}.h5")

    def predictions(self, network: str = "photometry") -> list[Path]:
        return self.all(f"rave/predictions/main/{network}/{{}}.parquet")

    def __truediv__(self, name: str) -> Path:
        return self.folder / "rave" / name


def true_labels(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Dwarfs and giants with a metal-poor tail."""
    giant = rng.random(n) < 0.55
    mh = np.where(rng.random(n) < 0.05, rng.normal(-1.2, 0.35, n), rng.normal(-0.15, 0.22, n)).clip(-2.2, 0.5)
    logg = np.where(giant, rng.normal(2.4, 0.5, n), rng.normal(4.35, 0.25, n)).clip(0.2, 5.0)
    teff = np.where(giant, 4750 + 330 * (logg - 2.4) - 300 * mh, rng.normal(5700, 450, n)) + rng.normal(0, 60, n)
    alpha = np.where(mh < -0.5, 0.22, 0.02 - 0.15 * mh) + rng.normal(0, 0.03, n)
    labels = {"teff": teff.clip(3700, 7400), "logg": logg, "mh": mh, "feh": mh + rng.normal(0, 0.02, n), "alpha_m": alpha}
    return pd.DataFrame(labels | {name: alpha + rng.normal(0, 0.04, n) for name in LABELS[5:8]} | {"ni_fe": rng.normal(0, 0.03, n)})


def spectrum(rng: np.random.Generator, mh: float, snr: float) -> np.ndarray:
    """Gaussian lines that weaken with falling metallicity, and noise."""
    wave, flux = START + STEP * np.arange(PIXELS), np.ones(PIXELS)
    for centre, (depth, width) in LINES.items():
        weak = 10 ** (0.08 * mh) if depth > 0.5 else 10 ** (0.55 * mh)
        flux -= depth * min(weak, 1.2) * np.exp(-0.5 * ((wave - centre) / width) ** 2)
    return (flux + rng.normal(0, 1 / snr, PIXELS)).astype(np.float32)


def stars_of(rng: np.random.Generator, n: int, first: int, supergiant: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of `rave/stars` and the true labels; the first six rows are the supergiant where one is asked for."""
    truth = true_labels(rng, n)
    snr = (10 ** rng.normal(1.6, 0.18, n)).clip(6, 150)
    source = np.int64(4_000_000_000_000_000) + first + np.arange(n) // 2 * (np.arange(n) % 10 < 4) + np.arange(n) * (np.arange(n) % 10 >= 4)
    ratio = np.exp(rng.normal(-3.2, 0.9, n))
    classes = rng.choice(["n", "o", "c", "w", "b"], n, p=[0.88, 0.06, 0.02, 0.02, 0.02])
    if supergiant:
        source[:6], snr[:6], ratio[:6], classes[:6] = SUPERGIANT, np.linspace(35, 70, 6), 0.10, "n"
        truth.loc[:5, ["teff", "logg", "mh"]] = (5423.0, 1.02, -0.36)
    magnitude = np.where(truth["logg"] < 3.5, rng.normal(11.0, 0.8, n), rng.normal(11.4, 0.7, n))
    extinction = np.abs(rng.normal(0.25, 0.3, n))
    frame = pd.DataFrame({
        "rave_obs_id": [f"20040629_1607m49_{first + i:05d}" for i in range(n)], "raveid": [f"J{s}" for s in source],
        "gaia_dr2_source_id": source, "obsdate": [f"2004{6 + i % 3:02d}{10 + i % 15:02d}" for i in range(n)], "snr_rave": snr,
        "parallax_error_ratio": ratio, "class_normal": np.isin(classes, ["n", "o"]), "rave_class_1": classes,
        "av_starhorse": extinction, **{band: magnitude + shift + rng.normal(0, 0.1, n) for band, shift in BAND_OFFSET.items()},
        "teff_bdasp": truth["teff"] - 20, "logg_bdasp": truth["logg"] + 0.05, "mh_bdasp": truth["mh"],
        "teff_madera": truth["teff"] + 50, "logg_madera": truth["logg"] + 0.3, "mh_madera": truth["mh"], "madera_algo_flag": 0,
        "teff_irfm": np.where(np.arange(n) % 9, truth["teff"], np.nan), "alpha_fe_gauguin": np.where(np.arange(n) % 6, np.nan, 0.1),
        "alpha_fe_gauguin_chisq": 0.01, "alpha_fe_gauguin_nl": 5, "logg_k2": np.where(np.arange(n) % 80, np.nan, truth["logg"]),
        "snr_apogee": np.where(np.arange(n) % 5, np.nan, 300.0), "ecc": rng.uniform(0, 0.6, n), "z_max": np.abs(rng.normal(0.4, 0.6, n)),
        "v_phi": rng.normal(200, 60, n), "r_mean": rng.normal(8, 1, n), "z_gal": rng.normal(0, 0.5, n),
    })
    frame["in_observed"] = (snr > 10) & ~np.isin(classes, ["c", "w"])
    return frame, truth


def predicted(rng: np.random.Generator, ids: pd.Series, truth: pd.DataFrame, snr: np.ndarray, scale: float = 1.0) -> pd.DataFrame:
    """Predictions with errors that fall with the signal."""
    columns = {"rave_obs_id": ids.to_numpy()}
    for label in LABELS:
        size = scale * ERROR[label] * (1 + 20 / np.asarray(snr))
        columns[f"{label}_cnn"] = (truth[label].to_numpy() + rng.normal(0, 1, len(ids)) * size).astype(np.float32)
        columns[f"{label}_cnn_err"] = (size * rng.gamma(9, 1 / 9, len(ids))).astype(np.float32)
        columns[f"{label}_cnn_flag"] = np.zeros(len(ids), np.int8)
    return pd.DataFrame(columns)


def ensemble(rng: np.random.Generator, network: str, count: int = 20) -> tuple[dict, pd.DataFrame]:
    """ensemble.json and history.parquet; the last network fails."""
    entries, parts = [], []
    for k in range(count):
        epochs = int(rng.integers(70, 118))
        floor = 0.0035 * np.exp(rng.normal(0, 0.12)) * (1.5 if k % 7 == 3 else 1)
        epoch = np.arange(1, epochs + 1)
        loss = floor * (1 + 12 * np.exp(-epoch / 7)) * np.exp(rng.normal(0, 0.03, epochs))
        parts.append(pd.DataFrame({
            "network": k, "epoch": epoch, "train_loss": loss * 0.8, "test_loss": loss, "test_r2": 1 - loss / 0.02,
            "test_accuracy": (0.45 + 0.2 * (1 - np.exp(-epoch / 15)) + rng.normal(0, 0.01, epochs)).clip(0, 1),
        }))
        entries.append({"network": k, "seed": 42, "epochs": epochs, "last_test_loss": float(loss[-1]), "kept": True, "failed": False,
                        "reason": ""})
    entries[-1] |= {"failed": True, "kept": False, "reason": "the loss is not finite", "last_test_loss": None}
    threshold = float(np.quantile([e["last_test_loss"] for e in entries[:-1]], 0.8))
    for entry in entries[:-1]:
        entry["kept"] = entry["last_test_loss"] < threshold
    kept = [e["network"] for e in entries if e["kept"]]
    content = {
        "variant": "main", "network": network, "engine": "numba", "n_networks": count, "parameters": 58549, "threshold": threshold,
        "networks": entries, "kept": kept, "n_kept": len(kept), "dispersion_bias": 0.983, "simulated": True,
    }
    return content, pd.concat(parts[:-1], ignore_index=True)


def make_run(folder: Path, n: int = 400, supergiant: bool = True, slices: tuple[str, ...] = ("clusters-000", "south1-000")) -> Run:
    """Write a whole made-up run below `folder`."""
    run, rng = Run(Path(folder), slices), np.random.default_rng(7)
    for network in ("photometry", "spectra"):
        content, history = ensemble(rng, network)
        write_json(run / f"models/main/{network}/ensemble.json", content)
        write_table(run / f"models/main/{network}/history.parquet", history)
    labelled = []
    for i, name in enumerate(slices):
        stars, truth = stars_of(rng, n, i * n, supergiant and i == 1)
        flux = np.stack([spectrum(rng, m, s) for m, s in zip(truth["mh"], stars["snr_rave"], strict=True)])
        write_table(run / f"stars/{name}.parquet", stars)
        left = int(stars["in_observed"].sum())
        cut = [{"cut": "all rows", "kept": n, "dropped": 0}, {"cut": "S/N > 10", "kept": left, "dropped": n - left}]
        write_json(run / f"stars/{name}.json", {"flow": cut})
        (run / "spectra").mkdir(parents=True, exist_ok=True)
        with h5py.File(run / f"spectra/{name}.h5", "w") as file:
            file["rave_obs_id"], file["flux"] = stars["rave_obs_id"].to_numpy().astype("S"), flux
            file.attrs.update({"start": START, "step": STEP, "unit": "Angstrom", "simulated": True})
        use = stars["in_observed"].to_numpy(bool)
        for network, scale in (("photometry", 1.0), ("spectra", 2.0)):
            shown = truth.copy()
            if network == "spectra" and supergiant and i == 1:
                shown.loc[:5, ["teff", "logg", "mh"]] = (6359.0, 3.82, 0.43)
            table = predicted(rng, stars.loc[use, "rave_obs_id"], shown[use], stars.loc[use, "snr_rave"], scale)
            write_table(run / f"predictions/main/{network}/{name}.parquet", table)
        labelled.append((stars, truth, flux))
    _training(run, rng, labelled)
    first = labelled[0][0]
    literature = pd.DataFrame({
        "rave_obs_id": first["rave_obs_id"].iloc[:12], "kind": ["cluster"] * 8 + ["hr"] * 4, "list": "cl_47tuc",
        "cluster": ["47 Tuc"] * 8 + [""] * 4, "star_name": [f"star {k // 2}" for k in range(12)],
    })
    write_table(run / "literature.parquet", literature)
    return run


def _training(run: Run, rng: np.random.Generator, labelled: list) -> None:
    stars, truth = (pd.concat([part[k] for part in labelled], ignore_index=True) for k in (0, 1))
    flux = np.concatenate([part[2] for part in labelled])
    use = np.flatnonzero((stars["snr_rave"] > 30) & (stars["gaia_dr2_source_id"] != SUPERGIANT) & (stars["parallax_error_ratio"] < 0.2))
    table = stars.iloc[use].reset_index(drop=True).drop(columns=["snr_apogee"])
    table = pd.concat([table, truth.iloc[use].reset_index(drop=True)], axis=1)
    table["role"] = np.where(np.arange(len(table)) % 16 == 0, "test", "train")
    write_table(run / "samples/main/training.parquet", table)
    with h5py.File(run / "samples/main/training.h5", "w") as file:
        file["flux"] = flux[use]
    for network in ("photometry", "spectra"):
        rows = predicted(rng, table["rave_obs_id"], table, table["snr_rave"].to_numpy(), 0.8)
        write_table(run / f"predictions/main/{network}/training.parquet", rows.assign(role=table["role"]))
    write_json(run / "samples/main/selection.json", {"flow": [{"cut": "all rows", "kept": len(table), "dropped": 0}]})
