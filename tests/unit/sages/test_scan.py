"""The scan's two shortcuts give what direct fits give."""

import json
from importlib.util import find_spec

import made_up_stars as made_up
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from starlabels.errors import InputError
from starlabels.forest import ENGINES, check_labels
from starlabels.forest_compact import check_matrix
from starlabels.io import read_table, write_table
from starlabels.photometry import feature_matrix
from starlabels.sages import scan
from starlabels.sages.scan import depth_panel, predictions_at_depths, run_scan, trees_panel

SCAN = {
    "data_set": 1, "model": "feh_dwarf", "max_stars": 300, "n_estimators": [10, 20, 30], "max_features": [None, "sqrt", 0.5],
    "max_depth": [3, 6, 9], "repeats": 2,
}
CFG = made_up.CFG | {"scan": SCAN, "forest": made_up.CFG["forest"] | {"max_depth": 6, "n_estimators": 20}}


@pytest.fixture(scope="module")
def stars():
    frame = made_up.features(700, 1)
    names, x = feature_matrix(frame, CFG, 1)
    return check_matrix(x, names), frame["true_feh"].to_numpy()


def direct(x, y, n, max_features, depth, oob=True):
    return RandomForestRegressor(n, max_features=max_features, max_depth=depth, random_state=5, oob_score=oob, n_jobs=1).fit(x, y)


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_one_large_forest_gives_every_smaller_one(stars):
    x, y = stars
    rows = trees_panel(x, y, CFG["forest"], [25, 40, 50], [None, "sqrt"], seed=5, threads=2)
    assert [(r["max_features"], r["n_estimators"]) for r in rows] == [(m, n) for m in ("all", "sqrt") for n in (25, 40, 50)]
    for row in rows:
        fit = direct(x, y, row["n_estimators"], None if row["max_features"] == "all" else "sqrt", 6)
        assert row["oob_r2"] == pytest.approx(fit.oob_score_, abs=1e-12)
    seconds = [r["seconds"] for r in rows[:3]]
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_a_cut_tree_is_the_shallower_tree(stars):
    x, y = stars
    deep = direct(x, y, 5, None, 12, oob=False)
    same = 0
    for depth in (0, 1, 4, 8, 12):
        shallow = direct(x, y, 5, None, depth, oob=False) if depth else None
        for k, tree in enumerate(deep.estimators_):
            cut = predictions_at_depths(tree.tree_, x, [depth])[depth]
            if depth:
                same += np.isclose(cut, shallow.estimators_[k].predict(x), atol=1e-12).mean()
            else:
                assert np.ptp(cut) == 0
    assert same / 20 > 0.98  # ties between equal splits (colours and their magnitudes) may fall either way


def test_without_ties_cut_forests_are_exactly_the_direct_fits():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3000, 5)).astype(np.float32)  # no feature repeats another, and nodes down to depth 4 stay large
    y = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 0.1 * rng.normal(size=3000)
    settings = CFG["forest"] | {"n_estimators": 20}
    cut, fitted = (depth_panel(x, y, settings, [2, 3, 4], 5, 2, direct) for direct in (False, True))
    assert [r["oob_r2"] for r in cut] == pytest.approx([r["oob_r2"] for r in fitted], abs=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_forest_of_any_engine_can_be_cut(engine):
    if engine == "sklearnex" and find_spec("daal4py") is None:
        pytest.skip("scikit-learn-intelex is not made for this platform")
    rng = np.random.default_rng(3)
    x = np.round(rng.normal(size=(3000, 5)), 2).astype(np.float32)  # fewer values than bins
    y = check_labels(x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 0.1 * rng.normal(size=3000))
    settings, depths = CFG["forest"] | {"n_estimators": 20, "engine": engine}, [2, 3, 4]
    cut, fitted = ([r["oob_r2"] for r in depth_panel(x, y, settings, depths, 5, 2, direct)] for direct in (False, True))
    assert cut == pytest.approx(fitted, abs=1e-9)
    assert len(set(cut)) == 3


@pytest.mark.parametrize("key", ["forest", "scan"])
def test_too_many_features_a_split_are_named_before_any_forest_is_grown(tmp_path, monkeypatch, key):
    write_table(tmp_path / "s.parquet", made_up.samples(300, 20))
    monkeypatch.setattr(scan, "new_regressor", lambda *a, **k: pytest.fail("a forest was made"))
    cfg = CFG | {key: CFG[key] | {"max_features": 19 if key == "forest" else [None, 19]}}
    with pytest.raises(InputError, match=f"sages.{key}.max_features: is 19. .*from 1 to 18"):
        run_scan(tmp_path / "s.parquet", cfg, 42, 1, tmp_path / "scan.parquet", tmp_path / "scan.json")
    assert not (tmp_path / "scan.parquet").exists()


def test_ties_matter_less_than_the_seed(stars):
    x, y = stars
    settings, depths = CFG["forest"] | {"n_estimators": 40}, [3, 6, 9]

    def scores(seed, direct):
        return np.array([r["oob_r2"] for r in depth_panel(x, y, settings, depths, seed, 2, direct)])

    fitted = np.array([scores(seed, True) for seed in range(4)])
    ties = np.abs(np.array([scores(seed, False) for seed in range(4)]) - fitted)
    assert ties.mean() < 0.5 * fitted.std(axis=0, ddof=1).mean()
    assert ties.max() < 0.1 * np.diff(fitted.mean(axis=0)).min()  # and far less than what the scan is to show


def test_trees_that_try_some_features_are_never_cut(stars):
    x, y = stars
    settings = CFG["forest"] | {"max_features": "sqrt"}
    assert depth_panel(x, y, settings, [3], 5, 2, direct=False)[0]["oob_r2"] == pytest.approx(
        trees_panel(x, y, settings | {"max_depth": 3}, [20], ["sqrt"], 5, 1)[0]["oob_r2"], abs=1e-12
    )


def test_settings_that_mean_the_same_number_of_features_are_fitted_once(stars, monkeypatch):
    x, y = stars
    assert x.shape[1] == 18
    asked = []
    original = scan.new_regressor
    monkeypatch.setattr(scan, "new_regressor", lambda *a, **k: asked.append(k["max_features"]) or original(*a, **k))
    rows = trees_panel(x, y, CFG["forest"], [5], ["sqrt", 0.5, "log2", 0.25], 5, 1)
    assert asked == ["sqrt", 0.5]  # all but 0.5 mean four features
    assert [r["max_features"] for r in rows] == ["sqrt", "0.5", "log2", "0.25"]
    assert rows[0]["oob_r2"] == rows[2]["oob_r2"] == rows[3]["oob_r2"] != rows[1]["oob_r2"]
    for setting in ("sqrt", "log2", 0.25, 0.3333, None):
        fit = direct(x, y, 1, setting, 2, oob=False)
        assert scan.tried(setting, 18) == fit.estimators_[0].max_features_


@pytest.mark.parametrize("full", [False, True])
def test_table_and_summary(tmp_path, full):
    write_table(tmp_path / "s.parquet", made_up.samples(500, 20))
    run_scan(tmp_path / "s.parquet", CFG, 42, 2, tmp_path / "scan.parquet", tmp_path / "scan.json", full=full)
    table, found = read_table(tmp_path / "scan.parquet"), json.loads((tmp_path / "scan.json").read_text())
    assert list(table.columns) == [
        "kind", "max_features", "n_estimators", "max_depth", "repeat", "oob_r2", "one_minus_oob", "seconds"
    ]
    repeats, all_dwarfs = (5 if full else 1), found["n_stars"]
    assert (table["kind"] == "trees").sum() == 3 * 3 * repeats
    assert (table.loc[table["kind"] == "trees", "seconds"] > 0).all()
    assert (table["kind"] == "depth").sum() == 3 * (5 if full else 2)
    assert np.allclose(table["one_minus_oob"], 1 - table["oob_r2"])
    assert (all_dwarfs == 300) if not full else (300 < all_dwarfs < 500)
    assert found["most_trees"] == 30 and found["speed_ratio"] > 1 and abs(found["relative_oob_loss"]) < 0.1
    mean = table[table["kind"] == "depth"].groupby("max_depth")["oob_r2"].mean()
    assert found["best_depth"] == mean.idxmax() and found["oob_r2_chosen_depth"] == pytest.approx(mean[6])
    assert table.loc[table["kind"] == "depth", "seconds"].notna().all() == full


def test_scan_is_the_same_again_but_for_its_clock(tmp_path):
    write_table(tmp_path / "s.parquet", made_up.samples(400, 20))
    found = []
    for threads in (1, 2):
        run_scan(tmp_path / "s.parquet", CFG, 42, threads, tmp_path / "scan.parquet", tmp_path / "scan.json")
        found.append(read_table(tmp_path / "scan.parquet").drop(columns="seconds"))
    assert found[0].equals(found[1])
