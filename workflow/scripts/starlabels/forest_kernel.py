"""The walk of many stars through many trees, compiled by numba.

A node is 8 bytes: a float32 threshold and a uint32 that holds the feature (low 8 bits) and the number of the left child in
its tree (high 24 bits); the right child follows it. A leaf is its own left child and has an infinite threshold, so a star
that has arrived stays there: no branch, and many stars can be walked at once while the memory answers.
The kernel releases the interpreter lock: threads share the rows. A star's trees are summed in order, so that the result is
scikit-learn's with `n_jobs=1` whatever the number of threads.
"""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

FEATURE_BITS = 8
MAX_FEATURES = 2**FEATURE_BITS
MAX_NODES = 2 ** (32 - FEATURE_BITS)
NODE = np.dtype([("threshold", np.float32), ("link", np.uint32)])

_LANES = 32  # stars walked together
_ROWS = 65536  # stars that pass through one tree while it is in the processor's cache
_ROWS_A_THREAD = 2048  # fewer are not worth a thread


@numba.njit(nogil=True, cache=True)
def _walk(nodes, values, offsets, depths, x, mean, spread):
    """Mean and standard deviation over the trees for a piece of rows.

    The squares are summed around the first tree's prediction, which keeps them small whatever the label's zero point.
    """
    rows, trees = x.shape[0], len(depths)
    first = np.empty(min(rows, _ROWS))
    squares = np.empty(min(rows, _ROWS))
    at = np.empty(_LANES, np.int64)
    for begin in range(0, rows, _ROWS):
        end = min(rows, begin + _ROWS)
        for tree in range(trees):
            root = offsets[tree]
            for lane0 in range(begin, end, _LANES):
                lanes = min(_LANES, end - lane0)
                for k in range(lanes):
                    at[k] = root
                for _ in range(depths[tree]):
                    for k in range(lanes):
                        node = nodes[at[k]]
                        link = np.int64(node.link)
                        at[k] = root + (link >> FEATURE_BITS) + (x[lane0 + k, link & (MAX_FEATURES - 1)] > node.threshold)
                for k in range(lanes):
                    i = lane0 + k
                    value = values[at[k]]
                    if tree == 0:
                        first[i - begin] = value
                        squares[i - begin] = 0.0
                        mean[i] = 0.0
                    mean[i] += value
                    squares[i - begin] += (value - first[i - begin]) ** 2
        for i in range(begin, end):
            mean[i] /= trees
            shift = mean[i] - first[i - begin]
            left = squares[i - begin] - trees * shift * shift
            spread[i] = np.sqrt(max(left, 0.0) / max(trees - 1, 1))


def walk(
    nodes: np.ndarray, values: np.ndarray, offsets: np.ndarray, depths: np.ndarray, x: np.ndarray, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread over the trees of a forest.

    Parameters
    ----------
    nodes : ndarray (m,) of NODE
        Nodes of all trees, one tree after another.
    values : ndarray (m,) of float64
        Predicted label of each leaf (ignored at other nodes).
    offsets, depths : ndarray (t,) of int64
        First node and depth of each tree.
    x : ndarray (n, p) of float32, C order, no NaN
    threads : int
        Rows are shared among them; the result does not depend on it.

    Returns
    -------
    mean, spread : ndarray (n,) of float64
        The spread is the standard deviation with t - 1 in the denominator.
    """
    mean, spread = np.empty(len(x)), np.empty(len(x))
    pieces = max(1, min(threads, len(x) // _ROWS_A_THREAD))
    cuts = np.linspace(0, len(x), pieces + 1).astype(int)

    def piece(k: int) -> None:
        rows = slice(cuts[k], cuts[k + 1])
        _walk(nodes, values, offsets, depths, x[rows], mean[rows], spread[rows])

    if pieces == 1:
        piece(0)
    else:
        with ThreadPoolExecutor(pieces) as pool:
            list(pool.map(piece, range(pieces)))
    return mean, spread
