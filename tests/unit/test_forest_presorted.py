"""Trees grown on columns sorted once are scikit-learn's trees, node by node and bit by bit."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from starlabels import forest, forest_grow
from starlabels.errors import InputError
from starlabels.forest_presorted import PresortedForest
from starlabels.forest_trees import tried

NODES = ("feature", "children_left", "children_right", "threshold", "value", "n_node_samples")


def stars(n: int, p: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Magnitudes, their colours and noise, with a label of the colours: what the forests of this project see."""
    rng = np.random.default_rng(seed)
    age, metals, distance = rng.normal(size=(3, n))
    bands = 14 + np.outer(age, [1, 1, 1, 1, 1]) + np.outer(metals, [0.3, 0.2, 0.1, 0, -0.1]) + 2 * distance[:, None]
    bands += 0.02 * rng.normal(size=bands.shape)
    colours = [bands[:, i] - bands[:, j] for i in range(5) for j in range(i + 1, 5)]
    x = np.column_stack([bands, *colours, *rng.normal(size=(max(0, p - 15), n))])[:, :p].astype(np.float32)
    return x, forest.check_labels(0.5 * metals + 0.1 * np.sin(3 * age) + 0.1 * rng.normal(size=n))


def both(x, y, trees=4, max_features=None, max_depth=17, seed=5):
    settings = {"n_estimators": trees, "max_features": max_features, "max_depth": max_depth, "random_state": seed}
    return RandomForestRegressor(**settings, n_jobs=1).fit(x, y), PresortedForest(**settings, n_jobs=2).fit(x, y)


def assert_same_trees(theirs, ours):
    assert len(theirs.estimators_) == len(ours.estimators_)
    for k, (a, b) in enumerate(zip(theirs.estimators_, ours.estimators_, strict=True)):
        assert a.random_state == b.random_state
        assert a.tree_.node_count == b.tree_.node_count, f"tree {k}"
        for name in NODES:
            assert np.array_equal(getattr(a.tree_, name), getattr(b.tree_, name)), f"tree {k}: {name}"


@pytest.mark.parametrize(
    ("n", "p", "max_features", "max_depth"),
    [(6000, 18, None, 17), (3000, 18, None, None), (2000, 69, None, 12), (3000, 18, "sqrt", 17), (3000, 18, 0.5, 9), (500, 1, None, 3),
     (2000, 18, "log2", None), (1000, 7, 2, 1), (3, 2, None, 5), (2, 1, None, 4)],
)  # fmt: skip
def test_every_node_is_scikit_learns(n, p, max_features, max_depth):
    assert_same_trees(*both(*stars(n, p), max_features=max_features, max_depth=max_depth))


@pytest.mark.parametrize("seed", range(12))
def test_ties_constant_features_and_repeated_values_fall_the_same_way(seed):
    """Coarse features make equal gains in many features; constant columns change which random numbers are drawn."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(5, 400)), int(rng.integers(1, 12))
    x = np.round(rng.normal(size=(n, p)), int(rng.integers(0, 3)))
    x[:, rng.random(p) < 0.3] = 1.5
    x[:, rng.random(p) < 0.2] *= 1e-8  # closer than what scikit-learn tells apart
    y = forest.check_labels(np.round(x.sum(axis=1) + rng.normal(size=n), int(rng.integers(0, 4))) * 10.0 ** rng.integers(-3, 5))
    features = [None, "sqrt", 0.6][seed % 3]
    assert_same_trees(*both(x.astype(np.float32), y, max_features=features, max_depth=[None, 6][seed % 2], seed=seed))


def test_constant_and_nearly_constant_labels():
    x, _ = stars(300, 6)
    for y in (np.full(300, 5012.25), np.zeros(300), np.where(np.arange(300) == 7, -2.5, 4.0)):
        assert_same_trees(*both(x, forest.check_labels(y)))


def test_extreme_values():
    x, y = stars(800, 4)
    x[:100, 0] = np.finfo(np.float32).max
    x[100:200, 0] = -np.finfo(np.float32).max
    x[:, 1] = np.where(np.arange(800) % 2, np.finfo(np.float32).tiny, -np.finfo(np.float32).smallest_subnormal)
    with np.errstate(over="ignore", invalid="ignore"):
        assert_same_trees(*both(x, y))


def test_added_trees_are_those_of_one_large_forest():
    x, y = stars(700, 6)
    whole = PresortedForest(7, None, 9, 3).fit(x, y)
    grown = PresortedForest(2, None, 9, 3, warm_start=True).fit(x, y)
    grown.n_estimators = 7
    assert_same_trees(whole, grown.fit(x, y))
    assert [t.random_state for t in PresortedForest(2, None, 9, 3).fit(x, y).fit(x, y).estimators_] == [
        t.random_state for t in whole.estimators_[:2]
    ]


def test_predictions_and_out_of_bag_equal_scikit_learns():
    x, y = stars(2500, 18)
    new = stars(999, 18, seed=8)[0]
    settings = {"n_estimators": 12, "max_features": None, "max_depth": 11}
    a, a_oob = forest.train(x, y, settings | {"engine": "sklearn"}, seed=2, threads=1)
    b, b_oob = forest.train(x, y, settings | {"engine": "presorted"}, seed=2, threads=2)
    assert np.array_equal(a.nodes, b.nodes) and np.array_equal(a.values, b.values) and np.array_equal(a.offsets, b.offsets)
    assert np.array_equal(a.predict(new), b.predict(new))
    for name in ("mean", "spread", "count"):
        assert np.array_equal(getattr(a_oob, name), getattr(b_oob, name), equal_nan=True)
    assert a_oob.score == b_oob.score
    theirs, ours = both(x, y)
    for one, other in zip(theirs.estimators_, ours.estimators_, strict=True):
        assert np.array_equal(one.predict(new), other.predict(new))


def test_labels_that_are_not_rounded_change_only_which_of_equal_splits_is_taken():
    """Few stars are often divided the same way by a magnitude and by a colour; then rounding of the sums chooses."""
    x, _ = stars(2000, 18)
    y = 5000 + 300 * np.sin(x[:, 0]) + np.random.default_rng(1).normal(0, 20, 2000) * np.pi
    errors = []
    for trained in both(x, y, trees=20):
        unseen = [(forest.unseen(tree, 2000), tree) for tree in trained.estimators_]
        errors.append(np.sqrt(np.mean([np.mean((tree.predict(x[rows]) - y[rows]) ** 2) for rows, tree in unseen])))
    assert errors[0] == pytest.approx(errors[1], rel=0.01)


def test_rounded_labels():
    y = np.array([5777.123456, 3500.0, 8191.99999])
    found = forest.check_labels(y)
    assert np.abs(found - y).max() <= 2.0**-10 and np.array_equal(forest.check_labels(found), found)
    assert np.array_equal(found * 2**9, np.round(found * 2**9))
    many = forest.check_labels(np.random.default_rng(0).normal(-1, 1, 200_000))
    assert many.sum() == many[::-1].sum() == np.sort(many).sum()
    assert np.array_equal(forest.check_labels(np.zeros(3)), np.zeros(3))
    with pytest.raises(InputError, match="training label: is missing or infinite in 1 of 3 rows"):
        forest.check_labels(np.array([1.0, np.nan, 2.0]))


def test_number_of_features_tried():
    for setting in (None, "sqrt", "log2", 0.25, 0.3333, 1, 5, 1.0):
        fit = RandomForestRegressor(1, max_features=setting, max_depth=1, random_state=0).fit(*stars(20, 18))
        assert tried(setting, 18) == fit.estimators_[0].max_features_, setting


@pytest.mark.parametrize("setting", ["all", "", 0, -1, 19, 0.0, -0.5, 1.5, 2.0, float("nan"), float("inf"), True, [3]])
def test_another_number_of_features_is_refused(setting):
    with pytest.raises(InputError, match="sages.forest.max_features: is .*null, sqrt, log2, an integer from 1 to 18"):
        tried(setting, 18)
    with pytest.raises(InputError, match="^key: is"):
        tried(setting, 18, "key")


def test_the_kernels_work_without_the_compiler_too():
    x, y = stars(60, 3)
    compiled = forest_grow.grow.py_func
    count = np.bincount(np.random.RandomState(4).randint(0, 60, 60), minlength=60)
    drawn = np.flatnonzero(count)
    order = np.argsort(x.T, axis=1, kind="stable").astype(np.int32)
    found = []
    for grow in (forest_grow.grow, compiled):
        rows, values = np.empty((3, len(drawn)), np.int32), np.empty((3, len(drawn)), np.float32)
        forest_grow.bagged(order, count, np.ascontiguousarray(x.T), rows, values)
        weight = count[drawn].astype(float)
        with np.errstate(over="ignore"):
            found.append(grow(rows, values, np.column_stack([weight * y[drawn], weight]), y[drawn], 3, 6, np.uint32(9)))
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
