"""Refits, seeds and importance say what they claim."""

import json

import made_up_stars as made_up
import numpy as np
import pytest

from starlabels.forest import train
from starlabels.io import read_table, write_table
from starlabels.photometry import feature_names
from starlabels.sages.models import run_train
from starlabels.sages.studies_forest import (
    feature_groups,
    permutation_importance,
    run_permutation_importance,
    run_refit_leakage_free,
    run_seeds,
)

CFG = made_up.CFG
MODELS = ["feh_dwarf", "logg_all"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("studies")
    write_table(root / "s.parquet", made_up.samples(1200, 800))
    for model in MODELS:
        run_train(root / "s.parquet", CFG, 1, model, 42, 2, root / f"{model}.npz", root / f"{model}.json")
    return root


def paths(root):
    return {model: root / f"{model}.npz" for model in MODELS}


def test_common_stars_flatter_the_literal_split_only(folder, tmp_path):
    run_refit_leakage_free(folder / "s.parquet", CFG, 1, MODELS, paths(folder), 42, 2, tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet").set_index(["model", "training", "test_set"])
    samples = read_table(folder / "s.parquet")
    for model in MODELS:
        own = table.loc[model]
        assert own.loc[("literal", "n_train")].iloc[0] > own.loc[("without_test_stars", "n_train")].iloc[0]
        literal, refit = own.loc[("literal", "common"), "std"], own.loc[("without_test_stars", "common"), "std"]
        assert literal < refit  # these stars' labels were shown to the literal training
        assert own.loc[("literal", "clean"), "std"] == pytest.approx(own.loc[("without_test_stars", "clean"), "std"], rel=0.1)
        assert own.loc[("literal", "all"), "n_test"] == own.loc[("literal", "common"), "n_test"] + own.loc[("literal", "clean"), "n_test"]
    assert table.loc[("logg_all", "literal", "all"), "n_test"] == (samples["role"] == "test").sum()


def test_seeds_differ_a_little(folder, tmp_path):
    run_seeds(folder / "s.parquet", CFG, 1, ["feh_dwarf"], [1, 2, 3], 2, tmp_path / "t.parquet", tmp_path / "t.json")
    table, found = read_table(tmp_path / "t.parquet"), json.loads((tmp_path / "t.json").read_text())["models"]["feh_dwarf"]
    assert table["seed"].tolist() == [1, 2, 3] and table["std"].nunique() == 3
    assert 0 < found["sigma"]["std"] < 0.2 * found["sigma"]["mean"]
    assert found["sigma"]["range"] == pytest.approx(np.ptp(table["sigma"]))


def test_importance_finds_the_features_that_matter():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 4)).astype(np.float32)
    x[:, 1] = x[:, 0] + 0.01 * rng.normal(size=1500)  # says the same as the first
    y = x[:, 0] + 0.5 * x[:, 2]
    forest, _ = train(x[:1000], y[:1000], CFG["forest"], 0, 2)
    groups = {"a": [0], "b": [1], "both": [0, 1], "c": [2], "nothing": [3]}
    table = permutation_importance(forest, x[1000:], y[1000:], groups, 3, 7, 1)
    loss = table.groupby("group")["loss"].mean()
    assert loss["both"] > 1 and loss["c"] > 0.2 and abs(loss["nothing"]) < 0.02
    assert loss["both"] > 1.5 * max(loss["a"], loss["b"])  # either one alone is backed by the other
    again = permutation_importance(forest, x[1000:], y[1000:], groups, 3, 7, 2)
    assert again.equals(table)


def test_groups_of_features():
    names = feature_names(CFG, 1)
    groups = feature_groups(names, CFG)
    assert [names[k] for k in groups["parallax and absolute magnitude"]] == ["parallax", "abs_gaia_g_0"]
    assert [names[k] for k in groups["all features with sages_v"]] == ["sages_v_0", "col_u_v_0", "col_v_g_0", "col_v_bp_0", "col_v_rp_0"]
    assert len(groups["all colours"]) == 10 and len(groups["all magnitudes"]) == 5 and groups["ebv_sfd"] == [17]


def test_log_g_rests_on_the_absolute_magnitude(folder, tmp_path):
    table, summary = tmp_path / "t.parquet", tmp_path / "t.json"
    run_permutation_importance(folder / "s.parquet", paths(folder), CFG, 1, MODELS, 42, 2, table, summary, repeats=2)
    found = json.loads(summary.read_text())["models"]
    loss = found["logg_all"]["loss"]
    assert next(iter(loss)) in ("parallax and absolute magnitude", "all magnitudes", "abs_gaia_g_0")
    assert loss["abs_gaia_g_0"] > 20 * abs(loss["ebv_sfd"]) and found["logg_all"]["r2"] > 0.8
    assert set(read_table(table)["model"]) == set(MODELS)
