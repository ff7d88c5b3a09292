"""What the engines that stand in for scikit-learn's forest share: its trees' form, its seeds, its bootstraps."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from . import forest_grow
from .errors import InputError

MAX_INT = np.iinfo(np.int32).max


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
class GrownTree:
    """One tree of the forest: `tree_` and `random_state` are scikit-learn's."""

    tree_: Nodes
    random_state: int

    def predict(self, x: np.ndarray, check_input: bool = False) -> np.ndarray:
        """Predicted labels (n,) of a float32 matrix (n, p)."""
        tree = self.tree_
        return tree.value[forest_grow.leaves(x, tree.feature, tree.threshold, tree.children_left, tree.children_right), 0, 0]


class SeededForest:
    """Random forest of regression trees, with the names of scikit-learn; an engine says how the trees are grown (`_growing`).

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
        self.estimators_: list[GrownTree] = []

    def fit(self, x: np.ndarray, y: np.ndarray) -> "SeededForest":
        """Grow the trees.

        Parameters
        ----------
        x : ndarray (n, p) of float32, finite
        y : ndarray (n,)
        """
        source = np.random.RandomState(self.random_state)
        seeds = [int(source.randint(MAX_INT)) for _ in range(self.n_estimators)]
        grown = self.estimators_ if self.warm_start else []
        with ThreadPoolExecutor(max(1, int(self.n_jobs or 1))) as pool, self._growing(x, y, pool) as tree_of:
            self.estimators_ = [*grown, *pool.map(tree_of, seeds[len(grown) :])]
        return self

    def _growing(self, x: np.ndarray, y: np.ndarray, pool: ThreadPoolExecutor) -> AbstractContextManager[Callable[[int], GrownTree]]:
        """What all trees share, made with the threads of the pool; gives the function that grows the tree of a seed."""
        raise NotImplementedError


def bootstrap(seed: int, n: int) -> np.ndarray:
    """How often scikit-learn draws each of n rows for the tree of a seed."""
    return np.bincount(np.random.RandomState(seed).randint(0, n, n), minlength=n)


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
