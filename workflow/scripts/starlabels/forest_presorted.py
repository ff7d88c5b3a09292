"""scikit-learn's random forest grown on columns sorted once: the engine `presorted`.

A drop-in for `RandomForestRegressor` as Gu et al. 2025 use it (bootstrap, squared error): the same bootstraps and the same trees
from the same seed. Where every sum of labels is exact, as of those that `forest.check_labels` has rounded, each tree equals
scikit-learn's to the last bit; elsewhere sums round in another order, and a split of nearly equal gain may fall the other way.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from . import forest_grow
from .errors import InputError

_MAX_INT = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Nodes:
    """A tree as scikit-learn's `Tree` shows it.

    Attributes
    ----------
    feature, children_left, children_right, n_node_samples : ndarray (k,) of int32
    threshold : ndarray (k,) of float64
    value : ndarray (k, 1, 1) of float64
    """

    feature: np.ndarray
    children_left: np.ndarray
    children_right: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    n_node_samples: np.ndarray

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.feature)


@dataclass(frozen=True)
class PresortedTree:
    """One tree of the forest: `tree_` and `random_state` are scikit-learn's."""

    tree_: Nodes
    random_state: int

    def predict(self, x: np.ndarray, check_input: bool = False) -> np.ndarray:
        """Predicted labels (n,) of a float32 matrix (n, p)."""
        tree = self.tree_
        return tree.value[forest_grow.leaves(x, tree.feature, tree.threshold, tree.children_left, tree.children_right), 0, 0]


class PresortedForest:
    """Random forest of regression trees, with the names of scikit-learn.

    Parameters
    ----------
    n_estimators : int
        Trees.
    max_features : None, int, float, "sqrt" or "log2"
        Features tried at a split; None: all. An integer is a number, a float a fraction (`tried`).
    max_depth : int or None
    random_state : int
    n_jobs : int
        Threads; the trees do not depend on it.
    warm_start : bool
        `fit` keeps the trees that there are and adds those that miss.
    """

    def __init__(self, n_estimators=100, max_features=None, max_depth=None, random_state=0, n_jobs=1, warm_start=False):
        self.n_estimators, self.max_features, self.max_depth = n_estimators, max_features, max_depth
        self.random_state, self.n_jobs, self.warm_start = random_state, n_jobs, warm_start
        self.estimators_: list[PresortedTree] = []

    def fit(self, x: np.ndarray, y: np.ndarray) -> "PresortedForest":
        """Grow the trees.

        Parameters
        ----------
        x : ndarray (n, p) of float32, finite
        y : ndarray (n,)
        """
        columns, y = np.ascontiguousarray(np.asarray(x, np.float32).T), np.ascontiguousarray(y, np.float64)
        source = np.random.RandomState(self.random_state)
        seeds = [int(source.randint(_MAX_INT)) for _ in range(self.n_estimators)]
        grown = self.estimators_ if self.warm_start else []
        threads = max(1, int(self.n_jobs or 1))
        with ThreadPoolExecutor(threads) as pool:
            order = np.stack(list(pool.map(lambda column: np.argsort(column, kind="stable").astype(np.int32), columns)))
            new = pool.map(lambda seed: self._tree(columns, order, y, seed), seeds[len(grown) :])
            self.estimators_ = [*grown, *new]
        return self

    def _tree(self, columns: np.ndarray, order: np.ndarray, y: np.ndarray, seed: int) -> PresortedTree:
        p, n = columns.shape
        count = np.bincount(np.random.RandomState(seed).randint(0, n, n), minlength=n)
        drawn = np.flatnonzero(count)
        rows, values = np.empty((p, len(drawn)), np.int32), np.empty((p, len(drawn)), np.float32)
        forest_grow.bagged(order, count, columns, rows, values)
        weight = count[drawn].astype(np.float64)
        sums = np.column_stack([weight * y[drawn], weight])
        first = np.uint32(np.random.RandomState(seed).randint(0, _MAX_INT))
        depth = _MAX_INT if self.max_depth is None else int(self.max_depth)
        found = forest_grow.grow(rows, values, sums, y[drawn], tried(self.max_features, p), depth, first)
        feature, left, right, samples, threshold, value = found
        return PresortedTree(Nodes(feature, left, right, threshold, value.reshape(-1, 1, 1), samples), seed)


def tried(max_features, p: int, key: str = "sages.forest.max_features") -> int:
    """How many of p features scikit-learn tries at a split for a `max_features`.

    Parameters
    ----------
    max_features : None, "sqrt", "log2", int or float
        All, a root, a logarithm, a number in 1 .. p, or a fraction in (0, 1].
    key : str
        Where it stands in the configuration.

    Raises
    ------
    InputError
        For anything else.
    """
    if max_features is None:
        return p
    if isinstance(max_features, str) and max_features in ("sqrt", "log2"):
        return max(1, int(np.sqrt(p) if max_features == "sqrt" else np.log2(p)))
    if isinstance(max_features, Integral) and not isinstance(max_features, bool) and 1 <= max_features <= p:
        return int(max_features)
    if isinstance(max_features, Real) and not isinstance(max_features, Integral) and 0 < max_features <= 1:
        return max(1, int(max_features * p))
    raise InputError(key, f"is {max_features!r}", f"Use null, sqrt, log2, an integer from 1 to {p} (the features), or a fraction in (0, 1]")
