"""Figure 4: how the out-of-bag score depends on the number of trees, the features tried at a split, and the depth.

Two properties make the scan cheap, and tests hold both. A forest of 750 trees contains the forests of fewer trees of the same
seed, so one forest a `max_features` gives the score after every number of trees. And a tree that tries all features at every
split contains the shallower trees: cut at depth d it is the tree grown to depth d, but for ties between equal splits. So one
deep forest a repeat gives the score at every depth.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ..forest import OutOfBagSums, check_labels, new_regressor, unseen, unseen_predictions
from ..forest_compact import check_matrix
from ..forest_trees import tried
from ..io import write_json, write_table
from ..photometry import column, feature_matrix
from .models import label_and_classes, read_samples, training_rows

log = logging.getLogger(__name__)

FULL_REPEATS = 5
_COLUMNS = {
    "kind": {"description": "trees: number of trees and features a split; depth: depth of the trees"},
    "max_features": {"description": "features tried at a split; all: every one"},
    "n_estimators": {"description": "number of trees"},
    "max_depth": {"description": "largest depth of a tree"},
    "repeat": {"description": "number of the seed"},
    "oob_r2": {"description": "out-of-bag coefficient of determination"},
    "one_minus_oob": {"description": "1 - oob_r2"},
    "seconds": {"unit": "s", "description": "wall time of the fit; missing where the forest is part of a larger one"},
}


def name_of(max_features) -> str:
    """Text form of a `max_features`: all, sqrt, log2 or the number."""
    return "all" if max_features is None else str(max_features)


def trees_panel(
    x: np.ndarray, y: np.ndarray, settings: Mapping, numbers: Sequence[int], features: Sequence, seed: int, threads: int
) -> list[dict]:
    """Out-of-bag score and cumulative time of the fit after each number of trees, for each `max_features`.

    Parameters
    ----------
    x, y : ndarray (n, p), (n,)
        Training stars.
    settings : mapping
        `sages.forest`.
    numbers : sequence of int
        Numbers of trees.
    features : sequence
        Values of `max_features`.
    """
    rows, known = [], {}
    for max_features in features:
        number = tried(max_features, x.shape[1])
        if number in known:  # sqrt and log2 of 18 are the same forest
            rows += [{**row, "max_features": name_of(max_features)} for row in known[number]]
            continue
        forest = new_regressor(settings, seed, threads, max_features=max_features, warm_start=True)
        sums, seconds, done = OutOfBagSums(y), 0.0, 0
        for n in tqdm(sorted(numbers), desc=f"trees, max_features {name_of(max_features)}", mininterval=5):
            forest.n_estimators = n
            started = time.perf_counter()
            forest.fit(x, y)
            seconds += time.perf_counter() - started
            for seen in unseen_predictions(forest.estimators_[done:], x, threads):
                sums.add(*seen)
            done = n
            own = {"max_features": name_of(max_features), "n_estimators": n, "oob_r2": sums.score(), "seconds": seconds}
            rows.append(own)
            known.setdefault(number, []).append(own)
    return rows


def predictions_at_depths(tree, x: np.ndarray, depths: Sequence[int]) -> dict[int, np.ndarray]:
    """Predictions of a fitted tree as if it had been cut at each depth.

    Parameters
    ----------
    tree : scikit-learn's Tree, or Nodes (`estimator.tree_`)
    x : ndarray (n, p) of float32

    Returns
    -------
    dict
        Depth -> prediction (n,).
    """
    node, rows, value = np.zeros(len(x), np.int64), np.arange(len(x)), tree.value[:, 0, 0]
    out = {}
    for level in range(max(depths) + 1):
        if level in depths:
            out[level] = value[node]
        left = tree.children_left[node]
        below = np.where(x[rows, tree.feature[node]] <= tree.threshold[node], left, tree.children_right[node])
        node = np.where(left >= 0, below, node)
    return out


def depth_panel(
    x: np.ndarray, y: np.ndarray, settings: Mapping, depths: Sequence[int], seed: int, threads: int, direct: bool
) -> list[dict]:
    """Out-of-bag score at each depth.

    Parameters
    ----------
    direct : bool
        Fit a forest for every depth; otherwise cut one deep forest. Where not all features are tried at a split the
        cut trees would be others, and every depth is fitted whatever this says.
    """
    if direct or settings["max_features"] is not None:
        rows = []
        for depth in tqdm(depths, desc="depths", mininterval=5):
            own = {**settings, "max_depth": depth}
            found = trees_panel(x, y, own, [settings["n_estimators"]], [settings["max_features"]], seed, threads)[0]
            rows.append({"max_depth": depth, "oob_r2": found["oob_r2"], "seconds": found["seconds"]})
        return rows
    forest = new_regressor({**settings, "max_depth": max(depths)}, seed, threads).fit(x, y)
    sums = {depth: OutOfBagSums(y) for depth in depths}
    for estimator in tqdm(forest.estimators_, desc="depths", mininterval=5):
        rows = unseen(estimator, len(x))
        for depth, prediction in predictions_at_depths(estimator.tree_, x[rows], depths).items():
            sums[depth].add(rows, prediction)
    return [{"max_depth": depth, "oob_r2": sums[depth].score(), "seconds": np.nan} for depth in depths]


def run_scan(
    samples_path: str | Path,
    cfg: Mapping,
    seed: int,
    threads: int,
    output_table: str | Path,
    output_json: str | Path,
    full: bool = False,
) -> None:
    """Scan the hyper-parameters of one model (`sages.scan`).

    Parameters
    ----------
    samples_path : path
        Samples table of `sages.scan.data_set`.
    full : bool
        All training stars, five seeds in both panels, every depth fitted directly.

    Raises
    ------
    InputError
        When there is no training star, or a `max_features` is out of range.
    """
    settings, forest = cfg["scan"], cfg["forest"]
    model = settings["model"]
    frame = training_rows(read_samples(samples_path, cfg, settings["data_set"], model), model, samples_path)
    limit = None if full else settings["max_stars"]
    if limit is not None and len(frame) > limit:
        chosen = np.random.default_rng(seed).choice(len(frame), limit, replace=False)
        frame = frame.iloc[np.sort(chosen)].reset_index(drop=True)
    names, x = feature_matrix(frame, cfg, settings["data_set"])
    x, y = check_matrix(x, names), check_labels(column(frame, label_and_classes(model)[0]))
    numbers = sorted({*settings["n_estimators"], forest["n_estimators"]})
    features = list(dict.fromkeys([forest["max_features"], *settings["max_features"]]))
    depths = sorted({*settings["max_depth"], forest["max_depth"]})
    for key, values in (("forest", [forest["max_features"]]), ("scan", settings["max_features"])):
        for value in values:  # before the first forest is grown
            tried(value, len(names), f"sages.{key}.max_features")
    rows = []
    for repeat in range(FULL_REPEATS if full else 1):
        for row in trees_panel(x, y, forest, numbers, features, seed + repeat, threads):
            rows.append({"kind": "trees", "max_depth": forest["max_depth"], "repeat": repeat, **row})
    for repeat in range(FULL_REPEATS if full else settings["repeats"]):
        for row in depth_panel(x, y, forest, depths, seed + repeat, threads, direct=full):
            fixed = {"max_features": name_of(forest["max_features"]), "n_estimators": forest["n_estimators"]}
            rows.append({"kind": "depth", "repeat": repeat, **fixed, **row})
    table = pd.DataFrame(rows)
    table = table.assign(one_minus_oob=1.0 - table["oob_r2"])[list(_COLUMNS)]
    write_table(output_table, table, _COLUMNS)
    write_json(output_json, summary(table, forest) | {
        "data_set": settings["data_set"], "model": model, "n_stars": len(y), "seed": seed, "threads": threads, "full": full,
    })


def summary(table: pd.DataFrame, forest: Mapping) -> dict:
    """What Figure 4 states: the cost in accuracy and the gain in speed of the chosen number of trees, and the best depth.

    Parameters
    ----------
    table : DataFrame
        As `run_scan` writes it.
    forest : mapping
        `sages.forest`: the chosen values.
    """
    own = (table["kind"] == "trees") & (table["max_features"] == name_of(forest["max_features"]))
    by_number = table.loc[own].groupby("n_estimators")[["oob_r2", "seconds"]].mean()
    few, most = by_number.loc[forest["n_estimators"]], by_number.iloc[-1]
    at_chosen = table.loc[(table["kind"] == "trees") & (table["n_estimators"] == forest["n_estimators"])]
    by_features = at_chosen.groupby("max_features")["oob_r2"].mean()
    by_depth = table.loc[table["kind"] == "depth"].groupby("max_depth")["oob_r2"]
    means, spread = by_depth.mean(), by_depth.std()
    return {
        "chosen": {key: forest[key] for key in ("n_estimators", "max_features", "max_depth")},
        "most_trees": int(by_number.index[-1]),
        "oob_r2_chosen": few["oob_r2"], "oob_r2_most": most["oob_r2"],
        "relative_oob_loss": (most["oob_r2"] - few["oob_r2"]) / most["oob_r2"],
        "seconds_chosen": few["seconds"], "seconds_most": most["seconds"], "speed_ratio": most["seconds"] / few["seconds"],
        "oob_r2_by_max_features": by_features.to_dict(), "best_max_features": by_features.idxmax(),
        "oob_r2_by_depth": [{"max_depth": int(d), "mean": means[d], "std": spread[d]} for d in means.index],
        "best_depth": int(means.idxmax()), "oob_r2_best_depth": means.max(), "oob_r2_chosen_depth": means[forest["max_depth"]],
    }
