"""The growth of one regression tree on columns that are sorted beforehand, compiled by numba.

scikit-learn sorts every column again in every node. Here each column is sorted once for the whole forest; a node is a range of
every column, in the order of that column, and a split divides the ranges without changing the order inside. The splits are those
of scikit-learn's `DecisionTreeRegressor` (squared error, depth first): the same candidate thresholds, the same gain, the same
order of the features from the same random numbers, so that ties fall the same way (its _splitter.pyx, _criterion.pyx, _tree.pyx).
The sums are taken in another order: the trees are equal to the last bit where the sums are exact (forest_presorted.py).
"""

import numba
import numpy as np

_EPSILON = np.finfo(np.float64).eps  # impurity below which scikit-learn calls a node pure
_SAME = np.float32(1e-7)  # values of a feature this close are one value to scikit-learn
_SURE = 1.0 - 1e-12  # a gain below this times the best one is smaller whatever the rounding


@numba.njit(nogil=True, cache=True)
def _draw(state, low, high):
    """scikit-learn's random integer (xorshift on 32 bits) in low .. high - 1; `state` (1,) of uint32 moves on."""
    s = state[0]
    if s == 0:
        s = np.uint32(1)
    s ^= np.uint32(s << np.uint32(13))
    s ^= np.uint32(s >> np.uint32(17))
    s ^= np.uint32(s << np.uint32(5))
    state[0] = s
    return low + np.int64(s & np.uint32(0x7FFFFFFF)) % (high - low)


@numba.njit(nogil=True, cache=True)
def bagged(order, count, x, rows, values):
    """Columns of one tree: the sorted rows of the sample that its bootstrap drew.

    Parameters
    ----------
    order : ndarray (p, n) of int32
        Rows of the whole sample, sorted by each feature.
    count : ndarray (n,)
        How often the bootstrap drew each row.
    x : ndarray (p, n) of float32
    rows, values : ndarray (p, m) of int32, float32
        Filled: the rows drawn, numbered by their place among these, and the feature's values.
    """
    number = np.cumsum(count > 0) - 1
    for f in range(order.shape[0]):
        k = 0
        for i in order[f]:
            if count[i] > 0:
                rows[f, k] = number[i]
                values[f, k] = x[f, i]
                k += 1


@numba.njit(nogil=True, cache=True)
def _best_of_feature(rows, values, f, start, end, sums, total, weight, best):
    """Best split of a node by the feature f that beats the gain `best`: (gain, first entry of the right side, or -1)."""
    left, weight_left, found = 0.0, 0.0, -1
    above = values[f, start]
    for p in range(start, end - 1):
        i = rows[f, p]
        left += sums[i, 0]
        weight_left += sums[i, 1]
        here, above = above, values[f, p + 1]
        if above <= here + _SAME:
            continue
        right, weight_right = total - left, weight - weight_left
        squares, product = left * left * weight_right + right * right * weight_left, weight_left * weight_right
        if squares > best * product * _SURE:  # spares the two divisions nearly always
            gain = left * left / weight_left + right * right / weight_right
            if gain > best:
                best, found = gain, p + 1
    return best, found


@numba.njit(nogil=True, cache=True)
def _divide(rows, values, chosen, start, end, goes_left, spare_rows, spare_values):
    """Bring the entries of a node that go left before the others in every column, both in their order."""
    for f in range(len(rows)):
        if f == chosen:  # is divided: the split is a place in its order
            continue
        left, right = start, 0
        for p in range(start, end):
            i, v = rows[f, p], values[f, p]
            rows[f, left], values[f, left] = i, v
            spare_rows[right], spare_values[right] = i, v
            go = goes_left[i]
            left += go
            right += 1 - go
        for k in range(right):
            rows[f, left + k], values[f, left + k] = spare_rows[k], spare_values[k]


@numba.njit(nogil=True, cache=True)
def grow(rows, values, sums, y, max_features, max_depth, seed):
    """Grow one tree.

    Parameters
    ----------
    rows, values : ndarray (p, m) of int32, float32
        As `bagged` fills them; overwritten.
    sums : ndarray (m, 2) of float64
        Weight times label, and weight, of each row.
    y : ndarray (m,) of float64
        Labels.
    max_features : int
        Features tried at a split.
    max_depth : int
    seed : uint32
        First state of the random numbers.

    Returns
    -------
    feature, left, right, samples : ndarray (k,) of int32
        Of each node, numbered as scikit-learn does: the feature (-2 at a leaf), the children (-1), the different rows in it.
    threshold, value : ndarray (k,) of float64
    """
    p, m = rows.shape
    most = 2 * m if max_depth > 30 else min(2 * m, 2 << max_depth)
    feature, left, right, samples = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32)
    threshold, value = np.empty(most), np.empty(most)
    spare_rows, spare_values, goes_left = np.empty(m, np.int32), np.empty(m, np.float32), np.zeros(m, np.int8)
    features, constant = np.arange(p), np.empty(p, np.int64)
    state = np.full(1, seed, np.uint32)
    whole = sums[:, 1].sum()
    # waiting nodes: start, end, depth, parent, whether a left child, constant features, a column; impurity, sum, weight
    stack, stacked, waiting, nodes = np.empty((min(max_depth, m) + 2, 7), np.int64), np.empty((min(max_depth, m) + 2, 3)), 1, 0
    stack[0] = 0, m, 0, -1, 0, 0, 0
    squares = (sums[:, 0] * y).sum()
    total = sums[:, 0].sum()
    stacked[0] = squares / whole - (total / whole) ** 2, total, whole
    while waiting:
        waiting -= 1
        start, end, depth, parent, is_left, n_constant, column = stack[waiting]
        impurity, total, weight = stacked[waiting]
        node = nodes
        nodes += 1
        if parent >= 0:
            if is_left:
                left[parent] = node
            else:
                right[parent] = node
        feature[node], left[node], right[node], threshold[node] = -2, -1, -1, -2.0
        value[node], samples[node] = total / weight, end - start
        if depth >= max_depth or end - start < 2 or impurity <= _EPSILON:
            continue
        # the features in scikit-learn's random order; those constant in this node are remembered for the nodes below
        best, at, chosen = -np.inf, -1, -1
        known, drawn, new, unseen, visited = n_constant, 0, 0, p, 0
        while unseen > known + new and (visited < max_features or visited <= new + drawn):
            visited += 1
            k = _draw(state, drawn, unseen - new)
            if k < known:
                features[drawn], features[k] = features[k], features[drawn]
                drawn += 1
                continue
            k += new
            f = features[k]
            if values[f, end - 1] <= values[f, start] + _SAME:
                features[k], features[known + new] = features[known + new], features[k]
                new += 1
                continue
            unseen -= 1
            features[unseen], features[k] = features[k], features[unseen]
            gain, found = _best_of_feature(rows, values, f, start, end, sums, total, weight, best)
            if found >= 0:
                best, at, chosen = gain, found, f
        features[:known] = constant[:known]
        constant[known : known + new] = features[known : known + new]
        if at < 0:
            continue
        sum_left, weight_left, squares_left, squares = 0.0, 0.0, 0.0, 0.0
        for q in range(start, end):
            i = rows[chosen, q]
            squares += sums[i, 0] * y[i]
            if q < at:
                sum_left += sums[i, 0]
                weight_left += sums[i, 1]
                squares_left += sums[i, 0] * y[i]
            goes_left[i] = q < at
        weight_right, sum_right = weight - weight_left, total - sum_left
        impurity_left = squares_left / weight_left - (sum_left / weight_left) ** 2
        impurity_right = (squares - squares_left) / weight_right - (sum_right / weight_right) ** 2
        gained = (weight / whole) * (impurity - (weight_right / weight * impurity_right) - (weight_left / weight * impurity_left))
        if gained + _EPSILON < 0:
            continue
        feature[node] = chosen
        threshold[node] = np.float64(values[chosen, at - 1]) / 2.0 + np.float64(values[chosen, at]) / 2.0
        deeper = depth + 1 < max_depth and ((at - start > 1 and impurity_left > _EPSILON) or (end - at > 1 and impurity_right > _EPSILON))
        if deeper:
            _divide(rows, values, chosen, start, end, goes_left, spare_rows, spare_values)
        stack[waiting] = at, end, depth + 1, node, 0, known + new, chosen
        stacked[waiting] = impurity_right, sum_right, weight_right
        stack[waiting + 1] = start, at, depth + 1, node, 1, known + new, chosen
        stacked[waiting + 1] = impurity_left, sum_left, weight_left
        waiting += 2
    # copies, so that the room for the largest tree is given back
    whole_tree = feature[:nodes].copy(), left[:nodes].copy(), right[:nodes].copy(), samples[:nodes].copy()
    return whole_tree + (threshold[:nodes].copy(), value[:nodes].copy())


@numba.njit(nogil=True, cache=True)
def leaves(x, feature, threshold, left, right):
    """The leaf (n,) that each row of x (n, p) comes to."""
    found = np.zeros(len(x), np.int64)
    for i in range(len(x)):
        node = 0
        while left[node] >= 0:
            node = left[node] if x[i, feature[node]] <= threshold[node] else right[node]
        found[i] = node
    return found
