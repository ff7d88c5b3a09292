"""What the forest benchmarks share: a made-up training sample, the engines that there are, scikit-learn's form of our trees."""

import numpy as np

FOREST = {"max_features": None, "max_depth": 17}


def sample(rows: int, features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (rows, features) of float32 like magnitudes and colours, and a label like [Fe/H].

    Eight bands see five hidden properties of a star; the features are the bands and their differences. Labels are multiples of
    1/1024: sums of them are exact in any order, so that two exact trainers must grow the same trees.
    """
    laws, rng = np.random.default_rng(0), np.random.default_rng(seed)
    bands = 2 if features < 8 else 8 if features < 45 else 12
    hidden, mixing = rng.normal(size=(rows, 5)), laws.normal(size=(5, bands))
    seen = hidden @ mixing + 0.3 * np.tanh(hidden**2 @ mixing) + 0.05 * rng.normal(size=(rows, bands))
    pairs = [(i, j) for i in range(bands) for j in range(i + 1, bands)][: max(features - bands, 0)]
    columns = [seen[:, k] for k in range(min(bands, features))] + [seen[:, i] - seen[:, j] for i, j in pairs]
    label = 0.4 * hidden[:, 0] - 0.2 * hidden[:, 1] * hidden[:, 2] + 0.1 * np.sin(3 * hidden[:, 3]) + 0.1 * rng.normal(size=rows)
    return np.column_stack(columns).astype(np.float32), np.round(label * 1024) / 1024


def engines() -> dict[str, str]:
    """Training engines beside scikit-learn, the fastest first, each with the reason why it is not available (empty: it is)."""
    return {name: _try(name) for name in ("presorted", "sklearnex")}


def _try(engine: str) -> str:
    from starlabels.errors import InputError
    from starlabels.forest import new_regressor

    try:
        new_regressor({**FOREST, "n_estimators": 1, "engine": engine}, 0, 1)
    except (InputError, ImportError) as error:
        return str(error).strip().splitlines()[0]
    return ""


def fastest() -> str:
    """The fastest engine that there is."""
    return next((name for name, reason in engines().items() if not reason), "sklearn")


def depth_first(left: np.ndarray) -> np.ndarray:
    """Places of breadth-first nodes in scikit-learn's order (a node, its left subtree, its right subtree).

    Parameters
    ----------
    left : ndarray (m,) of int
        Left child of each node, the right one beside it; -1 for a leaf. Children come after their parents.
    """
    size = np.ones(len(left), np.int64)
    inner = np.flatnonzero(left >= 0)
    for node in inner[::-1]:
        size[node] += size[left[node]] + size[left[node] + 1]
    place = np.zeros(len(left), np.int64)
    for node in inner:
        place[left[node]] = place[node] + 1
        place[left[node] + 1] = place[node] + 1 + size[left[node]]
    return place


def as_sklearn(forest, x: np.ndarray, threads: int):
    """scikit-learn's RandomForestRegressor made of the trees of a `Forest`, its nodes in scikit-learn's own order.

    Parameters
    ----------
    x : ndarray (n, p)
        Some rows, from which scikit-learn learns the number of features.
    """
    import numba
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.tree._tree import Tree

    from starlabels.forest_kernel import FEATURE_BITS, MAX_FEATURES

    places = numba.njit(depth_first)
    regressor = RandomForestRegressor(n_estimators=forest.n_trees, max_depth=1, n_jobs=threads, random_state=0).fit(x[:50], x[:50, 0])
    ends = np.append(forest.offsets[1:], len(forest.nodes))
    template = regressor.estimators_[0].tree_.__getstate__()["nodes"].dtype
    for estimator, start, end, depth in zip(regressor.estimators_, forest.offsets, ends, forest.depths, strict=True):
        own, values = forest.nodes[start:end], forest.values[start:end]
        link = (own["link"] >> FEATURE_BITS).astype(np.int64)
        leaf = link == np.arange(len(own))
        place = places(np.where(leaf, -1, link))
        nodes, value = np.zeros(len(own), template), np.empty((len(own), 1, 1))
        nodes["left_child"][place] = np.where(leaf, -1, place[np.where(leaf, 0, link)])
        nodes["right_child"][place] = np.where(leaf, -1, place[np.where(leaf, 0, link + 1)])
        nodes["feature"][place] = np.where(leaf, -2, (own["link"] & (MAX_FEATURES - 1)).astype(np.int64))
        nodes["threshold"][place] = np.where(leaf, -2.0, own["threshold"])
        nodes["n_node_samples"], nodes["weighted_n_node_samples"] = 1, 1.0
        value[place, 0, 0] = values
        tree = Tree(x.shape[1], np.array([1], np.intp), 1)
        tree.__setstate__({"max_depth": int(depth), "node_count": len(own), "nodes": nodes, "values": value})
        estimator.tree_ = tree
    return regressor
