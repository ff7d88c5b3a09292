"""A random forest grown by scikit-learn-intelex (oneDAL) on histograms of the features: the engine `sklearnex`.

The bootstraps are scikit-learn's; the trees are others of equal accuracy, because a split is sought among at most `BINS` cuts a
feature. oneDAL draws bootstraps of its own that nobody can draw again, and out-of-bag errors need them: each tree is therefore one
call without bootstrap, on the rows drawn, weighted by how often. Features are given as the number of their bin, found once for all
trees, so that a call only ranks small integers; what leaves the bins, thresholds and the nodes' values, is put right afterwards from the
stars themselves (`settle`).

oneDAL 2026.2 with weights takes a split below the best in some nodes of fewer than BINS / 50 rows, which the tests of accuracy
include; rows repeated instead of weighted would avoid it, at 1.3 times the cost.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numba
import numpy as np

from .errors import InputError
from .forest_trees import GrownTree, Nodes, SeededForest, bootstrap, tried

BINS = 1024  # cuts a feature; the 256 of the package cost 2 % of the error on the stars of the tests, 512 still 1 %


class IntelexForest(SeededForest):
    """Forest grown by oneDAL.

    Raises
    ------
    InputError
        When the package is not installed.
    """

    def __init__(self, n_estimators=100, max_features=None, max_depth=None, random_state=0, n_jobs=1, warm_start=False):
        super().__init__(n_estimators, max_features, max_depth, random_state, n_jobs, warm_start)
        _library()

    @contextmanager
    def _growing(self, x: np.ndarray, y: np.ndarray, pool: ThreadPoolExecutor) -> Iterator[Callable[[int], GrownTree]]:
        x, y = np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float64)
        label = ((y - y.mean()) / (y.std() or 1.0)).astype(np.float32)  # float32 holds differences of labels near zero best
        with _one_thread_a_call():
            codes = np.stack(list(pool.map(bin_numbers, x.T)), axis=1)
            yield lambda seed: self._tree(x, codes, y, label, seed)

    def _tree(self, x: np.ndarray, codes: np.ndarray, y: np.ndarray, label: np.ndarray, seed: int) -> GrownTree:
        n, p = x.shape
        count = bootstrap(seed, n)
        drawn = np.flatnonzero(count)
        daal4py = _library()
        training = daal4py.decision_forest_regression_training(
            fptype="float",
            method="hist",
            nTrees=1,
            bootstrap=False,
            featuresPerNode=tried(self.max_features, p),
            maxTreeDepth=0 if self.max_depth is None else int(self.max_depth),
            minObservationsInLeafNode=1,
            minObservationsInSplitNode=2,
            maxBins=max(2, len(drawn)),  # as many as rows: the numbers given are the bins
            minBinSize=1,
            engine=daal4py.engines_philox4x32x10(fptype="float", seed=seed),
        )
        weight = count[drawn].astype(np.float32)
        model = training.compute(codes[drawn].astype(np.float32), label[drawn, None], weight[:, None]).model
        nodes = daal4py.getTreeState(model, 0).node_ar
        feature, samples = nodes["feature"].copy(), nodes["n_node_samples"].copy()
        left, right = nodes["left_child"].copy(), nodes["right_child"].copy()
        threshold, value = settle(drawn, count, codes, x, y, feature, left, right, np.floor(nodes["threshold"]))
        if np.isnan(value).any():
            raise RuntimeError("a tree of scikit-learn-intelex has a node without a star: its splits are not what they were taken for")
        return GrownTree(Nodes(feature, left, right, threshold, value.reshape(-1, 1, 1), samples), seed)


def bin_numbers(column: np.ndarray) -> np.ndarray:
    """Number (uint16) of the bin of each value: at most `BINS` bins, equally filled where there are more different values."""
    values = np.unique(column)
    if len(values) > BINS:
        values = np.unique(np.sort(column)[np.arange(BINS) * len(column) // BINS])
    return (np.searchsorted(values, column, side="right") - 1).astype(np.uint16)


@numba.njit(cache=True, nogil=True)
def settle(drawn, count, codes, x, y, feature, left, right, cut):
    """Thresholds and values of a tree that was grown on bin numbers, from the stars that it saw.

    Parameters
    ----------
    drawn : ndarray (m,)
        Rows of the bootstrap, each once.
    count : ndarray (n,)
        How often each row was drawn.
    codes, x : ndarray (n, p)
        Bin numbers and features.
    y : ndarray (n,)
    feature, left, right, cut : ndarray (k,)
        The tree; a star goes left when its bin number is not above `cut`. Leaves have left < 0.

    Returns
    -------
    threshold : ndarray (k,)
        As scikit-learn sets it: midway between the last star on the left and the first on the right; -2 in leaves.
    value : ndarray (k,)
        Mean label in float64 of the stars in the node, leaf or not, as scikit-learn keeps it; NaN in a node that no star reaches.
    """
    nodes = len(feature)
    below, above = np.full(nodes, -np.inf), np.full(nodes, np.inf)
    total, weight = np.zeros(nodes), np.zeros(nodes)
    for i in drawn:
        node = 0
        while left[node] >= 0:
            total[node] += count[i] * y[i]
            weight[node] += count[i]
            k = feature[node]
            if codes[i, k] <= cut[node]:
                below[node] = max(below[node], x[i, k])
                node = left[node]
            else:
                above[node] = min(above[node], x[i, k])
                node = right[node]
        total[node] += count[i] * y[i]
        weight[node] += count[i]
    threshold, value = np.full(nodes, -2.0), np.full(nodes, np.nan)
    for node in range(nodes):
        if left[node] >= 0:
            threshold[node] = below[node] / 2 + above[node] / 2
        if weight[node] > 0:
            value[node] = total[node] / weight[node]
    return threshold, value


@contextmanager
def _one_thread_a_call() -> Iterator[None]:
    """The trees share the threads, not the work on one tree; the process's own setting comes back afterwards."""
    daal4py = _library()
    before = daal4py.num_threads()
    daal4py.daalinit(1)
    try:
        yield
    finally:
        daal4py.daalinit(before)


def _library():
    try:
        import daal4py  # it exists for some platforms only
    except ImportError as error:
        raise InputError(
            "sages.forest.engine",
            f"is sklearnex, but scikit-learn-intelex cannot be loaded here ({error})",
            "Install scikit-learn-intelex, or choose the engine presorted or sklearn",
        ) from error
    return daal4py
