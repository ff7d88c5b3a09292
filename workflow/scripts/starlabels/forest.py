"""Training a random forest, and its out-of-bag predictions.

scikit-learn's RandomForestRegressor is the definition (Gu et al. 2025, Section 2.4: 300 trees, all features at each split,
depth 17, bootstrap). Three engines grow the trees: scikit-learn itself, `presorted` (the same trees, forest_presorted.py) and
`sklearnex` (histograms: other trees of equal accuracy, forest_intelex.py). They are turned into plain arrays (forest_compact.py).
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .forest_compact import Forest, check_matrix, compact
from .forest_presorted import PresortedForest
from .forest_trees import bootstrap, tried

__all__ = ["ENGINES", "Forest", "OutOfBag", "OutOfBagSums", "check_labels", "new_regressor", "train", "unseen", "unseen_predictions"]

ENGINES = ("presorted", "sklearn", "sklearnex")
_NOT_SET = ("random_state", "n_jobs", "warm_start", "bootstrap", "max_samples")  # given here, or what `unseen` draws again relies on
_BITS = 22  # binary digits of a training label: the sum of 10^9 of them is exact in float64


@dataclass(frozen=True)
class OutOfBag:
    """Predictions for the training stars by the trees that did not see them.

    Attributes
    ----------
    mean, spread : ndarray (n,)
        Mean and standard deviation (denominator count - 1) over those trees; NaN without a tree (or without two).
    count : ndarray (n,) of int64
        Number of those trees.
    score : float
        R^2 of `mean` against the labels.
    """

    mean: np.ndarray
    spread: np.ndarray
    count: np.ndarray
    score: float

    def arrays(self) -> dict[str, np.ndarray]:
        """The fields as arrays for an .npz file, `oob_mean` and so on."""
        return {f"oob_{name}": np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}


class OutOfBagSums:
    """Out-of-bag sums that trees are added to one by one, so that one forest gives the score after any number of trees."""

    def __init__(self, y: np.ndarray):
        self.y = np.asarray(y, dtype=np.float64)
        self.count = np.zeros(len(self.y), np.int64)
        self._sum = np.zeros(len(self.y))
        self._off, self._off2 = np.zeros(len(self.y)), np.zeros(len(self.y))

    def add(self, rows: np.ndarray, prediction: np.ndarray) -> None:
        """Add one tree's predictions for the rows that it did not see."""
        off = prediction - self.y[rows]
        self.count[rows] += 1
        self._sum[rows] += prediction
        self._off[rows] += off
        self._off2[rows] += off * off

    def mean(self) -> np.ndarray:
        """Mean over the trees added so far; NaN for a star that every tree saw."""
        return np.where(self.count > 0, self._sum / np.maximum(self.count, 1), np.nan)

    def score(self) -> float:
        """R^2 over the stars that have a prediction; NaN for fewer than two of them."""
        from sklearn.metrics import r2_score  # here, because predicting imports this module too and needs no scikit-learn

        seen = self.count > 0
        return float(r2_score(self.y[seen], self.mean()[seen])) if seen.sum() > 1 else np.nan

    def result(self) -> OutOfBag:
        """Mean, spread, number of trees and score."""
        n = np.maximum(self.count, 1)
        squares = np.maximum(self._off2 - self._off**2 / n, 0.0)
        spread = np.where(self.count > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
        return OutOfBag(self.mean(), spread, self.count, self.score())


def check_labels(y: np.ndarray) -> np.ndarray:
    """Training labels, rounded to multiples of a power of two, 2^-22 of the largest one.

    The step is at most 0.002 K in temperatures below 8192 K and 10^-6 in [Fe/H] and log g, far below any label's error. Sums of
    such labels are exact, so that no tree depends on the order in which an engine takes them.

    Raises
    ------
    InputError
        When a label is NaN or infinite.
    """
    y = np.asarray(y, dtype=np.float64)
    if not np.isfinite(y).all():
        bad = int((~np.isfinite(y)).sum())
        raise InputError("training label", f"is missing or infinite in {bad} of {len(y)} rows", "Select stars that have it")
    largest = np.abs(y).max(initial=0.0)
    step = 2.0 ** (np.ceil(np.log2(largest)) - _BITS) if largest > 0 else 1.0
    return np.round(y / step) * step


def new_regressor(settings: Mapping, seed: int, threads: int, **changes):
    """The untrained forest of a configuration (`sages.forest`).

    Parameters
    ----------
    settings : mapping
        `engine`; every other key goes to the engine: `n_estimators`, `max_features`, `max_depth`, and what else it knows.
    changes
        Other values of these, or `warm_start`.

    Returns
    -------
    RandomForestRegressor, or what grows its trees in its place: `fit(x, y)` and `estimators_`.

    Raises
    ------
    InputError
        When `engine` is not known, or not installed, or does not know a key.
    """
    engine = settings.get("engine", "presorted")
    if engine == "presorted":
        regressor = PresortedForest
    elif engine == "sklearn":
        from sklearn.ensemble import RandomForestRegressor as regressor
    elif engine == "sklearnex":
        from .forest_intelex import IntelexForest as regressor  # not every platform has the package
    else:
        raise InputError("sages.forest.engine", f"is {engine!r}", f"Known engines: {', '.join(ENGINES)}")
    arguments = {name: value for name, value in settings.items() if name != "engine"}
    known = [name for name in inspect.signature(regressor).parameters if name not in _NOT_SET]
    for name in arguments:
        if name not in known:
            raise InputError(f"sages.forest.{name}", f"is not known to the engine {engine}", f"It knows {', '.join(known)}")
    return regressor(**{**arguments, "random_state": seed, "n_jobs": threads, **changes})


def unseen(tree, n: int) -> np.ndarray:
    """Rows out of n that a tree's bootstrap left out, drawn again from the tree's seed as scikit-learn does."""
    return np.flatnonzero(bootstrap(tree.random_state, n) == 0)


def unseen_predictions(trees: Sequence, x: np.ndarray, threads: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (rows, prediction) of each tree for the training rows that it did not see, in the order of the trees."""

    def one(tree):
        rows = unseen(tree, len(x))
        return rows, tree.predict(x[rows], check_input=False) if len(rows) else np.empty(0)

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for start in range(0, len(trees), 4 * max(threads, 1)):  # bounds the predictions that wait in memory
            yield from pool.map(one, trees[start : start + 4 * max(threads, 1)])


def train(
    x: np.ndarray, y: np.ndarray, settings: Mapping, seed: int, threads: int, names: Sequence[str] | None = None
) -> tuple[Forest, OutOfBag]:
    """Train a forest; parallel over trees, the result does not depend on `threads`.

    Parameters
    ----------
    x : ndarray (n, p)
        Features, used as float32.
    y : ndarray (n,)
        Label.
    settings : mapping
        `sages.forest` of the configuration, as in `new_regressor`.
    seed : int
    threads : int
    names : sequence of str, optional
        Names of the features; f1, f2, ... by default.

    Returns
    -------
    Forest, OutOfBag
        The trees, and what they say of the n training stars without having seen them.

    Raises
    ------
    InputError
        For an unknown engine or key, fewer than two rows, NaN or infinity in features or labels, a `max_features` out of range.
    """
    names = [f"f{k + 1}" for k in range(np.shape(x)[1])] if names is None else list(names)
    regressor = new_regressor(settings, seed, threads)
    x, y = check_matrix(x, names), check_labels(y)
    if len(y) != len(x) or len(y) < 2:
        raise InputError("training sample", f"has {len(x)} rows of features and {len(y)} labels", "At least two of each are needed")
    tried(settings.get("max_features"), x.shape[1])  # for every engine the same refusal
    regressor.fit(x, y)
    sums = OutOfBagSums(y)
    for rows, prediction in unseen_predictions(regressor.estimators_, x, threads):
        sums.add(rows, prediction)
    return compact(regressor, names), sums.result()
