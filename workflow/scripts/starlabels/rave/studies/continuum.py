"""Spectra with another continuum level (Section 3.1.1, footnote): does the network look at the overall flux?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...ensemble import Ensemble
from ...io import read_table, write_json, write_table
from ...spectra import grid_of
from ...spectra_pack import read_packed
from ..fit import same_rows
from ..predict import label_columns
from ..rows import ID
from ..variants import merged
from .variants import change, one_network, ratios

SHIFT = 0.20               # of the flux, at most
WAYS = ("scaled", "shifted")
TABLE = ["way", "label", "role", "n", "bias", "sigma", "sigma_one", "bias_plain", "sigma_plain", "sigma_one_plain", "moved"]


def altered(flux: np.ndarray, way: str, rng: np.random.Generator) -> np.ndarray:
    """Spectra (n, pixels) whose continuum lies up to a fifth lower or higher, each by its own amount.

    scaled: flux times a factor, as a wrong normalisation gives; shifted: a constant is added.
    """
    amount = rng.uniform(-SHIFT, SHIFT, (len(flux), 1)).astype(np.float32)
    return flux * (1 + amount) if way == "scaled" else flux + amount


def run_continuum(
    training_path, spectra_path, ensemble_path, cfg: Mapping, simulated: bool, threads: int, out_table, out_json, seed: int = 42
) -> dict:
    """Predict training and test spectra as they are and with another continuum.

    Parameters
    ----------
    training_path, spectra_path : path
        `rave/samples/main/training.parquet` and `training.h5`.
    ensemble_path : path
        `rave/models/main/photometry/ensemble.npz`.
    cfg : mapping
        The `rave` configuration.
    out_table : path
        `TABLE`: bias and sigma against the labels with and without the change, `moved`: root mean square change of the label.
    out_json : path
        {shift, n_networks, ways {way: {role: {n, ratio, interval, change, labels}}}, holds (no clear change on the test
        spectra either way; the paper: no impact), simulated}. Ratios are those of the scatter of one network.
    """
    cfg, ensemble = merged(cfg, "main"), Ensemble.load(ensemble_path)
    labels, bootstrap = list(cfg["labels"]), int(cfg["validation"]["bootstrap"])
    inputs = list(cfg["inputs"]) if ensemble.architecture.inputs else []
    frame = read_table(training_path, list(dict.fromkeys([ID, "role", *inputs, *labels])))
    packed = read_packed(spectra_path, grid_of(cfg["spectra"]))
    same_rows(packed.ids, spectra_path, frame[ID], training_path)
    raw, reference = frame[inputs].to_numpy(np.float64), frame[labels].to_numpy(np.float64)
    roles, rng = frame["role"].to_numpy(dtype=str), np.random.default_rng(seed)

    def predicted(flux):
        usable, columns = label_columns(np.ascontiguousarray(flux, np.float32), raw, ensemble, cfg, threads)
        values = [np.full((len(frame), len(labels)), np.nan) for _ in range(2)]
        for k, label in enumerate(labels):
            for table, end in zip(values, ("_cnn", "_cnn_err"), strict=True):
                table[usable, k] = columns[f"{label}{end}"]
        return values

    plain, rows, ways = predicted(packed.flux), [], {}
    for way in WAYS:
        values, ways[way] = predicted(altered(packed.flux, way, rng)), {}
        for role in ("train", "test"):
            own = roles == role
            ours, theirs = ((v[own] - reference[own], e[own]) for v, e in (values, plain))
            found = ratios(ours, theirs, True, bootstrap, seed) if own.sum() > 1 else None
            ways[way][role] = {"n": int(own.sum()), "ratio": None, "interval": [None, None], "change": None}
            if found:
                ways[way][role] |= {"ratio": found["overall"], "interval": found["overall_interval"],
                                    "change": change(found["overall"], found["overall_interval"]),
                                    "labels": dict(zip(labels, map(float, found["ratio"]), strict=True))}
            moved = np.sqrt(np.nanmean((values[0][own] - plain[0][own]) ** 2, axis=0)) if own.any() else np.full(len(labels), np.nan)
            rows += _rows(way, role, labels, ours, theirs, moved) if own.any() else []
    answers = [ways[way]["test"]["change"] for way in WAYS]
    content = {
        "shift": SHIFT, "n_networks": len(ensemble.weights), "ways": ways,
        "holds": None if None in answers else all(a == "no clear change" for a in answers),
        "says": "shifting the continuum by up to 20 % does not change the performance", "section": "3.1.1", "simulated": bool(simulated),
    }
    write_table(out_table, pd.DataFrame(rows, columns=TABLE), meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def _rows(way, role, labels, ours, theirs, moved) -> list[dict]:
    one, plain = one_network(*ours), one_network(*theirs)
    return [
        {"way": way, "label": label, "role": role, "n": len(ours[0]), "bias": float(np.nanmean(ours[0][:, k])),
         "sigma": float(np.nanstd(ours[0][:, k])), "sigma_one": one[k], "bias_plain": float(np.nanmean(theirs[0][:, k])),
         "sigma_plain": float(np.nanstd(theirs[0][:, k])), "sigma_one_plain": plain[k], "moved": float(moved[k])}
        for k, label in enumerate(labels)
    ]
