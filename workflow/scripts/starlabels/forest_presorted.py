"""scikit-learn's random forest grown on columns sorted once: the engine `presorted`.

A drop-in for `RandomForestRegressor` as Gu et al. 2025 use it (bootstrap, squared error): the same bootstraps and the same trees
from the same seed. Where every sum of labels is exact, as of those that `forest.check_labels` has rounded, each tree equals
scikit-learn's to the last bit; elsewhere sums round in another order, and a split of nearly equal gain may fall the other way.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from . import forest_grow
from .forest_trees import MAX_INT, GrownTree, Nodes, SeededForest, bootstrap, tried


class PresortedForest(SeededForest):
    """Forest whose columns are sorted once for all trees."""

    @contextmanager
    def _growing(self, x: np.ndarray, y: np.ndarray, pool: ThreadPoolExecutor) -> Iterator[Callable[[int], GrownTree]]:
        columns, y = np.ascontiguousarray(np.asarray(x, np.float32).T), np.ascontiguousarray(y, np.float64)
        order = np.stack(list(pool.map(lambda column: np.argsort(column, kind="stable").astype(np.int32), columns)))
        yield lambda seed: self._tree(columns, order, y, seed)

    def _tree(self, columns: np.ndarray, order: np.ndarray, y: np.ndarray, seed: int) -> GrownTree:
        p, n = columns.shape
        count = bootstrap(seed, n)
        drawn = np.flatnonzero(count)
        rows, values = np.empty((p, len(drawn)), np.int32), np.empty((p, len(drawn)), np.float32)
        forest_grow.bagged(order, count, columns, rows, values)
        weight = count[drawn].astype(np.float64)
        sums = np.column_stack([weight * y[drawn], weight])
        first = np.uint32(np.random.RandomState(seed).randint(0, MAX_INT))
        depth = MAX_INT if self.max_depth is None else int(self.max_depth)
        found = forest_grow.grow(rows, values, sums, y[drawn], tried(self.max_features, p), depth, first)
        feature, left, right, samples, threshold, value = found
        return GrownTree(Nodes(feature, left, right, threshold, value.reshape(-1, 1, 1), samples), seed)
