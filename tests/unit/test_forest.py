"""The compact forest is scikit-learn's forest: same predictions to the last bit, same out-of-bag score, same bytes on disk."""

import tracemalloc

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from starlabels import forest
from starlabels.errors import InputError
from starlabels.forest_compact import Forest, check_matrix, compact
from starlabels.forest_kernel import BLOCK, walk
from starlabels.npz import load_arrays, save_arrays

SETTINGS = {"n_estimators": 20, "max_features": None, "max_depth": 9, "engine": "sklearn"}


def sample(n: int = 2000, p: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    # a coarse grid in one feature, so that values equal thresholds
    x = rng.normal(size=(n, p))
    x[:, 0] = np.round(x[:, 0], 1)
    y = 5000 + 300 * np.sin(2 * x[:, 0]) + 100 * x[:, 1 % p] * x[:, 2 % p] + rng.normal(0, 20, n)
    return x.astype(np.float32), forest.check_labels(y)


@pytest.fixture(scope="module")
def trained():
    x, y = sample()
    return (x, y, *forest.train(x, y, SETTINGS, seed=3, threads=2))


def reference(x, y, seed=3, **changes) -> RandomForestRegressor:
    arguments = {k: v for k, v in SETTINGS.items() if k != "engine"} | changes
    return RandomForestRegressor(**arguments, bootstrap=True, random_state=seed, n_jobs=1).fit(x, y)


@pytest.mark.parametrize(
    ("n", "p", "trees", "depth"), [(2000, 6, 20, 9), (300, 1, 7, None), (1000, 69, 3, 17), (500, 3, 1, 17), (50, 4, 5, 1), (2, 2, 4, 3)]
)
def test_predictions_equal_scikit_learn_to_the_last_bit(n, p, trees, depth):
    x, y = sample(n, p)
    theirs = reference(x, y, n_estimators=trees, max_depth=depth)
    ours = compact(theirs, [f"f{k}" for k in range(p)])
    new = sample(5001, p, seed=9)[0]
    for rows in (new, new[:1], new[:31], new[:33], new[::-2], x):
        assert np.array_equal(ours.predict(rows), theirs.predict(rows))


def test_values_at_a_threshold_and_float64_features_take_scikit_learns_way():
    x, y = sample()
    theirs = reference(x, y)
    ours = compact(theirs, list("abcdef"))
    thresholds = np.concatenate([t.tree_.threshold[t.tree_.feature == 0] for t in theirs.estimators_])
    probe = np.repeat(x[:1].astype(float), 3 * len(thresholds), axis=0)
    probe[:, 0] = np.concatenate([thresholds, np.nextafter(thresholds, -np.inf), np.nextafter(thresholds, np.inf)])
    assert np.array_equal(ours.predict(probe), theirs.predict(probe))


LARGEST, SMALLEST = np.finfo(np.float32).max, np.float32(1e-45)  # the latter is denormal
EXTREME = np.array([-LARGEST, -1.0, -SMALLEST, -0.0, 0.0, SMALLEST, 3 * SMALLEST, np.finfo(np.float32).tiny, 1.0, LARGEST], np.float32)


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered in reduce")  # numpy's, in scikit-learn's look for NaN
@pytest.mark.parametrize("seed", range(12))
def test_random_forests_of_odd_shapes_and_extreme_values_equal_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    n, p, trees = int(rng.integers(2, 400)), int(rng.integers(1, 25)), int(rng.integers(1, 12))
    depth = [None, 1, 3, 17, 40][seed % 5]
    extreme = seed % 3 == 0
    x = rng.choice(EXTREME, (n, p)) if extreme else rng.lognormal(0, 20, (n, p)).astype(np.float32)
    y = rng.choice([0.0, 1e-300, 1e200, -3.5, 5777.0], n) if seed % 4 == 0 else rng.normal(size=n)
    theirs = reference(x, y, seed=seed, n_estimators=trees, max_depth=depth)
    ours = compact(theirs, [f"f{k}" for k in range(p)])
    new = np.concatenate([rng.choice(EXTREME, (300, p)), x, rng.lognormal(0, 20, (int(rng.integers(1, 300)), p)).astype(np.float32)])
    assert np.array_equal(ours.predict(new), theirs.predict(new))
    back = Forest.from_arrays(ours.arrays())
    assert all(np.array_equal(getattr(back, name), getattr(ours, name)) for name in ("nodes", "values", "offsets", "depths"))


def test_a_tree_deeper_than_the_sorting_looks():
    x = np.arange(60, dtype=np.float32)[:, None]
    theirs = reference(x, 3.0 ** np.arange(60), n_estimators=5, max_depth=None)  # splits off one star at a time
    ours = compact(theirs, ["f1"])
    assert ours.depths.max() > 30
    assert np.array_equal(ours.predict(x[::-1]), theirs.predict(x[::-1]))


def test_a_forest_without_a_split():
    x, _ = sample(40)
    theirs = reference(x, np.full(40, 2.5))
    assert np.array_equal(compact(theirs, list("abcdef")).predict(x), theirs.predict(x))


def test_spread_is_the_standard_deviation_over_the_trees(trained):
    x, y, ours, _ = trained
    theirs = reference(x, y)
    each = np.array([t.predict(x) for t in theirs.estimators_])
    assert np.allclose(ours.spread(x), each.std(axis=0, ddof=1), rtol=1e-9, atol=1e-9)
    one = compact(reference(x, y, n_estimators=1), list("abcdef"))
    assert np.array_equal(one.spread(x), np.zeros(len(x)))


def test_threads_change_nothing(trained):
    x, y, ours, oob = trained
    alone, alone_oob = forest.train(x, y, SETTINGS, seed=3, threads=1)
    many = sample(9000, seed=4)[0]
    for a, b in zip(ours.predict_spread(many, threads=1), ours.predict_spread(many, threads=3), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(alone.nodes, ours.nodes) and np.array_equal(alone.values, ours.values)
    assert np.array_equal(alone_oob.mean, oob.mean, True) and np.array_equal(alone_oob.spread, oob.spread, True)


def test_threads_and_blocks_change_no_bit(trained):
    ours = trained[2]
    x = sample(140_001, seed=6)[0]  # more than one thread takes through a tree at once
    arrays = ours.nodes, ours.values, ours.offsets, ours.depths
    mean, spread = walk(*arrays, x, 1)
    assert len(x) < BLOCK
    for threads, block in ((1, 131_073), (2, BLOCK), (2, 30_000), (3, BLOCK), (7, BLOCK), (7, 4097)):
        again = walk(*arrays, x, threads, block)
        assert np.array_equal(again[0], mean) and np.array_equal(again[1], spread)
    for block in (1, 7, 16, 17):
        assert np.array_equal(walk(*arrays, x[:100], 2, block), (mean[:100], spread[:100]))
    mixed = np.random.default_rng(0).permutation(len(x))
    assert np.array_equal(walk(*arrays, x[mixed], 2)[1], spread[mixed])


def test_memory_is_bounded_by_the_block():
    stump = compact(reference(*sample(50, 1), n_estimators=1, max_depth=1), ["f1"])
    x = np.random.default_rng(0).normal(size=(2_000_000, 1)).astype(np.float32)

    def peak(block: int) -> int:
        tracemalloc.start()
        walk(stump.nodes, stump.values, stump.offsets, stump.depths, x, 2, block)
        found = tracemalloc.get_traced_memory()[1] - 16 * len(x)  # without the two results
        tracemalloc.stop()
        return found

    assert peak(20_000) < 4e6 < 16e6 < peak(len(x))  # the order alone takes 8 bytes a star of the block


def test_a_row_does_not_depend_on_its_neighbours(trained):
    _, _, ours, _ = trained
    x = sample(140_000, seed=5)[0]
    whole = ours.predict_spread(x, threads=1)
    for part in (slice(0, 7), slice(131_065, 131_080), slice(139_999, 140_000)):
        assert np.array_equal(ours.predict(x[part]), whole[0][part])
        assert np.array_equal(ours.spread(x[part]), whole[1][part])


def test_out_of_bag_equals_scikit_learn(trained):
    x, y, _, oob = trained
    theirs = reference(x, y, oob_score=True)
    seen = oob.count > 0
    assert seen.mean() > 0.99
    assert np.array_equal(oob.mean[seen], theirs.oob_prediction_[seen])
    assert np.isnan(oob.mean[~seen]).all()
    full, full_oob = forest.train(x, y, SETTINGS | {"n_estimators": 60}, seed=3, threads=2)
    assert full_oob.count.min() > 0
    assert full_oob.score == pytest.approx(reference(x, y, n_estimators=60, oob_score=True).oob_score_, abs=1e-12)


def test_unseen_rows_are_those_that_the_bootstrap_left_out(trained):
    x, y, _, oob = trained
    theirs = reference(x, y)
    counts = np.zeros(len(x), int)
    for tree, drawn in zip(theirs.estimators_, theirs.estimators_samples_, strict=True):
        left = np.setdiff1d(np.arange(len(x)), drawn)
        assert np.array_equal(forest.unseen(tree, len(x)), left)
        counts[left] += 1
    assert np.array_equal(counts, oob.count)


def test_out_of_bag_spread_uses_only_trees_that_did_not_see_the_star(trained):
    x, y, ours, oob = trained
    theirs = reference(x, y)
    each = np.array([t.predict(x) for t in theirs.estimators_])
    blind = np.ones_like(each, bool)
    for k, drawn in enumerate(theirs.estimators_samples_):
        blind[k, drawn] = False
    star = 17
    assert oob.spread[star] == pytest.approx(each[blind[:, star], star].std(ddof=1), rel=1e-9)


def test_out_of_bag_spread_is_that_of_a_new_star():
    x, y = sample(1500)
    ours, oob = forest.train(x, y, SETTINGS | {"n_estimators": 100, "max_depth": None}, seed=1, threads=2)
    new = ours.spread(sample(20_000, seed=11)[0])
    assert oob.spread.mean() == pytest.approx(new.mean(), rel=0.04)
    # all trees together would not do: those that saw a star agree on its label
    assert ours.spread(x).mean() < 0.85 * new.mean()


def test_the_score_after_n_trees_is_that_of_a_forest_of_n_trees():
    x, y = sample(600)
    trees = reference(x, y, n_estimators=40).estimators_
    sums = forest.OutOfBagSums(y)
    for k, (rows, prediction) in enumerate(forest.unseen_predictions(trees, x, threads=2), start=1):
        sums.add(rows, prediction)
        if k in (25, 40):
            small = reference(x, y, n_estimators=k, oob_score=True)
            assert np.array_equal(sums.mean(), small.oob_prediction_)
            assert sums.score() == pytest.approx(small.oob_score_, abs=1e-12)


def test_file_gives_the_forest_back_and_the_same_bytes(trained, tmp_path):
    x, _, ours, _ = trained
    ours.save(tmp_path / "a.npz")
    back = Forest.load(tmp_path / "a.npz")
    assert back.names == ours.names and back.n_trees == 20
    for name in ("nodes", "values", "offsets", "depths"):
        assert np.array_equal(getattr(back, name), getattr(ours, name))
    assert np.array_equal(back.predict(x), ours.predict(x))
    back.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_reading_runs_no_code(tmp_path):
    np.savez(tmp_path / "evil.npz", feature=np.array([print], dtype=object))
    with pytest.raises(InputError, match="feature.*damaged.*allow_pickle=False"):
        Forest.load(tmp_path / "evil.npz")


def test_damaged_files_are_named(trained, tmp_path):
    with pytest.raises(InputError, match="absent.npz.*does not exist"):
        Forest.load(tmp_path / "absent.npz")
    whole = tmp_path / "whole.npz"
    trained[2].save(whole)
    (tmp_path / "half.npz").write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(InputError, match="half.npz.*readable"):
        Forest.load(tmp_path / "half.npz")
    raw = bytearray(whole.read_bytes())
    raw[3000:3100] = bytes(100)
    (tmp_path / "spoilt.npz").write_bytes(raw)
    with pytest.raises(InputError, match="spoilt.npz.*damaged"):
        Forest.load(tmp_path / "spoilt.npz")
    save_arrays(tmp_path / "other.npz", {"x": np.arange(3)})
    with pytest.raises(InputError, match="other.npz.*absent"):
        Forest.load(tmp_path / "other.npz")
    assert list(load_arrays(tmp_path / "other.npz")) == ["x"]


def test_arrays_that_would_lead_astray_are_refused(trained):
    good = trained[2].arrays()
    assert Forest.from_arrays(good).n_trees == 20
    leaf = np.flatnonzero(good["feature"] == 255)
    swapped = good["feature"].copy()
    swapped[0], swapped[leaf[0]] = 255, swapped[0]  # a root that is a leaf, with a tree below it
    unknown = np.where(good["feature"] == 3, 6, good["feature"]).astype(np.uint8)
    shifted = good["offsets"] + (np.arange(20) == 7)
    for change in (
        {"threshold": good["threshold"][:-1]}, {"leaf_value": good["leaf_value"][:-1]}, {"leaf_value": np.append(good["leaf_value"], 1.0)},
        {"feature": good["feature"][:-1]}, {"feature": np.full_like(good["feature"], 255)}, {"feature": swapped}, {"feature": unknown},
        {"offsets": shifted}, {"offsets": good["offsets"][:-1]}, {"offsets": good["offsets"] + 1}, {"depths": good["depths"][1:]},
        {"offsets": good["offsets"][:0], "depths": good["depths"][:0]},
        {name: good[name][:0] for name in ("feature", "threshold", "leaf_value", "offsets", "depths")},
    ):
        with pytest.raises(InputError, match="forest.*whole trees.*train again"):
            Forest.from_arrays(good | change)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_missing_and_infinite_features_are_refused_by_name(trained, value):
    x, y, ours, _ = trained
    bad = x.astype(float)
    bad[5:8, 3] = value
    with pytest.raises(InputError, match=r"feature f4.*3 of 2000 rows"):
        ours.predict(bad)
    with pytest.raises(InputError, match=r"feature f4.*3 of 2000 rows"):
        forest.train(bad, y, SETTINGS, 0, 1)


def test_wrong_features_are_refused_by_name(trained):
    x, _, ours, _ = trained
    good = list(ours.names)
    assert len(ours.predict(x, names=good)) == len(x)
    with pytest.raises(InputError, match="missing: f6; unknown: none"):
        ours.predict(x[:, :5], names=good[:5])
    with pytest.raises(InputError, match="missing: f2; unknown: col_u_v_0"):
        ours.predict(x, names=["f1", "col_u_v_0", *good[2:]])
    with pytest.raises(InputError, match="feature 1 is f2.*f1 there"):
        ours.predict(x, names=["f2", "f1", *good[2:]])
    with pytest.raises(InputError, match=r"shape \(2000, 5\)"):
        ours.predict(x[:, :5])


def test_training_refuses_what_cannot_be_trained(trained):
    x, y, _, _ = trained
    with pytest.raises(InputError, match=r"engine.*'cuml'.*Known engines: presorted, sklearn, sklearnex"):
        forest.train(x, y, SETTINGS | {"engine": "cuml"}, 0, 1)
    with pytest.raises(InputError, match="At least two"):
        forest.train(x[:1], y[:1], SETTINGS, 0, 1)
    with pytest.raises(InputError, match="label.*1 of 2000"):
        forest.train(x, np.where(np.arange(2000) == 4, np.nan, y), SETTINGS, 0, 1)
    with pytest.raises(InputError, match="At most 255"):
        compact(reference(x, y, n_estimators=1), [f"f{k}" for k in range(256)])


@pytest.mark.parametrize("engine", forest.ENGINES)
def test_every_engine_refuses_the_same_numbers_of_features(trained, engine):
    pytest.importorskip("daal4py" if engine == "sklearnex" else "numba")
    for value in (7, 1.5, "all"):
        with pytest.raises(InputError, match="sages.forest.max_features: is .*from 1 to 6"):
            forest.train(*trained[:2], SETTINGS | {"engine": engine, "max_features": value}, 0, 1)


def test_another_key_reaches_the_engine_that_knows_it(trained):
    x, y, ours, _ = trained
    settings = SETTINGS | {"min_samples_leaf": 40}
    coarse = forest.train(x, y, settings, seed=3, threads=1)[0]
    assert np.array_equal(coarse.predict(x), reference(x, y, min_samples_leaf=40).predict(x))
    assert len(coarse.nodes) < len(ours.nodes) / 5


@pytest.mark.parametrize("engine", forest.ENGINES)
@pytest.mark.parametrize("key", ["min_sample_leaf", "random_state", "n_jobs", "warm_start", "bootstrap", "max_samples"])
def test_a_key_that_the_engine_does_not_know_is_refused(engine, key):
    """Some that scikit-learn knows too: the seed is not the forest's own, and without its bootstraps nothing is out of the bag."""
    pytest.importorskip("daal4py" if engine == "sklearnex" else "numba")
    with pytest.raises(InputError, match=f"sages.forest.{key}: is not known to the engine {engine}. It knows n_estimators, ") as error:
        forest.new_regressor(SETTINGS | {"engine": engine, key: 1}, 0, 1)
    assert key not in error.value.remedy


@pytest.mark.parametrize("engine", ["presorted", "sklearnex"])
def test_scikit_learns_own_keys_are_refused_by_the_other_engines(engine):
    pytest.importorskip("daal4py" if engine == "sklearnex" else "numba")
    for key, value in (("min_samples_leaf", 5), ("criterion", "absolute_error")):
        forest.new_regressor(SETTINGS | {key: value}, 0, 1)
        with pytest.raises(InputError, match=f"sages.forest.{key}: is not known to the engine {engine}"):
            forest.new_regressor(SETTINGS | {"engine": engine, key: value}, 0, 1)


def test_no_rows_give_no_predictions(trained):
    mean, spread = trained[2].predict_spread(np.empty((0, 6), np.float32))
    assert mean.shape == spread.shape == (0,)


def test_matrix_is_copied_to_c_order():
    x = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    assert check_matrix(x, list("abcd")).flags.c_contiguous
