"""Clusters, fractions, reddening, coverage, the cool mask, diagrams and structures."""

import numpy as np
import pandas as pd
import pytest

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_table
from starlabels.sages.validation import scales
from starlabels.sages.validation.clusters import run_clusters
from starlabels.sages.validation.cmd import run_cmd, run_sample, run_vmp_lists
from starlabels.sages.validation.cool_mask import colour_at, run_cool_mask
from starlabels.sages.validation.coverage import run_coverage
from starlabels.sages.validation.extinction import run_extinction
from starlabels.sages.validation.fractions import run_fractions
from starlabels.sages.validation.membership import literature_feh, membership
from starlabels.sages.validation.structures import run_h23_stripes, run_survey_structures, stripes
from starlabels.sages.validation.truth import iter_truth


def truth_of(world):
    return {1: iter_truth(world.cells("predictions"), sorted((world.folder / "truth").glob("part-*.parquet")))}


def cluster_field(cluster, seed, members=80, field=300):
    """Predicted stars around a cluster: members share motion and [Fe/H], field stars do not."""
    rng = np.random.default_rng(seed)
    n = members + field
    mine = np.arange(n) < members
    frame = pd.DataFrame({
        "gaia_dr3_source_id": np.arange(n, dtype=np.int64) + 10**12 * (seed + 1),
        "ra": cluster["ra"] + rng.uniform(-0.5, 0.5, n) * cluster["radius"] / np.cos(np.radians(cluster["dec"])),
        "dec": cluster["dec"] + rng.uniform(-0.5, 0.5, n) * cluster["radius"],
        "pmra": np.where(mine, rng.normal(cluster["pmra"], 0.15, n), rng.normal(-1, 5, n)),
        "pmdec": np.where(mine, rng.normal(cluster["pmdec"], 0.15, n), rng.normal(-4, 5, n)),
        "feh": np.where(mine, rng.normal(-0.1, 0.08, n), rng.normal(-0.5, 0.4, n)), "feh_err": 0.1,
        "pmra_err": 0.05, "pmdec_err": 0.05, "sages_u_err": 0.02, "sages_v_err": 0.02, "gaia_g_0": rng.uniform(12, 17, n),
        "gaia_bp_0": 15.0, "gaia_rp_0": 14.0, "cool_mask": False, "star_class": pd.array(["dwarf"] * n, dtype="str"),
    })
    frame.loc[:4, "pmra_err"] = 0.31          # five members with a large error of motion
    frame.loc[5:9, "sages_v_err"] = 0.06      # five with S/N < 20 in v
    frame.loc[10:11, "cool_mask"] = True      # two whose [Fe/H] is masked
    return frame


@pytest.fixture
def cluster_run(cfg, tmp_path):
    clusters = cfg["clusters"]["list"]
    frame = pd.concat([cluster_field(clusters[0], 0), cluster_field(clusters[2], 1)], ignore_index=True)
    write_table(tmp_path / "cell-00001.parquet", frame)
    harris = pd.DataFrame({"cluster": pd.array(["NGC 6934", "NGC  7089"], dtype="str"), "feh": [-1.47, -1.65]})
    write_table(tmp_path / "harris.parquet", harris)
    out = tmp_path / "clusters.parquet", tmp_path / "clusters.json"
    cells, given = [tmp_path / "cell-00001.parquet"], {"NGC 2420": -0.10, "47 Tuc": -0.72}
    found = run_clusters(cells, cfg, True, *out, tmp_path / "harris.parquet", sky_feh=given)
    return found, read_table(out[0]), read_json(out[1])


def test_cluster_members_and_metallicity(cluster_run):
    found, stars, saved = cluster_run
    first = found["NGC 2420"]
    assert (first["n_field"], first["n_after_pm_err"]) == (380, 375)
    assert 60 <= first["n_members"] <= 75 and first["n_after_snr"] - first["n_members"] == 2
    assert first["mean"] == pytest.approx(-0.1, abs=0.04) and first["sigma"] == pytest.approx(0.08, abs=0.03)
    assert first["fit"] == "histogram"
    assert sum(row["count"] for row in first["histogram"]) == first["n_members"] == first["n"]
    assert first["literature"] == -0.05 and saved["NGC 6934"]["literature"] == -1.47
    assert saved["NGC 2420"]["simulated_feh"] == -0.10 and saved["NGC 6934"]["simulated_feh"] is None
    mine = stars[(stars["cluster"] == "NGC 2420").to_numpy()]
    members = mine[mine["member"].to_numpy()]
    true = (members["gaia_dr3_source_id"] - 10**12) < 80
    assert true.mean() > 0.95 and members["passes_snr"].all() and members["passes_pm_err"].all() and not members["masked"].any()


def test_a_cluster_outside_the_footprint_is_reported(cluster_run):
    found, stars, _ = cluster_run
    missing = found["NGC 7089"]
    assert missing["n_field"] == missing["n_members"] == missing["n"] == 0 and missing["mean"] is None and missing["fit"] == "none"
    assert not missing["mixture"]["found"] and missing["literature"] == -1.65
    assert "NGC 7089" not in set(stars["cluster"])


def test_a_field_without_a_cluster_gives_no_members():
    rng = np.random.default_rng(2)
    probability, mixture = membership(rng.normal(-1, 5, 500), rng.normal(-4, 5, 500), (20.0, 20.0))
    assert not mixture["found"] and not probability.any()


def test_a_cluster_absent_from_harris_is_refused():
    harris = pd.DataFrame({"cluster": pd.array(["NGC 104"], dtype="str"), "feh": [-0.72]})
    with pytest.raises(InputError, match="NGC 6934.*0 rows"):
        literature_feh({"name": "NGC 6934", "feh": "harris"}, harris)
    with pytest.raises(InputError, match="was not given"):
        literature_feh({"name": "NGC 6934", "feh": "harris"}, None)


def test_fractions_leave_masked_stars_out(world, cfg, tmp_path):
    out = tmp_path / "f.json", tmp_path / "f.parquet"
    found = run_fractions({1: world.cells("predictions")}, cfg, True, *out, {1: [81.11, 4.88, 0.03]})["data_sets"]["1"]
    kept = world.frame[~world.frame["cool_mask"]]
    for name, limit in (("feh_le_0", 0), ("feh_le_m1", -1), ("feh_le_m2", -2)):
        assert found["fractions"][name] == pytest.approx((kept["feh"] <= limit).mean())
    assert found["n"]["all"] == len(kept) and found["n_masked"] == world.frame["cool_mask"].sum()
    assert sum(row["all"] for row in found["intervals"]) == len(kept)
    assert found["intervals"][2]["giant"] == ((kept["feh"] > -1) & (kept["feh"] <= 0) & (kept["star_class"] == "giant")).sum()
    assert found["published"] == pytest.approx({"feh_le_0": 0.8111, "feh_le_m1": 0.0488, "feh_le_m2": 0.0003})
    histogram = read_table(out[1])
    assert histogram.loc[histogram["star_class"] == "all", "count"].sum() == len(kept)
    assert found["limits"] == {"feh_le_0": 0, "feh_le_m1": -1, "feh_le_m2": -2}


@pytest.mark.parametrize("width", [0.2, 0.5, 0.7])
def test_bars_of_figure_12_have_the_configured_width(world, cfg, tmp_path, width):
    own = {**cfg, "validation": {**cfg["validation"], "feh_bar": width}}
    run_fractions({1: world.cells("predictions")}, own, True, tmp_path / "f.json", tmp_path / "f.parquet")
    bars = read_table(tmp_path / "f.parquet")
    assert np.allclose(bars["hi"] - bars["lo"], width) and np.allclose(bars["lo"] / width, np.round(bars["lo"] / width))
    kept = world.frame[~world.frame["cool_mask"]]
    for kind in ("dwarf", "giant"):
        feh = kept.loc[kept["star_class"] == kind, "feh"].to_numpy()
        own_bars = bars[bars["star_class"] == kind]
        expected = [((feh >= lo) & (feh < hi)).sum() for lo, hi in zip(own_bars["lo"], own_bars["hi"], strict=True)]
        assert own_bars["count"].tolist() == expected and sum(expected) == len(feh)


def test_residuals_against_reddening(world, cfg, tmp_path):
    out = tmp_path / "e.json", tmp_path / "e.parquet"
    write_table(tmp_path / "sample.parquet", read_table(world.folder / "samples.parquet"))
    sets, samples = {1: world.cells("predictions")}, {1: tmp_path / "sample.parquet"}
    found = run_extinction(sets, world.cells("labels"), samples, cfg, True, *out, truth_of(world))
    assert set(found["data_sets"]["1"]) == {"apogee", "truth"} and found["training_limit"] == 0.05
    kept = ~world.frame["cool_mask"]
    kept &= ~world.frame["gaia_dr3_source_id"].isin(world.frame["gaia_dr3_source_id"].iloc[:1500])   # training stars
    sides = found["data_sets"]["1"]["apogee"]["logg_all"]
    assert sides["trained"]["n"] == (kept & (world.frame["ebv_sfd"] <= 0.05)).sum()
    assert sides["beyond"]["n"] == (kept & (world.frame["ebv_sfd"] > 0.05)).sum()
    table = read_table(out[1])
    assert set(table["against"]) == {"label", "truth"} and table["n"].min() >= 20 and table["hi"].max() <= 0.5
    wide = table[(table["parameter"] == "teff") & (table["n"] > 300)]
    assert len(wide) and (abs(wide["mean"] - 30) < 20).all()


def test_coverage_of_well_known_errors(world, cfg, tmp_path):
    out = tmp_path / "c.json", tmp_path / "c.parquet"
    paths = {1: world.folder / "samples.parquet"}
    found = run_coverage(paths, {1: world.cells("predictions")}, cfg, True, *out, truth_of(world))
    truth = found["overall"]["1"]["truth"]["logg"]["all"]
    assert truth["n"] == 4000 - world.frame["cool_mask"].sum()
    assert truth["share_1"] == pytest.approx(0.6827, abs=0.03) and truth["share_2"] == pytest.approx(0.9545, abs=0.015)
    assert truth["width"] == pytest.approx(1, abs=0.06) and truth["median"] == pytest.approx(-0.01 / 0.08, abs=0.06)
    label = found["overall"]["1"]["apogee"]["teff"]["all"]
    assert label["n"] == 1000 and label["median"] == pytest.approx(0.5, abs=0.12)
    assert label["share_1_centred"] > label["share_1"]             # the offset of 30 K is half a sigma
    domain = found["domain"]["1"]["all"]
    assert domain["n"] == 4000 and domain["out_of_domain"] == world.frame["out_of_domain"].sum()
    table = read_table(out[1])
    binned = table[(table["by"] == "magnitude") & (table["against"] == "truth") & (table["star_class"] == "all")]
    binned = binned[binned["parameter"] == "feh"]
    assert binned["n"].sum() == truth["n"] and (binned["hi"] - binned["lo"] == 1).all()


def test_coverage_on_the_scale_of_the_training(world, cfg, tmp_path):
    """The test survey's Teff lies 60 K off; its stars that are in the training tell, the stars of the test do not."""
    frame = read_table(world.folder / "samples.parquet")
    survey = (frame["role"] == "test") & (frame["survey"] == "apogee")
    frame.loc[survey, "teff"] += 60.0
    write_table(tmp_path / "s.parquet", frame)
    out, cells = (tmp_path / "c.json", tmp_path / "c.parquet"), {1: world.cells("predictions")}
    before = run_coverage({1: world.folder / "samples.parquet"}, cells, cfg, True, *out)
    found = run_coverage({1: tmp_path / "s.parquet"}, cells, cfg, True, *out)
    moved = found["overall"]["1"]["apogee"]["teff"]["all"]
    same = before["overall"]["1"]["apogee"]["teff"]["all"]
    entry = found["scales"]["1"]["apogee"]["teff"]["dwarf"]
    assert entry["used"] and entry["n"] >= 30
    assert entry["median"] == pytest.approx(before["scales"]["1"]["apogee"]["teff"]["dwarf"]["median"] - 60.0, abs=1e-6)
    assert moved["share_1"] < same["share_1"] and moved["share_1_on_scale"] == pytest.approx(same["share_1_on_scale"], abs=0.02)


def test_a_scale_of_too_few_common_stars_is_not_used():
    frame = pd.DataFrame({
        "gaia_dr3_source_id": np.r_[np.arange(40), np.arange(10)], "role": ["train"] * 40 + ["test"] * 10,
        "survey": ["a"] * 40 + ["b"] * 10, "star_class": "dwarf", "teff": np.r_[np.full(40, 5000.0), np.full(10, 4900.0)], "use_teff": True,
    })
    few, enough = scales.measure(frame), scales.measure(frame, min_common=10)
    assert few["b"]["teff"]["dwarf"] == {"n": 10, "median": 100.0, "median_err": 0.0, "used": False}
    test = frame[frame["role"] == "test"]
    assert (scales.offset_of(test, "teff", few) == 0).all() and (scales.offset_of(test, "teff", enough) == 100.0).all()


def test_coverage_falls_when_errors_are_too_small(world, cfg, tmp_path):
    frame = read_table(world.folder / "samples.parquet")
    write_table(tmp_path / "s.parquet", frame.assign(logg_pred_err=frame["logg_pred_err"] / 2))
    out = tmp_path / "c.json", tmp_path / "c.parquet"
    found = run_coverage({1: tmp_path / "s.parquet"}, {1: world.cells("predictions")}, cfg, True, *out)
    assert found["overall"]["1"]["label"]["logg"]["all"]["share_1"] < 0.5
    assert "truth" not in found["overall"]["1"]


def test_cool_mask_finds_the_colour(cfg, tmp_path):
    rng = np.random.default_rng(0)
    colour = rng.uniform(0.4, 1.7, 3000)
    frame = pd.DataFrame({
        "role": pd.array(["train"] * 3000, dtype="str"), "star_class": pd.array(["dwarf"] * 3000, dtype="str"), "use_teff": True,
        "gaia_bp_0": 15 + colour, "gaia_rp_0": 15.0, "teff": 8500 - 3900 * colour + 700 * colour**2,
    })
    write_table(tmp_path / "s.parquet", frame)
    found = run_cool_mask({1: tmp_path / "s.parquet"}, cfg, True, tmp_path / "m.json", tmp_path / "m.parquet")["data_sets"]["1"]
    assert found["coefficients"] == pytest.approx([8500, -3900, 700, 0], abs=1e-3)
    expected = 8500 - 3900 * found["colour_at_limit"] + 700 * found["colour_at_limit"] ** 2
    assert found["teff_limit"] == pytest.approx(expected, abs=1e-3) and found["colour_at_limit"] == pytest.approx(1.699, abs=0.005)
    assert found["teff_at_colour_max"] == pytest.approx(8500 - 3900 * 1.598 + 700 * 1.598**2, abs=0.01)
    assert found["n_redder"] == (colour > 1.598).sum()
    curve = read_table(tmp_path / "m.parquet")
    assert curve["n"].sum() == 3000 and np.allclose(curve["teff_fit"], 8500 - 3900 * curve["colour"] + 700 * curve["colour"] ** 2)


def test_a_curve_that_never_falls_so_far_has_no_colour():
    assert colour_at(np.polynomial.Polynomial([6000.0, 0.0, 100.0]), 5000.0, 0.0, 3.0) is None


def test_cmd_counts_by_class(world, cfg, tmp_path):
    frame = world.frame.drop(columns=["teff", "feh", "logg"])
    frame = frame.assign(sages_u_flag=0, sages_v_flag=0)
    frame.loc[:99, "parallax_err"] = frame.loc[:99, "parallax"] * 1.5     # likely giants of Section 2.1
    frame.loc[100:149, "sages_u_err"] = 0.3                               # too large an error
    frame.loc[150:159, "star_class"] = "white_dwarf"
    write_table(tmp_path / "cell-00001.parquet", frame)
    found = run_cmd([tmp_path / "cell-00001.parquet"], cfg, True, tmp_path / "cmd.parquet", tmp_path / "cmd.json")
    assert found["likely_giants"] == 100 and found["n"] == 3850 and found["counts"]["white_dwarf"] == 10
    table = read_table(tmp_path / "cmd.parquet")
    assert list(table.columns) == ["star_class", "colour_lo", "colour_hi", "mag_lo", "mag_hi", "count"]
    assert table["count"].sum() + found["outside_plot"] == 3850


def test_sample_set_counts_each_star_once_in_the_diagram(world, cfg, tmp_path):
    out = tmp_path / "cmd.parquet", tmp_path / "feh.parquet", tmp_path / "s.json"
    frame = read_table(world.folder / "samples.parquet")
    write_table(tmp_path / "s.parquet", pd.concat([frame, frame.iloc[:10].assign(survey="pastel")], ignore_index=True))
    found = run_sample(tmp_path / "s.parquet", cfg, 1, True, *out)
    cmd, feh = read_table(out[0]), read_table(out[1])
    assert cmd.loc[cmd["role"] == "train", "count"].sum() == 1500 and set(cmd["kind"]) == {"cmd"}
    assert feh.loc[feh["survey"] == "pastel", "count"].sum() == 10 and feh.loc[feh["survey"] == "vmp", "count"].sum() == 400
    assert found["counts"]["test"]["vmp"]["all"] == 400 and found["stars"]["train"]["all"] == 1500
    published = frame.loc[frame["survey"] == "vmp", "feh_published"]
    assert found["feh_shares"]["test"]["vmp"]["-2"] == pytest.approx((published <= -2).mean())


def test_metal_poor_lists_without_margin_copies(tmp_path):
    rows = pd.DataFrame({"feh_vmp": [-2.5, -3.5, -1.0, -2.1], "in_margin": [False, False, False, True]})
    write_table(tmp_path / "cell-00001.parquet", rows)
    found = run_vmp_lists({"vmp_a": [tmp_path / "cell-00001.parquet"]}, True, tmp_path / "v.json")
    assert found["n"] == 3 and found["shares"] == pytest.approx({"-2": 2 / 3, "-3": 1 / 3}) and found["range"] == [-3.5, -1.0]


def test_survey_structures(world, cfg, tmp_path):
    found = run_survey_structures(world.cells("labels"), cfg, True, tmp_path / "s.json", tmp_path / "s.parquet")
    assert found["n_common"] == 4000 and found["panels"]["teff"]["all"]["median"] == pytest.approx(40, abs=1)
    assert read_table(tmp_path / "s.parquet")["count"].sum() > 11_000


def test_stripes_stand_out(world, cfg, tmp_path):
    counts = np.full(100, 400)
    counts[50] = 800
    ratio = stripes(counts)
    assert ratio[50] == 2 and np.nanmax(np.delete(ratio, 50)) == 1 and np.isnan(ratio[:8]).all()
    found = run_h23_stripes(world.cells("predictions"), world.cells("h23"), cfg, "h23", True, tmp_path / "h.json", tmp_path / "h.parquet")
    assert found["dwarf"]["stripes"] == 0 and found["dwarf"]["n"] > 2500
    table = read_table(tmp_path / "h.parquet")
    assert np.allclose(table["hi"] - table["lo"], 25) and (abs(table.loc[table["n"] > 60, "median"] - 50) < 35).all()
