"""Labels of stars from an ensemble of networks: mean and dispersion over the networks, boundary flags (Sections 4.2 and 5).

The error of a label is the population standard deviation over the kept networks (B-18). A flag is 1 where the mean leaves the
range that the label has in the training sample (B-16).
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ..ensemble import Ensemble
from ..errors import InputError
from ..io import read_table, write_table
from ..spectra import grid_of
from ..spectra_pack import read_packed
from .engines import predict_networks
from .fit import ID, same_rows
from .scaling import BANDS, DISTANCE, raw_inputs, scaled, unscaled
from .variants import merged

log = logging.getLogger(__name__)

TITLES = {
    "teff": "Effective temperature", "logg": "Surface gravity, log10(cm/s2)", "mh": "[M/H]", "feh": "[Fe/H]", "alpha_m": "[alpha/M]",
    "si_fe": "[Si/Fe]", "al_fe": "[Al/Fe]", "mg_fe": "[Mg/Fe]", "ni_fe": "[Ni/Fe]",
}  # fmt: skip


def label_columns(flux: np.ndarray, raw: np.ndarray, ensemble: Ensemble, cfg: Mapping, threads: int) -> tuple[np.ndarray, dict]:
    """Predictions for the stars that have all the networks take.

    Parameters
    ----------
    flux : ndarray (n, pixels) of float32
    raw : ndarray (n, inputs) of float64
        Photometric inputs before scaling.

    Returns
    -------
    usable : ndarray (n,) of bool
        Stars without a missing pixel or input; the columns have a row for each of these.
    columns : dict of ndarray
        `<label>_cnn`, `<label>_cnn_err` (float32), `<label>_cnn_flag` (int8).
    """
    a, about = ensemble.architecture, ensemble.about
    inputs = scaled(raw, about["scaling"]["inputs"], about["inputs"]) if a.inputs else np.empty((len(flux), 0))
    usable = np.isfinite(inputs).all(axis=1) & np.isfinite(flux).all(axis=1)
    flux, inputs = np.ascontiguousarray(flux[usable]), np.ascontiguousarray(inputs[usable], dtype=np.float32)
    mean, spread = predict_networks(flux, inputs, ensemble.weights, a, cfg, threads)
    labels, columns = about["labels"], {}
    values = unscaled(mean, about["scaling"]["labels"], labels)
    for k, label in enumerate(labels):
        low, high = about["scaling"]["labels"][label]
        first, last = about["scaling"]["flags"][label]
        columns[f"{label}_cnn"] = values[:, k].astype(np.float32)
        columns[f"{label}_cnn_err"] = (spread[:, k] * (high - low)).astype(np.float32)
        columns[f"{label}_cnn_flag"] = ((values[:, k] < first) | (values[:, k] > last)).astype(np.int8)
    return usable, columns


def describe(labels, n_networks: int) -> dict[str, dict]:
    """Unit and description of the columns of predictions."""
    about = {ID: {"unit": "", "description": "RAVE observation"}}
    for label in labels:
        unit, title = "K" if label == "teff" else "dex", TITLES.get(label, label)
        about[f"{label}_cnn"] = {"unit": unit, "description": f"{title}, mean of {n_networks} networks"}
        about[f"{label}_cnn_err"] = {"unit": unit, "description": f"Standard deviation of {title} over {n_networks} networks"}
        about[f"{label}_cnn_flag"] = {"unit": "", "description": f"1: {title} is outside the range of the training sample"}
    return about


def _write(path, frame: pd.DataFrame, ensemble: Ensemble, counts: Mapping) -> None:
    n, about = len(ensemble.weights), ensemble.about
    meta = {**{k: about[k] for k in ("variant", "network", "simulated")}, "n_networks": n, "counts": dict(counts)}
    write_table(path, frame, describe(about["labels"], n), meta)


def _fits(ensemble: Ensemble, cfg: Mapping, path) -> None:
    """Refuse an ensemble of other labels, inputs or pixels than the configuration's."""
    a, about = ensemble.architecture, ensemble.about
    for what, own, wanted in (
        ("labels", about["labels"], list(cfg["labels"])),
        ("inputs", about["inputs"], list(cfg["inputs"]) if a.inputs else []),
        ("pixels", a.pixels, cfg["spectra"]["pixels"] if a.pixels else 0),
    ):
        if own != wanted:
            raise InputError(f"{path}, {what}", f"are {own}, the configuration has {wanted}", "Train again")


def run_predict(
    stars: str | Path, spectra: str | Path, ensemble_path: str | Path, cfg: Mapping, variant: str, threads: int, output: str | Path
) -> dict:
    """Predict the observed stars of one slice.

    Parameters
    ----------
    stars, spectra : path
        `rave/stars/{slice}.parquet`, `rave/spectra/{slice}.h5`, row by row the same spectra.
    ensemble_path : path
        ensemble.npz.
    cfg : mapping
        The `rave` part of the configuration; the variant's changes are merged in here.
    output : path
        A row a star of the observed sample that has all the network takes; the rest is counted in the metadata.

    Returns
    -------
    dict
        observed, predicted, without_prediction (observed stars with a missing pixel or input).

    Raises
    ------
    InputError
        When the files do not belong together, or a column is absent.
    """
    cfg, ensemble = merged(cfg, variant), Ensemble.load(ensemble_path)
    _fits(ensemble, cfg, ensemble_path)
    photometry = [*BANDS, "parallax", *([DISTANCE] if cfg["distance"] == "starhorse" else [])]
    photometry += [name for name in cfg["inputs"] if not name.startswith("abs_")]
    wanted = photometry if ensemble.architecture.inputs else []
    frame = read_table(stars, list(dict.fromkeys([ID, "in_observed", *wanted])))
    packed = read_packed(spectra, grid_of(cfg["spectra"]))
    same_rows(packed.ids, spectra, frame[ID], stars)
    rows = frame["in_observed"].to_numpy(bool)
    frame, flux = frame[rows].reset_index(drop=True), packed.flux[rows]
    raw = raw_inputs(frame, cfg) if wanted else np.empty((len(frame), 0))
    usable, columns = label_columns(flux, raw, ensemble, cfg, threads)
    counts = {"observed": len(frame), "predicted": int(usable.sum()), "without_prediction": int((~usable).sum())}
    if counts["without_prediction"]:
        names = ", ".join(frame.loc[~usable, ID].iloc[:3])
        log.warning("%s: %d observed stars miss a pixel or an input and get no labels: %s", stars, counts["without_prediction"], names)
    _write(output, pd.DataFrame({ID: frame.loc[usable, ID].reset_index(drop=True), **columns}), ensemble, counts)
    log.info("%s: %d of %d observed stars predicted by %d networks", stars, counts["predicted"], len(frame), len(ensemble.weights))
    return counts


def run_predict_training(
    training: str | Path, spectra: str | Path | None, ensemble_path: str | Path, cfg: Mapping, variant: str, threads: int,
    output: str | Path,
) -> None:
    """Predict the training and the test sample of a variant; the output has `role` too.

    Parameters
    ----------
    training, spectra : path
        training.parquet, training.h5; other parameters as of `run_predict`.

    Raises
    ------
    InputError
        As `run_predict`, and when a spectrum of the sample cannot be predicted.
    """
    cfg, ensemble = merged(cfg, variant), Ensemble.load(ensemble_path)
    _fits(ensemble, cfg, ensemble_path)
    inputs = list(cfg["inputs"]) if ensemble.architecture.inputs else []
    frame = read_table(training, [ID, "role", *inputs])
    flux = np.empty((len(frame), 0), np.float32)
    if ensemble.architecture.pixels:
        packed = read_packed(spectra, grid_of(cfg["spectra"]))
        same_rows(packed.ids, spectra, frame[ID], training)
        flux = packed.flux
    usable, columns = label_columns(flux, frame[inputs].to_numpy(np.float64), ensemble, cfg, threads)
    if not usable.all():
        raise InputError(training, f"misses a pixel or an input of {frame.loc[~usable, ID].iloc[0]}", "Delete it and run again")
    _write(output, pd.DataFrame({ID: frame[ID], "role": frame["role"], **columns}), ensemble, {"predicted": len(frame)})
