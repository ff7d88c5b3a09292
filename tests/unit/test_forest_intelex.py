"""Trees of scikit-learn-intelex on scikit-learn's bootstraps: equal accuracy, true out-of-bag rows, nothing that depends on threads."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from starlabels import forest
from starlabels.errors import InputError
from starlabels.forest_intelex import BINS, IntelexForest, bin_numbers

installed = pytest.mark.skipif(find_spec("daal4py") is None, reason="scikit-learn-intelex is not made for this platform")
NODES = ("feature", "children_left", "children_right", "threshold", "value", "n_node_samples")
ALL = {"n_estimators": 4, "max_features": None, "max_depth": 17}


def stars(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Five magnitudes, their ten colours and three columns of noise; a smooth label with noise."""
    rng = np.random.default_rng(seed)
    temperature, metals, distance = rng.normal(size=(3, n))
    bands = 14 + 1.5 * distance[:, None] + np.outer(temperature, [1.2, 0.8, 0.4, 0.2, 0]) + np.outer(metals, [0.3, 0.05, 0.1, 0, 0.02])
    bands += 0.02 * rng.normal(size=bands.shape)
    colours = [bands[:, i] - bands[:, j] for i in range(5) for j in range(i + 1, 5)]
    x = np.column_stack([bands, *colours, *rng.normal(size=(3, n))]).astype(np.float32)
    return x, forest.check_labels(0.6 * metals - 0.1 * metals**2 + 0.1 * np.sin(2 * temperature) + 0.1 * rng.normal(size=n))


def grown(x, y, threads=2, seed=5, **changes):
    return IntelexForest(**{**ALL, **changes}, random_state=seed, n_jobs=threads).fit(x, y)


def assert_same(one, other):
    assert len(one.estimators_) == len(other.estimators_)
    for a, b in zip(one.estimators_, other.estimators_, strict=True):
        assert a.random_state == b.random_state
        for name in NODES:
            assert np.array_equal(getattr(a.tree_, name), getattr(b.tree_, name)), name


@installed
def test_300_trees_are_as_accurate_as_scikit_learns():
    x, y = stars(30_000)
    train, test = slice(10_000), slice(10_000, None)
    scores = {}
    for engine in ("sklearn", "sklearnex"):
        settings = {"n_estimators": 300, "max_features": None, "max_depth": 17, "engine": engine}
        model, out = forest.train(x[train], y[train], settings, seed=3, threads=2)
        scores[engine] = np.sqrt(np.mean((model.predict(x[test], threads=2) - y[test]) ** 2)), out
    (rmse, theirs), (ours_rmse, ours) = scores["sklearn"], scores["sklearnex"]
    assert len(np.unique(x[train, 0])) > 5 * BINS  # else the bins would be no approximation
    assert abs(ours_rmse / rmse - 1) < 0.005
    assert abs(ours.score - theirs.score) < 0.002
    assert np.array_equal(ours.count, theirs.count)
    assert abs(np.median(ours.spread) / np.median(theirs.spread) - 1) < 0.02


@installed
def test_large_nodes_are_split_as_scikit_learn_does_where_every_value_has_its_bin():
    x, y = stars(20_000)
    x = np.round(x * 40) / 40
    assert max(len(np.unique(column)) for column in x.T) <= BINS
    theirs = RandomForestRegressor(n_estimators=4, max_depth=4, random_state=5).fit(x, y)
    for a, b in zip(theirs.estimators_, grown(x, y, max_depth=4).estimators_, strict=True):
        for name in NODES[:4]:
            assert np.array_equal(getattr(a.tree_, name), getattr(b.tree_, name)), name
        assert np.array_equal(a.tree_.n_node_samples, b.tree_.n_node_samples)
        assert np.array_equal(a.tree_.value, b.tree_.value)  # sums of rounded labels are exact


@installed
def test_a_tree_knows_the_rows_of_its_bootstrap_and_no_others():
    x, y = stars(2000)
    theirs = RandomForestRegressor(n_estimators=4, random_state=5).fit(x, y)
    for tree, reference in zip(grown(x, y).estimators_, theirs.estimators_, strict=True):
        assert tree.random_state == reference.random_state
        rows = forest.unseen(tree, len(x))
        assert tree.tree_.n_node_samples[0] == len(x) - len(rows)
        count = np.bincount(np.random.RandomState(tree.random_state).randint(0, len(x), len(x)), minlength=len(x))
        assert np.array_equal(np.flatnonzero(count == 0), rows)
        prediction = tree.predict(x)
        for value in np.unique(prediction)[:50]:
            inside = (prediction == value) & (count > 0)
            assert value == pytest.approx(np.average(y[inside], weights=count[inside]), rel=1e-12)


@installed
def test_neither_threads_nor_a_second_run_change_a_tree():
    import daal4py

    x, y = stars(3000)
    before, first = daal4py.num_threads(), grown(x, y, threads=1)
    assert_same(first, grown(x, y, threads=3))
    daal4py.daalinit(2)
    assert_same(first, grown(x, y, threads=2))
    assert daal4py.num_threads() == 2  # as it was found
    daal4py.daalinit(before)
    others = grown(x, y, seed=6).estimators_
    assert not set(t.random_state for t in others) & set(t.random_state for t in first.estimators_)


@installed
def test_trees_added_later_are_those_of_one_fit():
    x, y = stars(1000)
    growing = IntelexForest(**{**ALL, "n_estimators": 2}, random_state=5, warm_start=True).fit(x, y)
    kept = list(growing.estimators_)
    growing.n_estimators = 4
    growing.fit(x, y)
    assert all(a is b for a, b in zip(kept, growing.estimators_, strict=False))
    assert_same(growing, grown(x, y))


@installed
@pytest.mark.parametrize("depth", [1, 5, 12])
def test_the_depth_is_kept(depth):
    x, y = stars(2000)
    model = forest.compact(grown(x, y, max_depth=depth), [f"f{k}" for k in range(x.shape[1])])
    assert (model.depths == depth).all()


@installed
def test_without_a_depth_every_star_of_the_bootstrap_comes_to_its_own_label():
    x, y = stars(2000)
    for tree in grown(x, y, max_depth=None).estimators_:
        seen = np.setdiff1d(np.arange(len(x)), forest.unseen(tree, len(x)))
        assert np.allclose(tree.predict(x[seen]), y[seen], rtol=1e-12)


@installed
def test_the_number_of_features_tried_is_kept():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    y = x[:, 2] + 0.01 * rng.normal(size=300)
    root = {m: [t.tree_.feature[0] for t in grown(x, y, n_estimators=200, max_depth=1, max_features=m).estimators_] for m in (None, 1, 0.5)}
    assert set(root[None]) == {2}
    assert np.bincount(root[1], minlength=4) == pytest.approx(50, abs=25)  # four standard deviations
    assert np.mean(np.array(root[0.5]) == 2) == pytest.approx(0.5, abs=0.15)  # the best feature is one of the two tried


@installed
@pytest.mark.parametrize(("n", "p"), [(2, 1), (3, 2), (60, 3)])
def test_few_rows_constant_features_and_constant_labels(n, p):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, p)).astype(np.float32), rng.normal(size=n)
    for tree in grown(x, y, max_depth=None).estimators_:
        count = np.bincount(np.random.RandomState(tree.random_state).randint(0, n, n), minlength=n)
        assert np.allclose(tree.predict(x)[count > 0], y[count > 0], rtol=1e-12)
    assert all(t.tree_.node_count == 1 for t in grown(np.ones_like(x), y).estimators_)
    assert all(t.predict(x) == pytest.approx(2.5) for t in grown(x, np.full(n, 2.5)).estimators_)


def test_bins_are_equally_filled_and_keep_the_order():
    values = np.random.default_rng(0).normal(size=50_000).astype(np.float32)
    number = bin_numbers(values)
    assert number.max() == BINS - 1
    filled = np.bincount(number)
    assert filled.min() >= 40 and filled.max() <= 60
    order = np.argsort(values)
    assert (np.diff(number[order].astype(int)) >= 0).all()
    few = np.repeat(np.float32([3, 1, 2]), [5000, 1, 1])
    assert np.array_equal(bin_numbers(few), np.repeat([2, 0, 1], [5000, 1, 1]))


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "daal4py", None)
    with pytest.raises(InputError, match="scikit-learn-intelex") as error:
        forest.new_regressor({**ALL, "engine": "sklearnex"}, seed=0, threads=1)
    assert error.value.where == "sages.forest.engine"
