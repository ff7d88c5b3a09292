"""Statistics of residuals and the joined rows that every validation uses."""

import numpy as np
import pandas as pd
import pytest

from starlabels.errors import InputError
from starlabels.io import write_table
from starlabels.rave.rows import iter_observed, normal, parallax_good, training_rows
from starlabels.rave.statistics import coverage, linear_relation, residual_statistics


def test_statistics_are_mean_and_population_deviation():
    residual = np.array([1.0, 2.0, 3.0, 6.0, np.nan, np.inf])
    found = residual_statistics(residual, 200, 3)
    assert found["n"] == 4 and found["bias"] == 3.0
    assert found["sigma"] == pytest.approx(np.std([1, 2, 3, 6]))
    assert found["bias_interval"][0] < 3.0 < found["bias_interval"][1]
    assert found == residual_statistics(residual, 200, 3)


def test_interval_of_many_values_is_the_standard_error():
    x = np.random.default_rng(1).normal(0.5, 2.0, 4000)
    found = residual_statistics(x, 200)
    half = 0.5 * np.diff(found["bias_interval"])[0]
    assert half == pytest.approx(2.0 / np.sqrt(4000), rel=0.25)
    assert found["robust_sigma"] == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("values", [[], [np.nan]])
def test_statistics_of_nothing(values):
    found = residual_statistics(np.array(values))
    assert found["n"] == 0 and np.isnan(found["bias"]) and np.isnan(found["sigma_interval"]).all()


def test_one_value_has_no_interval():
    found = residual_statistics([2.0])
    assert found["bias"] == 2.0 and found["sigma"] == 0.0 and np.isnan(found["bias_interval"]).all()


def test_relation_shows_regression_to_the_mean():
    x = np.linspace(-1, 1, 50)
    found = linear_relation(x, 0.5 * x + 0.2)
    assert found["slope"] == pytest.approx(0.5) and found["intercept"] == pytest.approx(0.2)
    assert linear_relation(x, x)["r2"] == pytest.approx(1.0)
    assert np.isnan(linear_relation([1, 1, 1], [1, 2, 3])["slope"])


def test_coverage_of_honest_errors():
    x = np.random.default_rng(2).normal(0, 1, 20000)
    found = coverage(x, np.ones_like(x))
    assert found["within_1"] == pytest.approx(0.683, abs=0.02) and found["factor_68"] == pytest.approx(1.0, abs=0.03)
    assert coverage(x, np.zeros_like(x))["n"] == 0


def _slices(folder):
    paths = {"stars": [], "predictions": []}
    for name, ids, keep in (("b", ["x3", "x4"], [True, True]), ("a", ["x1", "x2"], [True, False])):
        for kind in paths:
            (folder / kind).mkdir(exist_ok=True)
            paths[kind].append(folder / kind / f"{name}.parquet")
        write_table(paths["stars"][-1], pd.DataFrame({
            "rave_obs_id": ids, "snr_rave": [20.0, 40.0], "in_observed": keep, "class_normal": [True, False],
            "parallax_error_ratio": [0.1, np.inf],
        }))
        kept = [i for i, k in zip(ids, keep, strict=True) if k][::-1]
        write_table(paths["predictions"][-1], pd.DataFrame({
            "rave_obs_id": kept, "teff_cnn": np.arange(len(kept), dtype=np.float32), "mh_cnn": np.zeros(len(kept), np.float32),
        }))
    return paths["stars"], paths["predictions"]


def test_observed_rows_in_order_of_the_slices(tmp_path):
    stars, predictions = _slices(tmp_path)
    frames = list(iter_observed(stars, predictions[::-1], ["snr_rave", "class_normal", "parallax_error_ratio"], ["teff_cnn"]))
    assert [list(f["rave_obs_id"]) for f in frames] == [["x1"], ["x3", "x4"]]
    assert list(frames[1].columns) == ["rave_obs_id", "snr_rave", "class_normal", "parallax_error_ratio", "teff_cnn"]
    assert list(frames[1]["teff_cnn"]) == [1.0, 0.0]
    assert list(normal(frames[1])) == [True, False]
    assert list(parallax_good(frames[1], {"validation": {"parallax_error_max": 0.2}})) == [True, False]


def test_unpaired_slices_and_absent_columns_are_named(tmp_path):
    stars, predictions = _slices(tmp_path)
    with pytest.raises(InputError, match="b.parquet"):
        list(iter_observed(stars, predictions[1:], ["snr_rave"]))
    with pytest.raises(InputError, match="column teff_none"):
        list(iter_observed(stars, predictions, ["snr_rave"], ["teff_none"]))
    with pytest.raises(InputError, match="no slice"):
        list(iter_observed([], [], ["snr_rave"]))


def test_training_rows_need_every_prediction(tmp_path):
    rows = pd.DataFrame({"rave_obs_id": ["b", "a"], "role": ["train", "test"], "teff": [5000.0, 6000.0]})
    found = pd.DataFrame({"rave_obs_id": ["a", "b"], "role": ["test", "train"], "teff_cnn": [6010.0, 5010.0]})
    write_table(tmp_path / "t.parquet", rows)
    write_table(tmp_path / "p.parquet", found)
    joined = training_rows(tmp_path / "t.parquet", tmp_path / "p.parquet")
    assert list(joined["teff_cnn"] - joined["teff"]) == [10.0, 10.0] and list(joined["rave_obs_id"]) == ["b", "a"]
    write_table(tmp_path / "short.parquet", found.iloc[:1])
    with pytest.raises(InputError, match="no prediction for b"):
        training_rows(tmp_path / "t.parquet", tmp_path / "short.parquet")
    write_table(tmp_path / "twice.parquet", pd.concat([found, found]))
    with pytest.raises(InputError, match="twice"):
        training_rows(tmp_path / "t.parquet", tmp_path / "twice.parquet")
