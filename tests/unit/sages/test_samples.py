"""Training and test samples: roles, precedence, offsets, leakage, splits, empty selections."""

import numpy as np
import pandas as pd
import pytest
from tiny_stars import good_stars, labels_of, narrow_band_settings, settings, with_features

from starlabels.errors import InputError
from starlabels.io import read_json, read_table, write_table
from starlabels.sages.samples import offset_check, run_samples

FIRST = 10**18


def run(tmp_path, stars, labels, cfg, data_set=1, seed=42, cells=1, name="out"):
    """Run with the stars dealt to a number of cells."""
    labels = pd.concat(labels, ignore_index=True)
    feature_paths, label_paths = [], []
    for cell in range(cells):
        part = stars.iloc[cell::cells]
        feature_paths.append(tmp_path / f"features-{cell}.parquet")
        label_paths.append(tmp_path / f"labels-{cell}.parquet")
        write_table(feature_paths[-1], part)
        write_table(label_paths[-1], labels[labels["gaia_dr3_source_id"].isin(part["gaia_dr3_source_id"])])
    output, selection = tmp_path / f"{name}.parquet", tmp_path / f"{name}.json"
    run_samples(feature_paths, label_paths, cfg, data_set, seed, output, selection)
    return read_table(output), read_json(selection)


def a_sky(cfg, n=60):
    """Stars with labels of every survey, some of them shared."""
    stars = with_features(good_stars(n, cfg))
    ids = stars["gaia_dr3_source_id"].to_numpy()
    labels = [
        labels_of(ids[:30], "lamost"),
        labels_of(ids[28:34], "pastel", feh=-2.0, teff=np.nan, logg=np.nan),
        labels_of(ids[29:36], "rave5", feh=-1.5, teff=np.nan, logg=np.nan),
        labels_of(ids[25:45], "apogee", feh=-0.3),
        labels_of(ids[44:50], "vmp", feh=-3.0, teff=np.nan, logg=np.nan),
        labels_of([ids[27]], "vmp", feh=-2.5),
    ]
    return stars, labels, ids


def survey(table, name):
    return table[table["survey"] == name]


def test_samples_of_the_paper(tmp_path):
    cfg = settings()
    stars, labels, ids = a_sky(cfg)
    out, record = run(tmp_path, stars, labels, cfg)
    assert list(out.columns[:len(stars.columns)]) == list(stars.columns)
    assert out.groupby("survey")["role"].unique().map(list).to_dict() == {
        "apogee": ["test"], "lamost": ["train"], "pastel": ["train"], "rave5": ["train"], "vmp": ["test"],
    }
    lamost = survey(out, "lamost")
    assert lamost["gaia_dr3_source_id"].tolist() == ids[:30].tolist()
    assert lamost[["use_teff", "use_logg", "use_feh"]].all(axis=None)
    # LAMOST wins over both, PASTEL over RAVE
    assert survey(out, "pastel")["gaia_dr3_source_id"].tolist() == ids[30:34].tolist()
    assert survey(out, "rave5")["gaia_dr3_source_id"].tolist() == ids[34:36].tolist()
    supplement = out[out["survey"].isin(["pastel", "rave5"])]
    assert supplement["use_feh"].all() and not supplement[["use_teff", "use_logg"]].any(axis=None)
    # a star of both test surveys keeps both rows
    assert len(out[(out["gaia_dr3_source_id"] == ids[44]) & (out["role"] == "test")]) == 2
    vmp = survey(out, "vmp")
    np.testing.assert_allclose(vmp["feh"] - vmp["feh_published"], 0.427)
    others = out[out["survey"] != "vmp"]
    assert (others["feh"] == others["feh_published"]).all()
    assert vmp["use_feh"].all() and not vmp["use_teff"].any()
    # leakage-free: every star that trains, with whatever survey
    train = set(out.loc[out["role"] == "train", "gaia_dr3_source_id"])
    assert out["in_train"].tolist() == [star in train for star in out["gaia_dr3_source_id"]]
    assert survey(out, "apogee")["in_train"].sum() == 11 and survey(out, "vmp")["in_train"].sum() == 1
    assert record["counts"] == {
        "train": {"lamost": {"dwarf": 30}, "pastel": {"dwarf": 4}, "rave5": {"dwarf": 2}},
        "test": {"apogee": {"dwarf": 20}, "vmp": {"dwarf": 7}},
    }
    for name, flow in record["flows"].items():
        assert flow[0]["kept"] - sum(e["dropped"] for e in flow) == flow[-1]["kept"] == len(survey(out, name))
    assert {e["cut"]: e["dropped"] for e in record["flows"]["rave5"] if e["dropped"]} == {"no earlier survey gives the star's labels": 5}


def test_a_value_that_fails_its_cuts_leaves_room_for_the_next_survey(tmp_path):
    cfg = settings()
    stars, labels, ids = a_sky(cfg)
    labels[0].loc[[28, 29], "logg_err"] = 0.5
    out, _ = run(tmp_path, stars, labels, cfg)
    assert survey(out, "lamost")["gaia_dr3_source_id"].tolist() == ids[:28].tolist()
    assert survey(out, "pastel")["gaia_dr3_source_id"].tolist() == ids[28:34].tolist()


def test_supplement_takes_metal_poor_stars_only(tmp_path):
    cfg = settings()
    stars, labels, ids = a_sky(cfg)
    labels[1]["feh"] = [-2.0, -2.0, -1.0, -0.5, -1.2, -1.2]
    out, record = run(tmp_path, stars, labels, cfg)
    assert survey(out, "pastel")["gaia_dr3_source_id"].tolist() == ids[32:34].tolist()
    assert {e["cut"]: e["dropped"] for e in record["flows"]["pastel"] if e["dropped"]}["[Fe/H] < -1"] == 2


def test_training_cuts_are_stricter_than_prediction(tmp_path):
    cfg = settings()
    stars, labels, ids = a_sky(cfg)
    stars.loc[[0, 40], "ebv_sfd"] = 0.06
    stars.loc[[1, 41], "tmass_j_err"] = 0.05
    stars.loc[2, "star_class"] = "white_dwarf"
    lost = {1: [0, 2], 2: [0, 1, 2]}
    for data_set in (1, 2):
        out, _ = run(tmp_path, stars, labels, cfg, data_set)
        assert survey(out, "lamost")["gaia_dr3_source_id"].tolist() == np.delete(ids[:30], lost[data_set]).tolist()


def test_the_cells_change_nothing(tmp_path):
    cfg = settings(samples={"max_train": 10})
    stars, labels, _ = a_sky(cfg)
    whole, record = run(tmp_path, stars, labels, cfg, cells=1)
    parts, other = run(tmp_path, stars, labels, cfg, cells=7, name="b")
    pd.testing.assert_frame_equal(whole, parts)
    assert record == other
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_cap_is_drawn_by_seed_and_decides_the_leakage(tmp_path):
    cfg = settings(samples={"max_train": 10})
    stars, labels, _ = a_sky(cfg)
    first, record = run(tmp_path, stars, labels, cfg, seed=1)
    train = first[first["role"] == "train"]
    assert len(train) == 10 and len(first[first["role"] == "test"]) == 27
    assert set(first.loc[first["in_train"], "gaia_dr3_source_id"]) == set(train["gaia_dr3_source_id"])
    again, _ = run(tmp_path, stars, labels, cfg, seed=1)
    pd.testing.assert_frame_equal(first, again)
    other, _ = run(tmp_path, stars, labels, cfg, seed=2)
    assert set(other[other["role"] == "train"]["gaia_dr3_source_id"]) != set(train["gaia_dr3_source_id"])
    assert sum(record["flows"][s][-1]["kept"] for s in ("lamost", "pastel", "rave5")) == 10
    # a star drawn for a small sample is in every larger one
    larger, _ = run(tmp_path, stars, labels, settings(samples={"max_train": 20}), seed=1)
    assert set(train["gaia_dr3_source_id"]) <= set(larger[larger["role"] == "train"]["gaia_dr3_source_id"])


def test_random_split_keeps_stars_together(tmp_path):
    cfg = narrow_band_settings()
    cfg["samples"]["train"]["second"] = {"labels": ["feh"]}
    stars = pd.DataFrame({"gaia_dr3_source_id": FIRST + np.arange(100), "ebv_sfd": 0.01})
    for band in cfg["bands"]:
        stars = stars.assign(**{band: 15.0, f"{band}_err": 0.02, f"{band}_0": 15.0})
    stars = stars.assign(star_class=pd.array(["dwarf"] * 100, dtype="str"))
    ids = stars["gaia_dr3_source_id"].to_numpy()
    labels = [labels_of(ids, "segue"), labels_of(ids[:40], "second")]
    out, record = run(tmp_path, stars, labels, cfg)
    test = out[out["role"] == "test"]
    assert test["gaia_dr3_source_id"].nunique() == 30
    assert not test["in_train"].any() and out.loc[out["role"] == "train", "in_train"].all()
    # in training each label of a star counts once; in the test sample every row stays
    assert set(out.loc[out["role"] == "train", "survey"]) == {"segue"}
    rows = test.groupby("gaia_dr3_source_id").size()
    assert (rows == np.where(np.isin(rows.index, ids[:40]), 2, 1)).all()
    assert record["split"] == "random" and record["vmp_offset_check"] is None
    other, _ = run(tmp_path, stars, labels, cfg, seed=7)
    assert set(other.loc[other["role"] == "test", "gaia_dr3_source_id"]) != set(test["gaia_dr3_source_id"])


def test_broad_band_survey_with_its_own_cuts_and_column_reddening(tmp_path):
    """Gaia + 2MASS, errors floored at 0.02 mag, LAMOST trains and APOGEE tests, no flags: configuration only."""
    cfg = settings(
        data_sets=[{"id": 1, "bands": ["gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h", "tmass_ks"]}],
        cuts={"flags_zero": [], "ebv_max_train": 0.3}, photometry={"ebv": "column"},
        samples={
            "train": {"lamost": {"labels": ["teff", "logg", "feh"]}}, "test": {"apogee": {"labels": ["teff", "logg", "feh"]}},
        },
    )
    stars = with_features(good_stars(20, cfg), ebv=0.2).drop(columns=["sages_u", "sages_v", "sages_u_flag", "sages_v_flag"])
    for band in ("gaia_g", "gaia_bp", "gaia_rp"):
        stars[f"{band}_err"] = 0.02
    ids = stars["gaia_dr3_source_id"].to_numpy()
    labels = [labels_of(ids[:15], "lamost"), labels_of(ids[15:], "apogee")]
    with pytest.raises(InputError, match="gaia_g error <= 0.01"):
        run(tmp_path, stars, labels, cfg)
    for band in ("gaia_g", "gaia_bp", "gaia_rp"):
        cfg["bands"][band]["err_max_train"] = 0.03
    out, record = run(tmp_path, stars, labels, cfg)
    assert record["counts"] == {"train": {"lamost": {"dwarf": 15}}, "test": {"apogee": {"dwarf": 5}}}
    assert record["vmp_offset_check"] is None and not out.loc[out["role"] == "test", "in_train"].any()


def test_empty_selection_names_the_cut(tmp_path):
    cfg = settings()
    stars, labels, _ = a_sky(cfg)
    with pytest.raises(InputError, match=r"the train sample of data set 1.*lamost: `E\(B-V\) <= 0.05` dropped the last 30 rows"):
        run(tmp_path, stars.assign(ebv_sfd=0.4), labels, cfg)
    labels[3]["teff_err"] = 999.0
    with pytest.raises(InputError, match="the test sample of data set 1.*apogee: `teff error <= 200`.*vmp: none of its stars"):
        run(tmp_path, stars, labels[:4], cfg)
    assert not (tmp_path / "out.parquet").exists() and not (tmp_path / "out.json").exists()
    with pytest.raises(InputError, match="train sample.*names no survey"):
        run(tmp_path, stars, labels, settings(samples={"train": {}}))


def test_empty_cells_are_allowed(tmp_path):
    cfg = settings()
    stars, labels, _ = a_sky(cfg)
    whole, record = run(tmp_path, stars, labels, cfg)
    write_table(tmp_path / "f-empty.parquet", stars.iloc[:0])
    write_table(tmp_path / "l-empty.parquet", labels[0].iloc[:0])
    features = [tmp_path / "f-empty.parquet", tmp_path / "features-0.parquet"]
    names = [tmp_path / "l-empty.parquet", tmp_path / "labels-0.parquet"]
    run_samples(features, names, cfg, 1, 42, tmp_path / "b.parquet", tmp_path / "b.json")
    pd.testing.assert_frame_equal(whole, read_table(tmp_path / "b.parquet"))
    assert read_json(tmp_path / "b.json") == record


def test_wrong_labels_are_named(tmp_path):
    cfg = settings()
    stars, labels, ids = a_sky(cfg)
    with pytest.raises(InputError, match=f"star {ids[0]}.*several rows of lamost"):
        run(tmp_path, stars, [*labels, labels_of(ids[:1], "lamost")], cfg)
    with pytest.raises(InputError, match="feh_err.*absent"):
        run(tmp_path, stars, [table.drop(columns="feh_err") for table in labels], cfg)


def test_wrong_settings_are_named(tmp_path):
    stars, labels, _ = a_sky(settings())
    with pytest.raises(InputError, match="samples.split.*'stars'"):
        run(tmp_path, stars, labels, settings(samples={"split": "stars"}))
    with pytest.raises(InputError, match="lamost under train and under test"):
        run(tmp_path, stars, labels, settings(samples={"test": {"lamost": {"labels": ["feh"]}}}))


def test_offset_is_measured_on_common_stars():
    rng = np.random.default_rng(1)
    ids = np.arange(500)
    truth = rng.normal(-2.5, 0.4, 500)
    labels = pd.concat([labels_of(ids, "vmp", feh=truth - 0.4), labels_of(ids[100:], "lamost", feh=truth[100:] + rng.normal(0, 0.1, 400))])
    labels.loc[labels["feh"] < -3.9, "feh"] = np.nan
    check = offset_check(labels)
    assert check["n"] == 400 - int((truth[100:] - 0.4 < -3.9).sum())
    assert check["median"] == pytest.approx(-0.4, abs=0.03) and check["sign_agrees"] is True and check["warning"] is None
    assert check["median_err"] == pytest.approx(1.2533 * 0.1 / 20, rel=0.25)


def test_wrong_sign_is_warned_of(caplog):
    labels = pd.concat([labels_of([1, 2], "vmp", feh=-2.0), labels_of([1, 2], "lamost", feh=-2.3)])
    check = offset_check(labels)
    assert check["sign_agrees"] is False and "widens the difference" in check["warning"]
    assert check["warning"] in caplog.text


def test_no_common_star():
    check = offset_check(pd.concat([labels_of([1], "vmp"), labels_of([2], "lamost")]))
    assert check["n"] == 0 and np.isnan(check["median"]) and check["sign_agrees"] is None and check["warning"] is None


def test_offset_check_is_written(tmp_path):
    cfg = settings()
    stars, labels, _ = a_sky(cfg)
    _, record = run(tmp_path, stars, labels, cfg)
    assert record["vmp_offset_check"]["n"] == 1 and record["vmp_offset_check"]["median"] == pytest.approx(-2.3)
    assert record["vmp_offset_check"]["reference"] == "lamost"
