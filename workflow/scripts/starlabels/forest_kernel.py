"""The walk of many stars through many trees, compiled by numba.

A node is 8 bytes: a float32 threshold and a uint32 that holds the feature (low 8 bits) and the number of the left child in
its tree (high 24 bits); the right child follows it. A leaf is its own left child and has an infinite threshold, so a star
that has arrived stays there: no branch, and many stars can be walked at once while the memory answers.

Stars are first sorted by their way through the first tree: stars that are alike take nearly the same way through every other
tree too, and find its nodes in the processor's cache. Threads share the sorted stars (the kernel releases the interpreter
lock). A star's trees are summed in order, so that its result is scikit-learn's with `n_jobs=1` whatever the number of threads
and whatever its neighbours.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np

FEATURE_BITS = 8
MAX_FEATURES = 2**FEATURE_BITS
MAX_NODES = 2 ** (32 - FEATURE_BITS)
NODE = np.dtype([("threshold", np.float32), ("link", np.uint32)])
LEAF = MAX_FEATURES - 1  # in files, in the place of a leaf's feature

BLOCK = 2**18  # stars sorted together: bounds the memory
_BYTES = 3 * 2**20  # of their features: stars that pass through one tree while both are in a processor's cache
_LANES = 16  # stars walked together
_LEVELS = 12  # of the first tree that stars are sorted by; more are not worth their time
_ROWS_A_THREAD = 2048  # fewer are not worth a thread


@numba.njit(nogil=True, cache=True)
def unpack(feature, threshold, leaf_value, offsets, features, nodes, values):
    """Fill nodes and values from a forest's arrays on file; False, for arrays that would lead the walk astray.

    Children are numbered in the order of their parents: those of the k-th inner node of a tree are 2k + 1 and 2k + 2.
    """
    inner, leaves = 0, 0  # in all trees so far
    for t in range(len(offsets)):
        begin, end = offsets[t], offsets[t + 1] if t + 1 < len(offsets) else len(feature)
        if begin != inner + leaves or not begin < end <= len(feature) or end - begin > MAX_NODES:
            return False
        child = 1
        for k in range(begin, end):
            if feature[k] == LEAF:
                if leaves == len(leaf_value):
                    return False
                nodes[k].threshold, nodes[k].link = np.inf, np.uint32((k - begin) << FEATURE_BITS)
                values[k] = leaf_value[leaves]
                leaves += 1
            else:
                if feature[k] >= features or inner == len(threshold) or child <= k - begin:
                    return False
                nodes[k].threshold, nodes[k].link = threshold[inner], np.uint32(child << FEATURE_BITS | feature[k])
                inner, child = inner + 1, child + 2
        if child != end - begin:
            return False
    return leaves > 0 and inner == len(threshold) and leaves == len(leaf_value) and inner + leaves == len(feature)


@numba.njit(inline="always")
def _step(tree, at, star):
    """The child that a star goes to; unsigned numbers spare the test for indices counted from the end."""
    node = tree[at]
    link = np.uint64(node.link)
    return (link >> np.uint64(FEATURE_BITS)) + np.uint64(star[link & np.uint64(MAX_FEATURES - 1)] > node.threshold)


@numba.njit(nogil=True, cache=True)
def _paths(tree, levels, x, path):
    """Turns of each star in one tree, the first as the highest bit: sorted by them, stars stand in the order of the leaves."""
    for i in range(len(x)):
        at, turns = np.uint64(0), np.uint64(0)
        for _ in range(levels):
            left = np.uint64(tree[at].link) >> np.uint64(FEATURE_BITS)
            at = _step(tree, at, x[i])
            turns = turns << np.uint64(1) | (at - left)
        path[i] = turns


@numba.njit(nogil=True, cache=True)
def _walk(nodes, values, offsets, depths, x, order, mean, spread):
    """Mean and standard deviation over the trees for the rows `order` of x.

    The squares are summed around the first tree's prediction, which keeps them small whatever the label's zero point.
    """
    trees, step = len(depths), max(_BYTES // (4 * x.shape[1]), _LANES)
    room = (min(len(order), step) + _LANES - 1) // _LANES * _LANES
    stars = np.empty((room, x.shape[1]), np.float32)
    total, squares, first = np.empty(room), np.empty(room), np.empty(room)
    at = np.empty(_LANES, np.uint64)
    for begin in range(0, len(order), step):
        rows = min(len(order) - begin, step)
        room = (rows + _LANES - 1) // _LANES * _LANES
        for i in range(room):
            stars[i] = x[order[begin + min(i, rows - 1)]]  # the last one fills the lanes
        total[:], squares[:] = 0.0, 0.0
        for t in range(trees):
            tree, value_of = nodes[offsets[t] :], values[offsets[t] :]
            for lane0 in range(0, room, _LANES):
                own = stars[lane0 : lane0 + _LANES]
                for k in range(_LANES):
                    at[k] = 0
                for _ in range(depths[t]):
                    for k in range(_LANES):
                        at[k] = _step(tree, at[k], own[k])
                for k in range(_LANES):
                    i, value = lane0 + k, value_of[at[k]]
                    if t == 0:
                        first[i] = value
                    total[i] += value
                    squares[i] += (value - first[i]) ** 2
        for i in range(rows):
            row, middle = order[begin + i], total[i] / trees
            shift = middle - first[i]
            mean[row] = middle
            spread[row] = np.sqrt(max(squares[i] - trees * shift * shift, 0.0) / max(trees - 1, 1))


def _walk_block(nodes, values, offsets, depths, x, mean, spread, pool, threads) -> None:
    """Sort the rows of x and share them, sorted, among the threads of the pool."""
    cuts = np.linspace(0, len(x), max(1, min(threads, len(x) // _ROWS_A_THREAD)) + 1).astype(int)
    shares = [slice(a, b) for a, b in pairwise(cuts)]
    levels, path = min(depths[0], _LEVELS), np.empty(len(x), np.uint16)
    list(pool.map(lambda own: _paths(nodes, levels, x[own], path[own]), shares))
    order = np.argsort(path)
    list(pool.map(lambda own: _walk(nodes, values, offsets, depths, x, order[own], mean, spread), shares))


def walk(
    nodes: np.ndarray, values: np.ndarray, offsets: np.ndarray, depths: np.ndarray, x: np.ndarray, threads: int, block: int = BLOCK
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
    block : int
        Rows sorted together; the result does not depend on it.

    Returns
    -------
    mean, spread : ndarray (n,) of float64
        The spread is the standard deviation with t - 1 in the denominator.
    """
    mean, spread = np.empty(len(x)), np.empty(len(x))
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for begin in range(0, len(x), block):
            rows = slice(begin, begin + block)
            _walk_block(nodes, values, offsets, depths, x[rows], mean[rows], spread[rows], pool, threads)
    return mean, spread
