"""The five forests of a data set: training and prediction, as stages that read and write files (Gu et al. 2025, Section 2.5).

A model's name is its label and the stars it is for: feh_dwarf, feh_giant, teff_dwarf, teff_giant, logg_all. One .npz holds
the trees, the calibration of the errors, the domain and the out-of-bag predictions with the keys of the training stars; the
JSON beside it repeats for people what is small.
"""

import logging
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numba
import numpy as np
import pandas as pd

from .. import forest as forests
from ..domain import Domain, domain_columns, fit_domain
from ..errors import InputError
from ..io import TableWriter, iter_table, read_meta, read_table, row_count, write_json, write_table
from ..npz import load_arrays, save_arrays
from ..photometry import bands_of, column, feature_matrix, feature_names
from ..uncertainty import Calibration, calibrate

log = logging.getLogger(__name__)

LABELS = ("teff", "logg", "feh")
CLASSES = ("dwarf", "giant")
KEY = ["gaia_dr3_source_id", "survey"]  # one row of a samples table
_UNITS = {"teff": "K", "logg": "log10(cm/s2)", "feh": "dex"}
_PACKAGES = {"sklearn": "scikit-learn", "sklearnex": "scikit-learn-intelex"}  # of the engines that are not our own
_TITLES = {"teff": "effective temperature", "logg": "surface gravity", "feh": "[Fe/H]"}


def label_and_classes(model: str) -> tuple[str, tuple[str, ...]]:
    """Label and star classes of a model's name.

    Raises
    ------
    InputError
        When the name is not <label>_<dwarf|giant|all>.
    """
    label, _, kind = model.partition("_")
    if label not in LABELS or kind not in (*CLASSES, "all"):
        raise InputError("sages.models", f"names {model!r}", f"A model is <{'|'.join(LABELS)}>_<{'|'.join(CLASSES)}|all>")
    return label, CLASSES if kind == "all" else (kind,)


def feature_columns(cfg: Mapping, data_set: int) -> list[str]:
    """Columns of a features table that the features of a data set are made of."""
    switches = cfg["features"]
    names = [f"{band}_0" for band in bands_of(cfg, data_set)]
    names += ["parallax"] if switches["parallax"] else []
    names += [f"abs_{switches['abs_magnitude']}_0"] if switches["abs_magnitude"] else []
    return names + (["ebv_sfd"] if switches["ebv"] else [])


def photometric_noise(frame: pd.DataFrame, cfg: Mapping, data_set: int) -> np.ndarray:
    """Root of the summed squares of the magnitude errors of the data set's bands (mag)."""
    return np.sqrt(sum(column(frame, f"{band}_err") ** 2 for band in bands_of(cfg, data_set)))


def read_samples(path: str | Path, cfg: Mapping, data_set: int, model: str) -> pd.DataFrame:
    """Rows of a samples table that a model can use, training and test: its classes, with a usable label.

    Returns
    -------
    DataFrame
        Keys, `role`, `in_train`, `star_class`, the label and its error, the columns of the features and the magnitude errors.
    """
    label, classes = label_and_classes(model)
    wanted = [*KEY, "role", "in_train", "star_class", f"use_{label}", label, f"{label}_err"]
    wanted += [*feature_columns(cfg, data_set), *(f"{band}_err" for band in bands_of(cfg, data_set))]
    frame = read_table(path, list(dict.fromkeys(wanted)))
    rows = frame[f"use_{label}"].to_numpy(bool) & frame["star_class"].isin(classes).to_numpy()
    return frame.loc[rows].reset_index(drop=True)


def training_rows(frame: pd.DataFrame, model: str, path: str | Path) -> pd.DataFrame:
    """The rows of `read_samples` with role train.

    Raises
    ------
    InputError
        When there is none, or one row stands twice.
    """
    rows = frame.loc[(frame["role"] == "train").to_numpy()].reset_index(drop=True)
    if not len(rows):
        raise InputError(path, f"has no training star for the model {model}", "Loosen the cuts, or take the model out of sages.models")
    if rows.duplicated(KEY).any():
        star = rows.loc[rows.duplicated(KEY), KEY[0]].iloc[0]
        raise InputError(f"{path}, column {KEY[0]}", f"star {star} stands twice for one survey", "One row a star and survey is needed")
    return rows


def clean_test_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `read_samples` with role test whose star is not in the training sample (A-9)."""
    return frame.loc[(frame["role"] == "test").to_numpy() & ~frame["in_train"].to_numpy(bool)].reset_index(drop=True)


def run_train(
    samples_path: str | Path,
    cfg: Mapping,
    data_set: int,
    model: str,
    seed: int,
    threads: int,
    output_npz: str | Path,
    output_json: str | Path,
) -> None:
    """Train one model.

    Parameters
    ----------
    samples_path : path
        Samples table of the data set.
    cfg : mapping
        `sages` of the configuration.
    output_npz, output_json : path
        The model; what people want to know about it.

    Raises
    ------
    InputError
        For an unknown model or engine, no training star, or a feature or label that is not finite.
    """
    label, classes = label_and_classes(model)
    rows = training_rows(read_samples(samples_path, cfg, data_set, model), model, samples_path)
    names, x = feature_matrix(rows, cfg, data_set)
    y, y_err = column(rows, label), column(rows, f"{label}_err")
    started = time.perf_counter()
    forest, oob = forests.train(x, y, cfg["forest"], seed, threads, names)
    seconds = time.perf_counter() - started
    log.info("%s: %d stars, %d trees, out-of-bag R2 %.4f, %.1f s", model, len(y), forest.n_trees, oob.score, seconds)
    settings = cfg["uncertainty"]
    residual = oob.mean - y
    known_errors = bool(np.isfinite(y_err).any())
    noise = photometric_noise(rows, cfg, data_set)
    calibration = calibrate(
        residual, oob.spread, y_err if known_errors else np.zeros_like(y), oob.count, noise, forest.n_trees, settings["bins"]
    )
    if calibration.floored.any():
        log.warning("%s: label errors exceed the scatter in %d of %d bins", model, calibration.floored.sum(), len(calibration.floored))
    domain = fit_domain(x, domain_columns(names, settings["domain_without"]), settings["domain_quantile"], seed)
    oob_error = calibration.error(oob.spread, noise)
    keys = {"key_id": rows[KEY[0]].to_numpy(np.int64), "key_survey": rows[KEY[1]].to_numpy(dtype=object).astype(np.str_)}
    save_arrays(output_npz, {**forest.arrays(), **oob.arrays(), **calibration.arrays(), **domain.arrays(), **keys, "oob_error": oob_error})
    surveys = rows["survey"].value_counts().sort_index()
    # scikit-learn fits the calibration and the domain, whatever grows the trees
    packages = {"scikit-learn", _PACKAGES.get(cfg["forest"].get("engine"), "scikit-learn")}
    write_json(output_json, {
        "model": model, "data_set": data_set, "label": label, "unit": _UNITS[label], "star_classes": list(classes),
        "features": names, "n_train": len(y), "n_train_by_survey": {str(k): int(n) for k, n in surveys.items()},
        "label_limits": [y.min(), y.max()], "forest": dict(cfg["forest"]), "n_trees": forest.n_trees, "n_nodes": len(forest.nodes),
        "deepest": int(forest.depths.max()), "oob_r2": oob.score, "oob_bias": np.nanmean(residual), "oob_std": np.nanstd(residual),
        "calibration": calibration.summary(), "calibration_noise": calibration.noise, "label_errors_known": known_errors,
        "domain": {
            "features": [names[k] for k in domain.columns], "rank": domain.projection.shape[1], "components": len(domain.weights),
            "quantile": settings["domain_quantile"], "limit": domain.limit,
        },
        "seed": seed, "seconds": seconds, "threads": threads,
        "versions": {
            "python": platform.python_version(), "numpy": np.__version__, "numba": numba.__version__,
            **{name: version(name) for name in sorted(packages)},
        },
    })


def _apply(
    model_paths: Mapping[str, str | Path], names: list[str], x: np.ndarray, noise: np.ndarray, star_class: np.ndarray, threads: int
) -> dict[str, np.ndarray]:
    """Predictions of all models for a feature matrix, each model for its own classes; one forest in memory at a time.

    Returns
    -------
    dict of ndarray (n,)
        `<label>` and `<label>_err` (float32, NaN where no model is for the star) and `out_of_domain` (bool: for any of the
        models used, or no model at all).
    """
    n = len(x)
    out = {name: np.full(n, np.nan, np.float32) for label in LABELS for name in (label, f"{label}_err")}
    outside, covered = np.zeros(n, bool), np.zeros(n, bool)
    for model in sorted(model_paths):
        label, classes = label_and_classes(model)
        rows = np.flatnonzero(np.isin(star_class, classes))
        if not len(rows):
            continue
        arrays = load_arrays(model_paths[model])
        own = x[rows]
        mean, spread = forests.Forest.from_arrays(arrays).predict_spread(own, threads, names)
        out[label][rows] = mean
        out[f"{label}_err"][rows] = Calibration.from_arrays(arrays).error(spread, noise[rows])
        outside[rows] |= Domain.from_arrays(arrays).outside(own, threads)
        covered[rows] = True
    out["out_of_domain"] = outside | ~covered
    return out


def _cool(frame: pd.DataFrame, cfg: Mapping) -> np.ndarray:
    """Stars too red for a reliable temperature (Section 4, A-24)."""
    settings = cfg["cool_mask"]
    if settings["colour_max"] is None:
        return np.zeros(len(frame), bool)
    blue, red = settings["colour"]
    return column(frame, f"{blue}_0") - column(frame, f"{red}_0") > settings["colour_max"]


def _metadata(suffix: str = "") -> dict[str, dict]:
    """Unit and description of the predicted columns."""
    meta = {}
    for label in LABELS:
        unit, title = _UNITS[label], _TITLES[label]
        meta[f"{label}{suffix}"] = {"unit": unit, "description": f"{title}, random forest", "source": "this work"}
        meta[f"{label}{suffix}_err"] = {
            "unit": unit, "description": f"error of {title} against the truth, one sigma", "source": "this work",
        }
    meta["out_of_domain"] = {"description": "unlike the training stars of a model that was used", "source": "this work"}
    return meta


def run_predict(
    features_path: str | Path, model_paths: Mapping[str, str | Path], cfg: Mapping, data_set: int, threads: int, output: str | Path
) -> None:
    """Predict the stars of one cell.

    The table is read twice in pieces, first the columns of the features, then all columns to be written on; in between the
    models work one after another, so that only one forest, the feature matrix and the predictions of a cell are in memory.

    Parameters
    ----------
    features_path : path
        Features table of the cell; rows with `predict_set<data_set>` are predicted.
    model_paths : mapping
        Model -> .npz file.
    output : path
        All columns of the features of these rows with `teff teff_err logg logg_err feh feh_err out_of_domain cool_mask`;
        an empty table of the same columns when the cell has no such star.

    Raises
    ------
    InputError
        When a column is absent, or a star that passed the cuts misses a feature.
    """
    chosen, names = f"predict_set{data_set}", feature_names(cfg, data_set)
    needed = dict.fromkeys([chosen, "star_class", *feature_columns(cfg, data_set), *(f"{b}_err" for b in bands_of(cfg, data_set))])
    pieces, noises, classes = [np.empty((0, len(names)), np.float32)], [np.empty(0)], [np.empty(0, object)]
    for piece in iter_table(features_path, needed):
        piece = piece.loc[piece[chosen].to_numpy(bool)]
        pieces.append(feature_matrix(piece, cfg, data_set)[1])
        noises.append(photometric_noise(piece, cfg, data_set))
        classes.append(piece["star_class"].to_numpy(dtype=object))
    found = _apply(model_paths, names, np.concatenate(pieces), np.concatenate(noises), np.concatenate(classes), threads)
    columns = read_meta(features_path)["columns"] | _metadata()
    columns["cool_mask"] = {"description": "too red for a reliable temperature", "source": "this work"}
    done = 0
    with TableWriter(output, columns) as writer:
        for piece in iter_table(features_path) if row_count(features_path) else [read_table(features_path)]:
            piece = piece.loc[piece[chosen].to_numpy(bool)].reset_index(drop=True)
            own = {name: found[name][done : done + len(piece)] for name in _metadata()}
            writer.write(piece.assign(**own, cool_mask=_cool(piece, cfg)))
            done += len(piece)
    log.info("%s: %d stars predicted, %d out of domain", features_path, done, found["out_of_domain"].sum())


def run_predict_samples(
    samples_path: str | Path, model_paths: Mapping[str, str | Path], cfg: Mapping, data_set: int, threads: int, output: str | Path
) -> None:
    """Predict the training and test stars of a data set.

    Parameters
    ----------
    samples_path : path
        Samples table.
    model_paths : mapping
        Model -> .npz file.
    output : path
        All columns of the samples with `<label>_pred`, `<label>_pred_err`, `<label>_oob`, `out_of_domain`. A training star
        of a model has its out-of-bag prediction in `<label>_oob` and the error of that one in `<label>_pred_err`, since its
        `<label>_pred` comes from trees that know its label; `<label>_oob` is NaN for all others.
    """
    frame = read_table(samples_path)
    names, x = feature_matrix(frame, cfg, data_set)
    star_class = frame["star_class"].to_numpy(dtype=object)
    found = _apply(model_paths, names, x, photometric_noise(frame, cfg, data_set), star_class, threads)
    columns = read_meta(samples_path)["columns"] | _metadata("_pred")
    new = {}
    for label in LABELS:
        new[f"{label}_pred"], new[f"{label}_pred_err"] = found[label], found[f"{label}_err"]
        new[f"{label}_oob"] = np.full(len(frame), np.nan, np.float32)
        columns[f"{label}_oob"] = {"unit": _UNITS[label], "description": f"{_TITLES[label]}, out-of-bag", "source": "this work"}
    for model in sorted(model_paths):
        label = label_and_classes(model)[0]
        arrays = load_arrays(model_paths[model])
        stored = pd.DataFrame({KEY[0]: arrays["key_id"], KEY[1]: arrays["key_survey"].astype(object)})
        stored["oob"], stored["error"] = arrays["oob_mean"], arrays["oob_error"]
        own = frame[KEY].astype({KEY[1]: object}).merge(stored, how="left", on=KEY, validate="many_to_one")
        seen = np.isfinite(own["oob"].to_numpy()) & (frame["role"] == "train").to_numpy()
        new[f"{label}_oob"][seen] = own["oob"].to_numpy()[seen]
        new[f"{label}_pred_err"][seen] = own["error"].to_numpy()[seen]
    write_table(output, frame.assign(**new, out_of_domain=found["out_of_domain"]), columns)
