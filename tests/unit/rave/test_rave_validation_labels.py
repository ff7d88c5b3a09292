"""Validations behind Figures 6 to 12 and A.1 to A.4 and against the truth, on made-up stars."""

import numpy as np
import pandas as pd
import pytest
from unit.rave.made_up_rave import LABELS, SCATTER, configuration, world

from starlabels.errors import InputError
from starlabels.io import read_json, read_meta, read_table, write_table
from starlabels.rave.rows import iter_observed, training_rows
from starlabels.rave.validation.abundance_grid import METALLICITY, Bins, run_abundance_grids
from starlabels.rave.validation.kiel import run_kiel
from starlabels.rave.validation.labels import run_labels
from starlabels.rave.validation.planes import Plane, factor_for
from starlabels.rave.validation.poor_parallax import above_line, median_line, run_poor_parallax
from starlabels.rave.validation.truth import run_truth

CFG = configuration()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return world(tmp_path_factory.mktemp("rave"))


@pytest.fixture(scope="module")
def everything(run):
    """All rows of the observed sample with the predictions of the network with photometry."""
    columns = ["raveid", "gaia_dr2_source_id", "snr_rave", "parallax_error_ratio", "class_normal"]
    return pd.concat(list(iter_observed(run.stars, run.predictions["photometry"], columns)), ignore_index=True)


def passing(frame, snr):
    ratio = frame["parallax_error_ratio"]
    return frame[frame["class_normal"] & (ratio >= 0) & (ratio < 0.2) & (frame["snr_rave"] > snr)]


# --- cells --------------------------------------------------------------------------------------------------------


def test_plane_counts_means_and_coarsens():
    x, y, v = np.array([0.5, 0.6, 1.5, 4.0, 9.0, np.nan]), np.array([0.5, 0.5, 2.5, 3.0, 1.0, 1.0]), np.arange(6.0)
    whole, pieces = Plane(range(5), range(4), ["v"]), Plane(range(5), range(4), ["v"])
    whole.add(x, y, v=v)
    for part in np.array_split(np.arange(6), 4):
        pieces.add(x[part], y[part], v=v[part])
    pd.testing.assert_frame_equal(whole.table(), pieces.table())
    table = whole.table(kind="a")
    assert whole.outside == 2 and table["count"].tolist() == [2, 1, 1] and table["mean_v"].tolist() == [0.5, 2.0, 3.0]
    assert set(table["kind"]) == {"a"}
    wide = whole.coarser(2)
    assert wide.y_edges.tolist() == [0, 2, 3] and wide.counts.sum() == 4 and wide.table()["mean_v"].tolist() == [0.5, 2.0, 3.0]


def test_few_stars_ask_for_wide_cells():
    assert [factor_for(n) for n in (10, 20_000, 400_000)] == [4, 2, 1]


# --- labels -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labels(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    paths = [folder / n for n in ("labels.json", "points.parquet", "hist.parquet")]
    both = run.training_predictions
    return run_labels(run.training, both["photometry"], both["spectra"], CFG, True, *paths), paths


def test_statistics_of_the_labels_are_mean_and_deviation(run, labels):
    found = labels[0]
    frame = training_rows(run.training, run.training_predictions["photometry"])
    test = frame[frame["role"] == "test"]
    residual = (test["teff_cnn"] - test["teff"]).to_numpy()
    own = found["networks"]["photometry"]["teff"]["test"]
    assert own["bias"] == pytest.approx(residual.mean()) and own["sigma"] == pytest.approx(residual.std())
    assert found["n"]["test_clean"] == (~test["twin_in_train"]).sum() < found["n"]["test"]
    assert found["claims"]["rave.twins"] == {"value": test["twin_in_train"].sum(), "paper": 38, "n_test": len(test)}
    assert found["claims"]["rave.fig6.test"]["value"]["teff"] == [own["bias"], own["sigma"]]
    assert set(found["claims"]["rave.fig6.train"]["paper"]) == set(LABELS)


def test_regression_to_the_mean_and_the_gain_of_photometry_show(labels):
    own, blind = (labels[0]["networks"][k] for k in ("photometry", "spectra"))
    assert own["ni_fe"]["train"]["slope"] < 0.6 < 0.95 < own["mh"]["train"]["slope"]
    assert blind["logg"]["train"]["sigma"] > 1.7 * own["logg"]["train"]["sigma"]


def test_tables_of_the_labels(labels):
    summary, points, hist = labels[1]
    table, bars = read_table(points), read_table(hist)
    assert len(table) == sum(labels[0]["n"][r] for r in ("train", "test")) and read_meta(points)["simulated"]
    for label in LABELS:
        for axis in ("reference", "predicted"):
            part = bars[(bars["label"] == label) & (bars["axis"] == axis)]
            assert part.groupby("role")["count"].sum().to_dict() == {r: labels[0]["n"][r] for r in ("train", "test")}
    off = bars[(bars["label"] == "mh") & (bars["axis"] == "residual") & (bars["role"] == "train")]
    assert off["count"].sum() >= 0.98 * labels[0]["n"]["train"] and off["hi"].max() <= -bars[bars["axis"] == "residual"]["lo"].min()
    assert read_json(summary)["simulated"] is True


def test_spectra_alone_may_be_absent_and_an_empty_test_sample_is_named(run, tmp_path):
    outputs = [tmp_path / n for n in ("labels.json", "points.parquet", "hist.parquet")]
    found = run_labels(run.training, run.training_predictions["photometry"], None, CFG, False, *outputs, paper=False)
    assert list(found["networks"]) == ["photometry"] and found["claims"] == {}
    write_table(tmp_path / "t.parquet", read_table(run.training).assign(role="train"))
    with pytest.raises(InputError, match="has no test row"):
        run_labels(tmp_path / "t.parquet", run.training_predictions["photometry"], None, CFG, False, *outputs)


# --- Kiel diagrams ------------------------------------------------------------------------------------------------


def test_slices_of_the_kiel_diagram(run, everything, tmp_path):
    found = run_kiel(run.stars, run.predictions["photometry"], CFG, True, tmp_path / "k.parquet", tmp_path / "k.json")
    wanted = passing(everything, 20)
    assert found["n"] == len(wanted) == sum(s["n"] for s in found["slices"]) + found["above_slices"]
    first = wanted[wanted["snr_rave"] <= 30]
    assert found["slices"][0]["n"] == len(first)
    table = read_table(tmp_path / "k.parquet")
    for kind in ("mh", "density"):
        part = table[(table["kind"] == kind) & (table["snr_lo"] == 20)]
        assert part["count"].sum() + found["slices"][0]["outside"] == len(first)
        assert (part["count"] @ part["mean_mh"]) / part["count"].sum() == pytest.approx(first["mh_cnn"].mean(), abs=0.01)
    assert len(found["supergiant"]["spectra"]) == 6 and found["slices"][-1]["cool"]["n"] >= found["slices"][-1]["cool"]["giants"]


def test_kiel_table_does_not_grow_with_the_pieces(run, tmp_path):
    run_kiel(run.stars, run.predictions["photometry"], CFG, True, tmp_path / "a.parquet", tmp_path / "a.json")
    stars = pd.concat([read_table(p) for p in run.stars])
    write_table(tmp_path / "s" / "x.parquet", stars)
    write_table(tmp_path / "p" / "x.parquet", pd.concat([read_table(p) for p in run.predictions["photometry"]]))
    run_kiel([tmp_path / "s" / "x.parquet"], [tmp_path / "p" / "x.parquet"], CFG, True, tmp_path / "b.parquet", tmp_path / "b.json")
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet"), read_table(tmp_path / "b.parquet"))


def test_no_star_in_the_slices_is_an_error(run, tmp_path):
    none = {**CFG, "validation": {**CFG["validation"], "snr_slices": [500, 600]}}
    with pytest.raises(InputError, match="snr_slices"):
        run_kiel(run.stars, run.predictions["photometry"], none, True, tmp_path / "k.parquet", tmp_path / "k.json")


# --- abundance grids ----------------------------------------------------------------------------------------------


def grids(run, folder, cfg=CFG):
    paths = {kind: {y: folder / f"{kind}_{y}.parquet" for y in METALLICITY} for kind in ("training", "observed")}
    found = run_abundance_grids(
        run.stars, run.predictions["photometry"], run.training, run.training_predictions["photometry"], cfg, True,
        paths["training"], paths["observed"], folder / "kiel.parquet", folder / "grids.json",
    )
    return found, paths


def test_bins_of_the_grid(run, everything, tmp_path):
    found, paths = grids(run, tmp_path)
    wanted = passing(everything, 30)
    assert found["observed"]["n"] == len(wanted)
    chosen = found["observed"]["bins"][0]
    inside = wanted[(wanted["teff_cnn"] >= chosen["teff_lo"]) & (wanted["teff_cnn"] < chosen["teff_hi"])
                    & (wanted["logg_cnn"] >= chosen["logg_lo"]) & (wanted["logg_cnn"] < chosen["logg_hi"])]
    assert chosen["n"] == len(inside)
    assert all(b["n"] >= CFG["validation"]["bin_min_stars"] for sample in ("training", "observed") for b in found[sample]["bins"])
    points, cells = read_table(paths["training"]["mg_fe"]), read_table(paths["observed"]["mg_fe"])
    assert set(points["x_label"]) == {"feh"} and set(cells["y_label"]) == {"mg_fe"}
    assert set(read_table(paths["training"]["alpha_m"])["x_label"]) == {"mh"}
    assert len(points) == sum(b["n"] for b in found["training"]["bins"])
    assert len(points) + found["training"]["outside_bins"] + found["training"]["in_poor_bins"] == found["training"]["n"]
    total = cells.groupby(["teff_lo", "logg_lo"])["count"].sum().to_dict()
    assert total[chosen["teff_lo"], chosen["logg_lo"]] == chosen["n"]
    kiel = read_table(tmp_path / "kiel.parquet").groupby("sample")["count"].sum().to_dict()
    assert kiel == {"training": found["training"]["n"], "observed": found["observed"]["n"]}


def test_uneven_bins_and_unknown_abundances_are_named(run, tmp_path):
    with pytest.raises(InputError, match="kiel_bins.teff"):
        Bins({"teff": [3500, 7500, 600], "logg": [0, 5, 1]})
    with pytest.raises(InputError, match="cannot be made"):
        run_abundance_grids(run.stars, run.predictions["photometry"], run.training, run.training_predictions["photometry"], CFG, True,
                            {"ca_fe": tmp_path / "a"}, {"ca_fe": tmp_path / "b"}, tmp_path / "k", tmp_path / "j")
    with pytest.raises(InputError, match="observed sample"):
        grids(run, tmp_path, {**CFG, "validation": {**CFG["validation"], "snr_abundances": 900}})


# --- poor parallaxes ----------------------------------------------------------------------------------------------


def test_stars_with_poor_parallaxes(run, everything, tmp_path):
    paths = [tmp_path / n for n in ("p.parquet", "t.parquet", "p.json")]
    found = run_poor_parallax(run.stars, run.predictions["photometry"], CFG, True, *paths)
    bright = everything[everything["snr_rave"] > 50]
    assert found["n"] == (bright["parallax_error_ratio"] >= 0.2).sum() > 0 and found["n_observed"] == len(everything)
    assert found["parallax_share"] == pytest.approx((everything["parallax_error_ratio"] < 0.2).mean())
    table = read_table(paths[0])
    assert table.loc[table["plane"] == "kiel", "count"].sum() == found["n"] and table["mean_ratio"].between(0.2, 1).all()
    assert (found["n_giants"], found["n_dwarfs"]) == tuple(table.loc[table["plane"] == k, "count"].sum() for k in ("giants", "dwarfs"))
    # these stars' abundances have no offset
    offset = found["alpha_offset"]["giants"]["20-40"]
    assert abs(offset["bias"]) < 4 * offset["sigma"] / np.sqrt(max(offset["n"], 1)) + 0.02


def test_median_line_ends_where_the_stars_end():
    x = np.repeat([-0.3, -0.1, 0.1], 12)
    trend = median_line(x, 2 * x)
    assert trend["median"].tolist() == pytest.approx([-0.6, -0.2, 0.2])
    line = above_line(trend, np.array([-2.0, -0.2, 0.1, 0.5]))
    assert np.isnan(line[[0, 3]]).all() and line[1:3] == pytest.approx([-0.4, 0.2])
    assert np.isnan(above_line(median_line(np.array([]), np.array([])), np.array([0.0]))).all()


def test_no_star_with_a_poor_parallax_is_an_error(run, tmp_path):
    none = {**CFG, "validation": {**CFG["validation"], "snr_poor_parallax": 900}}
    with pytest.raises(InputError, match="snr_poor_parallax"):
        run_poor_parallax(run.stars, run.predictions["photometry"], none, True, tmp_path / "a", tmp_path / "b", tmp_path / "c")


# --- truth --------------------------------------------------------------------------------------------------------


def against_truth(run, folder, networks=("photometry", "spectra")):
    paths = [folder / n for n in ("truth.json", "density.parquet", "hist.parquet", "points.parquet", "snr.parquet")]
    found = run_truth(run.stars, {k: run.predictions[k] for k in networks}, run.training, run.training_predictions, run.truth, CFG, *paths)
    return found, paths


def test_truth_is_met_as_well_as_it_was_made(run, tmp_path):
    found, paths = against_truth(run, tmp_path)
    own, blind = found["networks"]["photometry"], found["networks"]["spectra"]
    assert list(found["networks"]) == ["photometry", "spectra"]
    assert own["teff"]["observed"]["robust_sigma"] == pytest.approx(SCATTER["teff"] * 1.25, rel=0.25)
    assert blind["teff"]["observed"]["sigma"] > 1.7 * own["teff"]["observed"]["sigma"]
    # the errors were made half as large as the scatter
    assert own["mh"]["observed"]["coverage"]["factor_68"] == pytest.approx(2.0, rel=0.2)
    assert found["labels"]["mh"]["train"]["sigma"] == pytest.approx(0.3 * SCATTER["mh"], rel=0.2)
    table = read_table(paths[4])
    part = table[(table["network"] == "photometry") & (table["sample"] == "observed") & (table["label"] == "teff")].sort_values("snr_lo")
    assert part["sigma"].iloc[0] > part["sigma"].iloc[-1] and (part["n"] >= CFG["validation"]["bin_min_stars"]).all()


def test_stars_of_the_training_are_not_counted_as_observed(run, everything, tmp_path):
    found, paths = against_truth(run, tmp_path, ["photometry"])
    training = read_table(run.training)
    used = set(training.loc[training["role"] == "train", "raveid"])
    assert found["n"]["observed"] == (~everything["raveid"].isin(used)).sum() < len(everything)
    cells = read_table(paths[1])
    one = cells[(cells["label"] == "teff") & (cells["kind"] == "one_to_one")]
    assert found["n"]["observed"] >= one["count"].sum() > 0.97 * found["n"]["observed"]
    bars = read_table(paths[2])
    assert bars[(bars["label"] == "teff") & (bars["axis"] == "reference")]["count"].sum() == one["count"].sum()
    assert len(read_table(paths[3])) == found["n"]["test"]


def test_truth_of_other_spectra_is_an_error(run, tmp_path):
    other = read_table(run.truth[0]).assign(rave_obs_id=lambda f: "x" + f["rave_obs_id"])
    write_table(tmp_path / "o.parquet", other)
    with pytest.raises(InputError, match="knows no observed spectrum"):
        against_truth(type(run)(**{**run.__dict__, "truth": [tmp_path / "o.parquet"]}), tmp_path)
    with pytest.raises(InputError, match="twice"):
        against_truth(type(run)(**{**run.__dict__, "truth": [run.truth[0], run.truth[0]]}), tmp_path)
