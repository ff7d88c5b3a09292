"""Studies of the forests that the default run leaves out: refits without the test stars, seeds, importance of the features."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score
from tqdm import tqdm

from ..errors import InputError
from ..forest import Forest, train
from ..forest_compact import check_matrix
from ..io import write_json, write_table
from ..npz import load_arrays
from ..photometry import column, feature_matrix
from .compare import measures
from .models import KEY, clean_test_rows, label_and_classes, read_samples, training_rows

log = logging.getLogger(__name__)


def _matrix(frame: pd.DataFrame, cfg: Mapping, data_set: int) -> np.ndarray:
    names, x = feature_matrix(frame, cfg, data_set)
    return check_matrix(x, names)


def _test_rows(frame: pd.DataFrame, samples_path: str | Path, model: str, clean: bool) -> pd.DataFrame:
    rows = clean_test_rows(frame) if clean else frame.loc[(frame["role"] == "test").to_numpy()].reset_index(drop=True)
    if not len(rows):
        raise InputError(samples_path, f"has no test star for {model}", "Loosen the cuts of the test surveys")
    return rows


def run_refit_leakage_free(
    samples_path: str | Path,
    cfg: Mapping,
    data_set: int,
    models: Sequence[str],
    model_paths: Mapping[str, str | Path],
    seed: int,
    threads: int,
    output_table: str | Path,
) -> None:
    """The literal split beside the clean one (A-9): what stars common to training and test do to the measures.

    Each model is trained again without the training rows of stars that are in the test set.

    Parameters
    ----------
    samples_path : path
        Samples table of the data set.
    models : sequence of str
        Models to refit.
    model_paths : mapping
        Model -> .npz of the literal training.
    output_table : path
        For each model one row a (training, test set): training literal or without_test_stars; test set all (as the paper),
        common (stars that the literal training knows) or clean (stars that it does not).

    Raises
    ------
    InputError
        When a model has no training or test star.
    """
    rows = []
    for model in tqdm(models, desc="refits", mininterval=5, disable=None):
        label = label_and_classes(model)[0]
        frame = read_samples(samples_path, cfg, data_set, model)
        literal, test = training_rows(frame, model, samples_path), _test_rows(frame, samples_path, model, clean=False)
        known = np.isin(literal[KEY[0]].to_numpy(), test[KEY[0]].to_numpy())
        reduced = literal.loc[~known].reset_index(drop=True)
        names, x = feature_matrix(reduced, cfg, data_set)
        refit, _ = train(x, column(reduced, label), cfg["forest"], seed, threads, names)
        new, truth = _matrix(test, cfg, data_set), column(test, label)
        common = np.isin(test[KEY[0]].to_numpy(), literal[KEY[0]].to_numpy())
        forests = {"literal": (Forest.load(model_paths[model]), len(literal)), "without_test_stars": (refit, len(reduced))}
        for training, (forest, n_train) in forests.items():
            residual = forest.predict(new, threads, names) - truth
            for subset, mask in (("all", np.ones(len(test), bool)), ("common", common), ("clean", ~common)):
                found = measures(residual[mask], truth[mask], label, cfg)
                rows.append({"model": model, "training": training, "test_set": subset, "n_train": n_train, **found})
    write_table(output_table, pd.DataFrame(rows), meta={"data_set": data_set, "seed": seed})


def run_seeds(
    samples_path: str | Path,
    cfg: Mapping,
    data_set: int,
    models: Sequence[str],
    seeds: Sequence[int],
    threads: int,
    output_table: str | Path,
    output_json: str | Path,
) -> None:
    """How far the measures on the clean test stars depend on the seed of the forest (A-31).

    Parameters
    ----------
    seeds : sequence of int
        One training a seed and model.
    output_table : path
        One row a (model, seed): out-of-bag R^2 and the measures on the clean test stars.
    output_json : path
        For each model mean, standard deviation and range of sigma, mean and oob_r2 over the seeds.
    """
    rows = []
    for model in models:
        label = label_and_classes(model)[0]
        frame = read_samples(samples_path, cfg, data_set, model)
        training, test = training_rows(frame, model, samples_path), _test_rows(frame, samples_path, model, clean=True)
        names, x = feature_matrix(training, cfg, data_set)
        new, truth = _matrix(test, cfg, data_set), column(test, label)
        for seed in tqdm(seeds, desc=f"seeds of {model}", mininterval=5, disable=None):
            forest, oob = train(x, column(training, label), cfg["forest"], seed, threads, names)
            residual = forest.predict(new, threads, names) - truth
            rows.append({"model": model, "seed": seed, "n_train": len(x), "oob_r2": oob.score, **measures(residual, truth, label, cfg)})
    table = pd.DataFrame(rows)
    write_table(output_table, table, meta={"data_set": data_set})
    content = {}
    for model, group in table.groupby("model", sort=True):
        content[model] = {
            name: {"mean": group[name].mean(), "std": group[name].std(), "range": group[name].max() - group[name].min()}
            for name in ("sigma", "robust_sigma", "mean", "oob_r2")
        }
    write_json(output_json, {"data_set": data_set, "seeds": list(seeds), "models": content})


def permutation_importance(
    forest: Forest, x: np.ndarray, y: np.ndarray, groups: Mapping[str, Sequence[int]], repeats: int, seed: int, threads: int
) -> pd.DataFrame:
    """Loss of R^2 when the columns of a group are given to other stars, all columns of the group alike (Breiman 2001).

    Unlike scikit-learn's, a group may hold several columns: distance enters as parallax and absolute magnitude at once.

    Parameters
    ----------
    x, y : ndarray (n, p), (n,)
        Stars that the forest has not seen.
    groups : mapping
        Name -> columns.
    repeats : int
        Permutations a group.

    Returns
    -------
    DataFrame
        `group`, `repeat`, `r2` (permuted), `loss` (of R^2), `std` (of prediction minus label, permuted).
    """
    whole = r2_score(y, forest.predict(x, threads))
    rows = []
    for number, (name, columns) in enumerate(tqdm(groups.items(), desc="importance", mininterval=5, disable=None)):
        rng = np.random.default_rng([seed, number])
        for repeat in range(repeats):
            other = x.copy()
            other[:, columns] = x[rng.permutation(len(x))][:, columns]
            prediction = forest.predict(other, threads)
            r2 = r2_score(y, prediction)
            rows.append({"group": name, "repeat": repeat, "r2": r2, "loss": whole - r2, "std": float(np.std(prediction - y))})
    return pd.DataFrame(rows)


def feature_groups(names: Sequence[str], cfg: Mapping) -> dict[str, list[int]]:
    """Groups of features whose importance is asked: each feature; parallax with absolute magnitude; each band; both kinds of rest."""
    groups = {name: [k] for k, name in enumerate(names)}
    distance = [k for k, name in enumerate(names) if name == "parallax" or name.startswith("abs_")]
    if len(distance) > 1:
        groups["parallax and absolute magnitude"] = distance
    for band, spec in cfg["bands"].items():
        tag = spec["tag"]
        own = [k for k, name in enumerate(names) if name == f"{band}_0" or (name.startswith("col_") and tag in name.split("_")[1:3])]
        if len(own) > 1:
            groups[f"all features with {band}"] = own
    for title, start in (("all magnitudes", None), ("all colours", "col_")):
        magnitudes = [f"{band}_0" for band in cfg["bands"]]
        own = [k for k, name in enumerate(names) if (name in magnitudes if start is None else name.startswith(start))]
        if len(own) > 1:
            groups[title] = own
    return groups


def run_permutation_importance(
    samples_path: str | Path,
    model_paths: Mapping[str, str | Path],
    cfg: Mapping,
    data_set: int,
    models: Sequence[str],
    seed: int,
    threads: int,
    output_table: str | Path,
    output_json: str | Path,
    repeats: int = 5,
) -> None:
    """What each feature is worth to a model on the clean test stars; for log g, how far it rests on the parallax.

    Parameters
    ----------
    models : sequence of str
        Models to examine.
    output_table : path
        One row a (model, group, repeat) with `r2`, `loss`, `std`.
    output_json : path
        For each model R^2 as it is, and the mean loss of every group, largest first.
    """
    tables, content = [], {}
    for model in models:
        label = label_and_classes(model)[0]
        test = _test_rows(read_samples(samples_path, cfg, data_set, model), samples_path, model, clean=True)
        names, x = feature_matrix(test, cfg, data_set)
        x, y = check_matrix(x, names), column(test, label)
        forest = Forest.from_arrays(load_arrays(model_paths[model]))
        forest.check_names(names)
        table = permutation_importance(forest, x, y, feature_groups(names, cfg), repeats, seed, threads)
        tables.append(table.assign(model=model))
        losses = table.groupby("group")["loss"].mean().sort_values(ascending=False)
        content[model] = {"n_test": len(y), "r2": r2_score(y, forest.predict(x, threads)), "loss": losses.to_dict()}
    write_table(output_table, pd.concat(tables, ignore_index=True), meta={"data_set": data_set, "seed": seed})
    write_json(output_json, {"data_set": data_set, "seed": seed, "repeats": repeats, "models": content})
