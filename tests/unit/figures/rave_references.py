"""A made-up run of the RAVE half: stars, predictions of both networks, training sample, literature; and the validations of it.

Values are drawn near a main sequence and a giant branch; references carry the offsets that Guiglion et al. (2020) print, so that a
validation must find them again.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from starlabels.io import write_table
from starlabels.rave.validation.bdasp import run_bdasp
from starlabels.rave.validation.clusters import run_clusters
from starlabels.rave.validation.irfm import run_irfm
from starlabels.rave.validation.k2 import run_k2
from starlabels.rave.validation.literature import run_literature
from starlabels.rave.validation.photometry_gain import run_photometry_gain

LABELS = ("teff", "logg", "mh", "feh", "alpha_m", "si_fe", "al_fe", "mg_fe", "ni_fe")
CNN = {"photometry": (60.0, 0.09, 0.05, 0.02), "spectra": (140.0, 0.30, 0.09, 0.03)}    # scatter of Teff, log g, [M/H], elements
CLUSTERS = {  # name in the lists: (stars, Teff range, log g range, [Fe/H])
    "47 Tuc": (12, (3900, 4900), (0.8, 2.2), -0.72), "IC 4651": (8, (4600, 6200), (2.6, 4.3), 0.11),
    "Pleiades": (10, (4800, 6500), (4.3, 4.7), 0.03), "Blanco 1": (1, (5400, 5500), (4.4, 4.5), 0.04),
    "omega Cen": (12, (3900, 4500), (0.4, 1.2), -1.53),
}


def true_stars(n: int, rng) -> pd.DataFrame:
    """Dwarfs and giants with plausible labels."""
    giant = rng.random(n) < 0.5
    teff_dwarf = np.clip(rng.normal(5900, 550, n), 4300, 7300)
    logg_giant = np.where(rng.random(n) < 0.35, rng.normal(2.45, 0.08, n), np.clip(rng.normal(2.4, 0.7, n), 0.3, 3.6))
    feh = np.clip(-0.15 - np.abs(rng.normal(0, 0.3, n)) + rng.normal(0.1, 0.2, n), -2.4, 0.5)
    logg_dwarf = 4.55 - 0.55 * np.clip((teff_dwarf - 5200) / 1500, 0, 1.2) + rng.normal(0, 0.08, n)
    teff_giant = np.clip(4350 + 270 * (logg_giant - 1.6) - 130 * feh + rng.normal(0, 60, n), 3600, 5400)
    alpha = np.clip(0.02 - 0.22 * feh, 0, 0.27) + rng.normal(0, 0.03, n)
    return pd.DataFrame({
        "teff": np.where(giant, teff_giant, teff_dwarf), "logg": np.where(giant, logg_giant, logg_dwarf), "mh": feh + 0.01, "feh": feh,
        "alpha_m": alpha, "si_fe": alpha * 0.9, "al_fe": alpha * 0.8 + 0.02, "mg_fe": alpha * 1.15, "ni_fe": 0.02 + 0 * alpha,
    })


def noisy(truth: pd.DataFrame, scatter: tuple, rng) -> pd.DataFrame:
    """Predicted labels and their errors."""
    out = {}
    for p in LABELS:
        s = scatter[min(LABELS.index(p), 2) if p in ("teff", "logg", "mh", "feh") else 3]
        out[f"{p}_cnn"] = (truth[p] + s * rng.standard_normal(len(truth))).astype(np.float32)
        out[f"{p}_cnn_err"] = np.full(len(truth), 0.4 * s, np.float32)
        out[f"{p}_cnn_flag"] = np.zeros(len(truth), np.int8)
    return pd.DataFrame(out)


def write_run(
    folder: Path, n: int = 4000, n_train: int = 1200, n_k2: int = 60, n_hr: int = 150, clusters: bool = True, slices: int = 2
) -> dict:
    """Write the files of a run below `folder` and return their paths by the name of the adapters' inputs."""
    rng = np.random.default_rng(5)
    truth = true_stars(n, rng)
    where = {name: np.zeros(n, bool) for name in CLUSTERS}
    start = n_k2
    for name, (members, teff, logg, feh) in CLUSTERS.items() if clusters else ():
        rows = slice(start, start + members)
        truth.loc[truth.index[rows], ["teff", "logg", "mh", "feh"]] = np.column_stack([
            rng.uniform(*teff, members), rng.uniform(*logg, members), np.full(members, feh), np.full(members, feh)])
        where[name][rows] = True
        start += members
    k2 = np.arange(n) < n_k2
    truth.loc[k2, "logg"] = rng.uniform(1.5, 3.3, n_k2)
    truth.loc[k2, "teff"] = 4350 + 270 * (truth.loc[k2, "logg"] - 1.6)
    ids = np.array([f"2005{i % 12 + 1:02d}01_m{i:06d}_001" for i in range(n)])
    dwarf = truth["logg"].to_numpy() > 3.5
    hot = truth["teff"].to_numpy() > 5200
    stars = pd.DataFrame({
        "rave_obs_id": ids, "raveid": [f"J{i // 2 * 2 if i % 10 == 1 else i:06d}" for i in range(n)],
        "snr_rave": 12 + 70 * rng.random(n) ** 0.8, "parallax_error_ratio": np.where(rng.random(n) < 0.94, 0.05, 0.4),
        "class_normal": rng.random(n) < 0.97, "in_observed": rng.random(n) < 0.98,
        "logg_bdasp": truth["logg"] - np.where(dwarf, 0.1, 0.0) + rng.normal(0, 0.1, n),
        "teff_irfm": truth["teff"] + np.where(hot, 250 + 260 * rng.standard_normal(n), 20 + 90 * rng.standard_normal(n)),
        "logg_k2": np.where(k2, truth["logg"] + 0.03 + 0.03 * rng.standard_normal(n), np.nan),
    })
    stars.loc[rng.random(n) < 0.03, "logg_bdasp"] = np.nan
    paths = {"stars": [], "photometry": [], "spectra": []}
    paths |= {name: folder / f"{name}.parquet" for name in ("training", "literature")}
    order = np.arange(n) % slices
    predicted = {network: noisy(truth, s, rng).assign(rave_obs_id=ids) for network, s in CNN.items()}
    for k in range(slices):
        rows = order == k
        for kind, frame in (("stars", stars), *((network, f[stars["in_observed"].to_numpy()]) for network, f in predicted.items())):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            paths[kind].append(folder / kind / f"south{k}-000.parquet")
            write_table(paths[kind][-1], frame[rows[frame.index]].reset_index(drop=True))
    chosen = np.sort(rng.permutation(n)[:n_train])
    chosen = np.unique(np.concatenate([chosen, np.arange(0, start, 3)]))
    training = pd.concat([stars[["rave_obs_id", "raveid", "logg_bdasp", "teff_irfm", "logg_k2", "snr_rave"]], truth], axis=1).iloc[chosen]
    training = training.assign(role=np.where(rng.random(len(chosen)) < 0.94, "train", "test")).reset_index(drop=True)
    write_table(paths["training"], training)
    for network, frame in predicted.items():
        paths[f"training_{network}"] = folder / f"training_{network}.parquet"
        write_table(paths[f"training_{network}"], frame.iloc[chosen].assign(role=training["role"].to_numpy()).reset_index(drop=True))
    write_table(paths["literature"], _literature(truth, ids, where, start, n_hr, rng))
    return paths


def _literature(truth: pd.DataFrame, ids: np.ndarray, where: dict, start: int, n_hr: int, rng) -> pd.DataFrame:
    def entries(rows, kind, name, cluster, year):
        t, n = truth.iloc[rows], len(rows)
        values = {
            "teff_hr": t["teff"] + 110 * rng.standard_normal(n), "logg_hr": t["logg"] - 0.13 + 0.15 * rng.standard_normal(n),
            "feh_hr": t["feh"] - 0.02 + 0.12 * rng.standard_normal(n), "alpha_fe_hr": t["alpha_m"] + 0.08 * rng.standard_normal(n),
            "mg_fe_hr": t["mg_fe"] + 0.08 * rng.standard_normal(n), "si_fe_hr": t["si_fe"] + 0.08 * rng.standard_normal(n),
            "al_fe_hr": t["al_fe"] + 0.1 * rng.standard_normal(n), "ni_fe_hr": t["ni_fe"] + 0.05 * rng.standard_normal(n),
        }
        if kind == "cluster":
            values |= {c: np.full(n, np.nan) for c in values if c.endswith("_fe_hr")}
            values["teff_hr"] = t["teff"] + (353.0 if cluster == "Pleiades" else 0.0) + 40 * rng.standard_normal(n)
            values["feh_hr"] = t["feh"] - (0.13 if cluster == "47 Tuc" else 0.0) + 0.04 * rng.standard_normal(n)
        head = {"rave_obs_id": ids[rows], "kind": kind, "list": name, "cluster": cluster, "year": year}
        head["star_name"] = [f"{name} {i}" for i in rows]
        return pd.DataFrame(head | {k: np.asarray(v) for k, v in values.items()})

    parts = [entries(np.arange(start, start + n_hr), "hr", "hr_bensby2014", "", 2014)]
    parts.append(entries(np.arange(start, start + n_hr // 5), "hr", "hr_reddy2003", "", 2003))      # older entries of the same stars
    parts += [entries(np.flatnonzero(mask), "cluster", f"cl_{name.lower().replace(' ', '')}", name, 2009) for name, mask in where.items()]
    found = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    return found.astype({c: "str" for c in ("rave_obs_id", "kind", "list", "cluster", "star_name")} | {"year": "int32"})


def validate(paths: dict, folder: Path, cfg: dict) -> dict:
    """Run all six validations; {name: {output: path}, ...} with what each returned under `<name>_found`."""
    rows = (paths["stars"], paths["photometry"], paths["spectra"])
    train = (paths["training"], paths["training_photometry"], paths["training_spectra"])
    made, found = {}, {}
    folder.mkdir(parents=True, exist_ok=True)

    def out(name, *kinds):
        endings = {"summary": ".json", "table": ".parquet", "density": "_density.parquet", "hist": "_hist.parquet"}
        made[name] = {k: folder / f"{name}{endings[k]}" for k in kinds}
        return [made[name][k] for k in kinds]

    found["k2"] = run_k2(*rows, *train, cfg, True, *out("k2", "table", "summary"))
    found["bdasp"] = run_bdasp(*rows, *train, cfg, True, *out("bdasp", "summary", "density", "hist"))
    found["irfm"] = run_irfm(*rows, *train, cfg, True, *out("irfm", "summary", "density", "hist"))
    found["literature"] = run_literature(paths["literature"], *rows, cfg, True, *out("literature", "table", "summary"))
    found["clusters"] = run_clusters(paths["literature"], *rows, paths["training"], cfg, True, *out("clusters", "table", "summary"))
    found["photometry"] = run_photometry_gain(*rows, made["k2"]["table"], made["literature"]["table"], cfg, True,
                                              *out("photometry", "density", "summary"))
    return {"files": made, "found": found}
