"""Comparisons with labels, catalogues and the truth give back the errors that were put in."""

import numpy as np
import pandas as pd
import pytest

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_table
from starlabels.metrics import gaussian_fit
from starlabels.sages.validation.bins import run_bins
from starlabels.sages.validation.external import run_external
from starlabels.sages.validation.residuals import BinnedResiduals, Residuals
from starlabels.sages.validation.test_set import run_same_stars, run_test_set
from starlabels.sages.validation.truth import iter_truth, run_truth


def outputs(folder, name):
    return folder / f"{name}.json", folder / f"{name}_density.parquet", folder / f"{name}_hist.parquet"


def test_residuals_agree_with_the_fit_to_the_values(cfg):
    """Counting in narrow bins loses nothing that matters against the fit to the values themselves."""
    values = np.random.default_rng(0).normal(0.03, 0.1, 20000)
    gathered = Residuals("feh", cfg)
    for part in np.array_split(values, 7):
        gathered.add(part)
    ours, exact = gathered.statistics(), gaussian_fit(values, 0.02)
    assert ours["bin_width"] == pytest.approx(0.02) and ours["fit"] == "histogram"
    for key in ("mean", "sigma", "median", "robust_sigma", "bias", "std", "rmse"):
        assert ours[key] == pytest.approx(exact[key], abs=5e-4), key


def test_few_residuals_get_wider_bins_and_still_a_fit(cfg):
    values = np.random.default_rng(1).normal(0.1, 0.3, 120)
    gathered = Residuals("feh", cfg)
    gathered.add(values)
    found = gathered.statistics(bootstrap=30, fallback=True)
    assert found["bin_width"] > 0.1 and found["fit"] == "histogram"
    assert abs(found["mean"] - 0.1) < 0.1 and 0.2 < found["sigma"] < 0.4 and 0 < found["mean_error"] < 0.1
    table = gathered.table(found["bin_width"])
    assert table["count"].sum() == 120 and np.allclose(table["hi"] - table["lo"], found["bin_width"])


def test_three_residuals_fall_back_to_robust_statistics(cfg):
    gathered = Residuals("teff", cfg)
    gathered.add([10.0, 20.0, 40.0])
    assert gathered.statistics()["fit"] == "none" and gathered.statistics()["mean"] is None
    found = gathered.statistics(fallback=True)
    assert found["fit"] == "robust" and found["mean"] == pytest.approx(20, abs=1) and found["n"] == 3


def test_bins_are_half_open_and_small_ones_absent(cfg):
    binned = BinnedResiduals("feh", cfg, [0.0, 1.0, 2.0])
    binned.add(np.array([0.0, 0.5, 1.0, 2.0, 2.1, np.nan]), np.array([0.1, 0.1, 0.2, 0.2, 9.0, 9.0]))
    binned.add(np.array([1.5]), np.array([0.2]))
    table = binned.table(3, parameter="feh")
    assert table[["lo", "hi", "mid", "n"]].to_numpy().tolist() == [[1.0, 2.0, 1.5, 3.0]]


def test_test_set_recovers_the_errors(world, cfg, tmp_path):
    files = outputs(tmp_path, "test_set1")
    found = run_test_set(world.folder / "samples.parquet", cfg, 1, True, *files)
    assert list(found["panels"]) == ["feh_dwarf", "feh_giant", "teff_dwarf", "teff_giant", "logg_all"]
    teff = found["splits"]["by_survey"]["apogee"]["teff_dwarf"]
    assert teff["mean"] == pytest.approx(30, abs=4 * teff["mean_error"]) and teff["sigma"] == pytest.approx(60, rel=0.12)
    assert found["splits"]["literal"]["logg_all"]["n"] == 1500          # the metal-poor rows give [Fe/H] only
    assert found["splits"]["leakage_free"]["logg_all"]["n"] == 1000     # 500 of them are training stars
    both = found["splits"]["by_survey"]
    shift = both["vmp_unshifted"]["feh_dwarf"]["median"] - both["vmp"]["feh_dwarf"]["median"]
    assert shift == pytest.approx(0.427, abs=0.01)
    assert "apogee_unshifted" not in both
    saved = read_json(files[0])
    assert saved["simulated"] is True and (saved["x"], saved["y"]) == ("spectroscopic", "this work")
    density, histogram = read_table(files[1]), read_table(files[2])
    assert list(density.columns) == ["panel", "kind", "x_lo", "x_hi", "y_lo", "y_hi", "count"]
    one = density[(density["panel"] == "logg_all") & (density["kind"] == "one_to_one")]
    assert one["count"].sum() + saved["panels"]["logg_all"]["outside_plot"] == 1500
    assert histogram.loc[histogram["panel"] == "logg_all", "count"].sum() == 1500


def test_same_input_gives_the_same_bytes(world, cfg, tmp_path):
    for name in ("a", "b"):
        run_test_set(world.folder / "samples.parquet", cfg, 1, True, *outputs(tmp_path, name))
    for a, b in zip(outputs(tmp_path, "a"), outputs(tmp_path, "b"), strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_a_sample_without_test_stars_is_refused(world, cfg, tmp_path):
    frame = read_table(world.folder / "samples.parquet")
    path = tmp_path / "train_only.parquet"
    write_table(path, frame[frame["role"] == "train"])
    with pytest.raises(InputError, match="has no test star"):
        run_test_set(path, cfg, 1, True, *outputs(tmp_path, "none"))


def test_bins_of_figure_8(world, cfg, tmp_path):
    paths = [tmp_path / n for n in ("bins.parquet", "bins.json")]
    found = run_bins({1: world.folder / "samples.parquet"}, cfg, True, *paths)
    both = read_table(paths[0])
    table = both[both["split"] == "literal"]
    assert table["n"].min() >= 50 and set(table["test_set"]) == {"apogee", "vmp"}
    assert np.allclose(table["hi"] - table["lo"], table["parameter"].map({"feh": 0.25, "teff": 250.0, "logg": 0.25}).to_numpy())
    middle = table[(table["test_set"] == "apogee") & (table["parameter"] == "teff") & (table["n"] > 150)]
    assert len(middle) and (abs(middle["mean"] - 30) < 20).all() and (abs(middle["sigma"] - 60) < 15).all()
    assert table["n"].sum() > both.loc[both["split"] == "leakage_free", "n"].sum() > 0
    claims = found["claims"]["1"]["literal"]
    assert claims["sages.sys.teff_dwarf"]["value"] == pytest.approx(30, abs=10)
    assert claims["sages.scatter.feh_poor"]["value"] == pytest.approx(0.2, abs=0.06)
    assert found["overall"]["1"]["logg"]["sigma"] == pytest.approx(0.08, abs=0.01)


def test_same_stars_of_two_sets(world, cfg, tmp_path):
    frame = read_table(world.folder / "samples.parquet")
    second = frame.iloc[::2].assign(teff_pred=frame["teff_pred"].iloc[::2] + 100)
    write_table(tmp_path / "set2.parquet", second)
    found = run_same_stars({1: world.folder / "samples.parquet", 2: tmp_path / "set2.parquet"}, cfg, True, tmp_path / "same.json")
    assert found["n_common"] == (second["role"] == "test").sum()
    assert found["same"]["1"]["logg_all"]["n"] == found["same"]["2"]["logg_all"]["n"] < found["own"]["1"]["logg_all"]["n"]
    shift = found["same"]["2"]["teff_dwarf"]["median"] - found["same"]["1"]["teff_dwarf"]["median"]
    assert shift == pytest.approx(100, abs=1)


def test_external_catalogue_cell_by_cell(world, cfg, tmp_path):
    files = outputs(tmp_path, "h23")
    found = run_external(world.cells("predictions"), world.cells("h23"), cfg, "h23", True, *files)
    assert list(found["panels"]) == ["feh_dwarf", "feh_giant", "teff_dwarf", "teff_giant"] and found["x"] == "H23"
    assert found["n_common"] == 4000 and found["n_masked"] == world.frame["cool_mask"].sum()
    for name in ("teff_dwarf", "teff_giant"):
        assert found["panels"][name]["mean"] == pytest.approx(50, abs=5)
        assert found["panels"][name]["sigma"] == pytest.approx(60, rel=0.1)
    assert sum(found["panels"][n]["n"] for n in ("feh_dwarf", "feh_giant")) == 4000 - found["n_masked"]


def test_external_does_not_depend_on_the_order_of_the_files(world, cfg, tmp_path):
    one, two = outputs(tmp_path, "one"), outputs(tmp_path, "two")
    run_external(world.cells("predictions"), world.cells("h23"), cfg, "h23", True, *one)
    run_external(world.cells("predictions")[::-1], world.cells("h23")[::-1], cfg, "h23", True, *two)
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


def test_external_names_a_cell_without_partner(world, cfg, tmp_path):
    with pytest.raises(InputError, match="no partner cell-00002.parquet"):
        run_external(world.cells("predictions"), [world.cells("h23")[0], world.cells("h23")[2]], cfg, "h23", True, *outputs(tmp_path, "x"))


def test_external_catalogue_without_parameters(world, cfg, tmp_path):
    write_table(tmp_path / "cell-00001.parquet", pd.DataFrame({"gaia_dr3_source_id": np.arange(3)}))
    with pytest.raises(InputError, match="none of the columns"):
        run_external(world.cells("predictions"), [tmp_path / "cell-00001.parquet"], cfg, "h23", True, *outputs(tmp_path, "x"))


def test_truth_joins_every_star_whatever_the_groups(world):
    truth = sorted((world.folder / "truth").glob("part-*.parquet"))
    for rows in (700, 10_000):
        joined = pd.concat(list(iter_truth(world.cells("predictions"), truth, rows)), ignore_index=True)
        assert len(joined) == 4000 - world.frame["cool_mask"].sum()
        expected = world.frame.set_index("gaia_dr3_source_id").loc[joined["gaia_dr3_source_id"], "feh_true"].to_numpy()
        assert np.array_equal(joined["feh_true"], expected)


def test_truth_recovers_the_errors(world, cfg, tmp_path):
    truth = sorted((world.folder / "truth").glob("part-*.parquet"))
    found = run_truth(world.cells("predictions"), truth, cfg, 1, *outputs(tmp_path, "truth"), tmp_path / "bins.parquet")
    assert found["panels"]["logg_all"]["mean"] == pytest.approx(-0.01, abs=0.005)
    assert found["panels"]["feh_dwarf"]["sigma"] == pytest.approx(0.10, rel=0.06)
    assert found["x"] == "true" and found["counts"]["stars"] == 4000 - world.frame["cool_mask"].sum()
    assert set(read_table(tmp_path / "bins.parquet")["test_set"]) == {"truth"}
    kept = world.frame[~world.frame["cool_mask"] & (world.frame["star_class"] == "dwarf")]
    assert found["too_poor"]["n"] == (kept["feh_true"] > -0.6).sum() and found["too_poor"]["count"] == 0


def test_truth_counts_dwarfs_that_come_out_too_poor(world, cfg, tmp_path):
    frame = world.frame.drop(columns=[c for c in world.frame if c.endswith("_true")])
    dwarf = (frame["star_class"] == "dwarf") & ~frame["cool_mask"]
    rich = world.frame["feh_true"] > -0.6
    moved = frame.index[dwarf & rich][:30]
    frame.loc[moved, "feh"] = -1.2
    frame.loc[frame.index[(frame["star_class"] == "giant") & rich][:40], "feh"] = -1.2        # a giant is no dwarf
    frame.loc[frame.index[dwarf & ~rich][:20], "feh"] = -4.0                                    # poor in truth too
    write_table(tmp_path / "cell-00001.parquet", frame)
    truth = sorted((world.folder / "truth").glob("part-*.parquet"))
    found = run_truth([tmp_path / "cell-00001.parquet"], truth, cfg, 1, *outputs(tmp_path, "truth"), tmp_path / "bins.parquet")["too_poor"]
    near = -1.2 > world.frame.loc[moved, "feh_true"] - 0.5
    assert found == {"true_above": -0.6, "predicted_below": -0.7, "by": 0.5, "n": (dwarf & rich).sum(), "count": 30 - near.sum(),
                     "share": found["count"] / found["n"]}
    assert found["count"] > 0
