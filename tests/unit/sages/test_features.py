"""The features table of one cell."""

import numpy as np
import pandas as pd
import pytest
from tiny_stars import good_stars, labels_of, narrow_band_settings, settings

from starlabels.errors import InputError
from starlabels.io import read_json, read_meta, read_table, write_table
from starlabels.photometry import feature_matrix
from starlabels.sages import features
from starlabels.sages.features import best_logg, make_features, run_features


def run(tmp_path, stars, cfg, labels=None, dust=None, name="a"):
    stars_path, labels_path = tmp_path / "stars.parquet", None
    write_table(stars_path, stars, {"gaia_g": {"unit": "mag", "description": "G"}})
    if labels is not None:
        labels_path = tmp_path / "labels.parquet"
        write_table(labels_path, labels)
    output, selection = tmp_path / f"{name}.parquet", tmp_path / f"{name}.json"
    run_features(stars_path, cfg, dust, output, selection, labels_path)
    return read_table(output), read_json(selection)


def test_table_of_the_contract(tmp_path, monkeypatch):
    asked = {}

    def map_value(ra, dec, folder):
        asked.update(ra=ra, dec=dec, folder=folder)
        return np.full(len(ra), 0.1)

    monkeypatch.setattr(features, "query_sfd", map_value)
    cfg = settings()
    stars = good_stars(4, cfg)
    stars.loc[1, "galex_nuv"] = np.nan
    stars.loc[2, "parallax"] = -0.5
    stars.loc[3, ["gaia_bp", "gaia_rp", "gaia_g"]] = [14.85, 15.15, 15.0]
    stars.loc[3, "parallax"] = 5.0
    out, flows = run(tmp_path, stars, cfg, dust="maps")
    assert asked["folder"] == "maps"
    np.testing.assert_array_equal(asked["ra"], stars["ra"])
    assert list(out.columns[:len(stars.columns)]) == list(stars.columns)
    pd.testing.assert_frame_equal(out[stars.columns], stars)
    assert list(out.columns[len(stars.columns):]) == [
        "ebv_sfd", *(f"{band}_0" for band in cfg["bands"]), "abs_gaia_g_0", "star_class", "predict_set1", "predict_set2",
    ]
    np.testing.assert_allclose(out["sages_u"] - out["sages_u_0"], 0.4324)
    np.testing.assert_allclose(out["abs_gaia_g_0"][0], 15.0 - 0.2364 - 10.0)
    assert np.isnan(out["abs_gaia_g_0"][2])
    # star 3: (BP-RP)_0 = -0.43, M = 8.26: fainter than 7 and than 6 + 5 colour
    assert out["star_class"].tolist() == ["dwarf", "dwarf", "unclassified", "white_dwarf"]
    assert out["predict_set1"].tolist() == [True, True, False, False] and out["predict_set1"].dtype == bool
    assert out["predict_set2"].tolist() == [True, False, False, False]
    assert [flows[f"set{k}"][-1]["kept"] for k in (1, 2)] == [2, 1]
    meta = read_meta(tmp_path / "a.parquet")["columns"]
    assert meta["gaia_g"]["description"] == "G" and meta["abs_gaia_g_0"]["unit"] == "mag"
    names, matrix = feature_matrix(out[out["predict_set2"]], cfg, 2)
    assert len(names) == 69 and np.isfinite(matrix).all()


def test_pieces_change_nothing(tmp_path, monkeypatch):
    cfg = settings(photometry={"ebv": "column"})
    stars = good_stars(23, cfg).assign(ebv_sfd=0.02)
    stars.loc[::5, "sages_u_flag"] = 1
    whole, flow = run(tmp_path, stars, cfg)
    small = features.pieces
    monkeypatch.setattr(features, "pieces", lambda path: small(path, rows=4))
    parts, flow_parts = run(tmp_path, stars, cfg, name="b")
    pd.testing.assert_frame_equal(whole, parts)
    assert flow == flow_parts


def test_empty_cell_has_the_same_columns(tmp_path):
    cfg = settings(photometry={"ebv": "column"})
    stars = good_stars(3, cfg).assign(ebv_sfd=0.02)
    full, flow = run(tmp_path, stars, cfg)
    empty, empty_flow = run(tmp_path, stars.iloc[:0], cfg, name="b")
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict() and list(empty.columns) == list(full.columns)
    assert [e["cut"] for e in empty_flow["set2"]] == [e["cut"] for e in flow["set2"]]


def test_reddening_from_the_table_is_taken_as_it_is(tmp_path):
    cfg = settings(photometry={"ebv": "column"})
    stars = good_stars(3, cfg).assign(ebv_sfd=[0.0, 0.3, 0.7]).drop(columns=["ra", "dec"])
    out, _ = run(tmp_path, stars, cfg)
    assert out["ebv_sfd"].tolist() == [0.0, 0.3, 0.7]
    assert out["predict_set1"].tolist() == [True, True, False]
    with pytest.raises(InputError, match="ebv_sfd.*absent"):
        run(tmp_path, stars.drop(columns="ebv_sfd"), cfg, name="c")
    assert not (tmp_path / "c.parquet").exists() and not (tmp_path / "c.json").exists()


def test_map_is_needed_for_ebv_sfd():
    cfg = settings()
    with pytest.raises(InputError, match="photometry.ebv.*no folder"):
        make_features(good_stars(2, cfg), cfg, None, None)
    with pytest.raises(InputError, match="photometry.ebv.*'map'"):
        make_features(good_stars(2, cfg), settings(photometry={"ebv": "map"}), None, None)


def test_best_logg_takes_the_surveys_in_order():
    labels = pd.concat([
        labels_of([1, 2, 3], "apogee", logg=[1.0, 1.1, 1.2]), labels_of([1, 2], "lamost", logg=[4.0, np.nan]),
        labels_of([4], "vmp", logg=np.nan),
    ])
    assert best_logg(labels, ["lamost", "apogee"]).to_dict() == {1: 4.0, 2: 1.1, 3: 1.2}


def test_survey_without_parallax_by_configuration_only(tmp_path):
    cfg = narrow_band_settings()
    stars = pd.DataFrame({"gaia_dr3_source_id": [1, 2, 3], "ebv_sfd": [0.04, 0.04, 0.6]})
    for k, band in enumerate(cfg["bands"]):
        stars = stars.assign(**{band: 16.0 - k, f"{band}_err": 0.02})
    labels = labels_of([1, 2], "segue", logg=[4.2, 2.1])
    out, flows = run(tmp_path, stars, cfg, labels)
    assert out["star_class"].tolist() == ["dwarf", "giant", "unclassified"]
    assert out["predict_set1"].tolist() == [True, True, False]
    assert feature_matrix(out, cfg, 1)[1].shape == (3, 10)
    assert "abs_gaia_g_0" not in out.columns and not any("parallax" in e["cut"] for e in flows["set1"])
    with pytest.raises(InputError, match="classes.rule.*no table of labels"):
        run(tmp_path, stars, cfg, name="b")
