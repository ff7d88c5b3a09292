"""Table 2: every cut takes what it should, where it should, and is counted."""

import numpy as np
import pytest
from tiny_stars import good_stars, labels_of, settings, with_features

from starlabels.errors import InputError
from starlabels.sages.selection import prediction_mask, training_mask

# Table 2 as printed: training, prediction
TABLE_2 = {
    "sages_u": (0.1, 0.2), "sages_v": (0.1, 0.2), "gaia_g": (0.01, 0.1), "gaia_bp": (0.01, 0.1), "gaia_rp": (0.01, 0.1),
    "tmass_j": (0.04, 0.1), "tmass_h": (0.05, 0.1), "tmass_ks": (0.05, 0.2), "wise_w1": (0.03, 0.1), "wise_w2": (0.05, 0.1),
    "galex_nuv": (0.1, 0.2),
}
LAMOST = {"labels": ["teff", "logg", "feh"]}


def labelled(n, cfg, **values):
    frame = with_features(good_stars(n, cfg))
    labels = labels_of(frame["gaia_dr3_source_id"], "lamost", **values)
    return frame.assign(**{c: labels[c].to_numpy() for c in labels.columns if c != "gaia_dr3_source_id"})


@pytest.mark.parametrize("data_set", [1, 2])
def test_good_stars_pass(data_set):
    cfg = settings()
    frame = labelled(4, cfg)
    for mask, flow in (prediction_mask(frame, cfg, data_set), training_mask(frame, cfg, data_set, LAMOST)):
        assert mask.all()
        assert {entry["dropped"] for entry in flow.to_list()} == {0}


@pytest.mark.parametrize("purpose", ["train", "predict"])
def test_limits_of_the_errors_may_be_reached_and_not_exceeded(purpose):
    cfg = settings()
    for band, limits in TABLE_2.items():
        limit = limits[purpose == "predict"]
        frame = labelled(4, cfg)
        frame[f"{band}_err"] = [limit, np.nextafter(limit, 1), np.nan, -9999.0]
        for data_set in (1, 2):
            mask, flow = prediction_mask(frame, cfg, data_set) if purpose == "predict" else training_mask(frame, cfg, data_set, LAMOST)
            in_set = band in next(e["bands"] for e in cfg["data_sets"] if e["id"] == data_set)
            assert mask.tolist() == ([True, False, False, False] if in_set else [True] * 4), (band, data_set)
            dropped = [e["cut"] for e in flow.to_list() if e["dropped"]]
            assert dropped == ([f"{band} error <= {limit:g}"] if in_set else [])


@pytest.mark.parametrize(("purpose", "limit"), [("train", 0.05), ("predict", 0.5)])
def test_reddening(purpose, limit):
    cfg = settings()
    frame = labelled(4, cfg)
    frame["ebv_sfd"] = [limit, np.nextafter(limit, 1), np.nan, 0.0]
    mask, flow = prediction_mask(frame, cfg, 1) if purpose == "predict" else training_mask(frame, cfg, 1, LAMOST)
    assert mask.tolist() == [True, False, False, True]
    assert [(e["cut"], e["dropped"]) for e in flow.to_list() if e["dropped"]] == [(f"E(B-V) <= {limit}", 2)]


def test_parallax_and_the_likely_giants_that_the_cut_takes():
    cfg = settings()
    frame = with_features(good_stars(6, cfg))
    frame["parallax"] = [1.0, 1.0, 1.0, -1.0, np.nan, 1.0]
    frame["parallax_err"] = [0.99, 1.0, 1.01, 0.5, 0.1, np.nan]
    mask, flow = prediction_mask(frame, cfg, 1)
    assert mask.tolist() == [True, False, False, False, False, False]
    dropped = {e["cut"]: e["dropped"] for e in flow.to_list() if e["dropped"]}
    assert dropped == {
        "parallax and error present": 2, "parallax error <= parallax (likely giants go, A-11)": 2, "parallax / error > 1": 1,
    }


def test_flags_missing_magnitudes_and_classes():
    cfg = settings()
    frame = with_features(good_stars(8, cfg))
    frame.loc[0, "sages_u_flag"] = 1
    frame.loc[1, "sages_v_flag"] = -1  # no flag: not detected
    frame.loc[2, "sages_u"] = np.nan
    frame.loc[3, "galex_nuv"] = np.nan
    frame.loc[4, "star_class"] = "white_dwarf"
    frame.loc[5, "star_class"] = "hot_subdwarf"
    frame.loc[6, "star_class"] = "unclassified"
    frame.loc[7, "star_class"] = "giant"
    assert prediction_mask(frame, cfg, 1)[0].tolist() == [False, False, False, True, False, False, False, True]
    mask, flow = prediction_mask(frame, cfg, 2)
    assert mask.tolist() == [False] * 7 + [True]
    assert {e["cut"]: e["dropped"] for e in flow.to_list() if e["dropped"]} == {
        "sages_u_flag = 0": 1, "sages_v_flag = 0": 1, "sages_u present": 1, "galex_nuv present": 1, "class known": 1,
        "not a white dwarf": 1, "not a hot subdwarf": 1,
    }


def test_a_star_is_counted_at_its_first_cut_only():
    cfg = settings()
    frame = with_features(good_stars(3, cfg), ebv=2.0)
    frame["sages_u_flag"] = [4, 0, 0]
    mask, flow = prediction_mask(frame, cfg, 1)
    entries = flow.to_list()
    assert entries[0] == {"cut": "matched stars", "kept": 3, "dropped": 0}
    assert sum(e["dropped"] for e in entries) == 3 and entries[-1]["kept"] == mask.sum() == 0


def test_label_errors():
    cfg = settings()
    frame = labelled(4, cfg)
    frame["teff_err"] = [200.0, 200.1, 50.0, 50.0]
    frame["logg_err"] = [0.3, 0.1, 0.31, 0.1]
    frame["feh_err"] = [0.2, 0.1, 0.1, 0.21]
    assert training_mask(frame, cfg, 1, LAMOST)[0].tolist() == [True, False, False, False]
    # a survey that delivers [Fe/H] only is held to that error only
    assert training_mask(frame, cfg, 1, {"labels": ["feh"]})[0].tolist() == [True, True, True, False]
    assert not training_mask(frame.assign(logg_err=-9999.0), cfg, 1, LAMOST)[0].any()
    frame.loc[0, "logg"] = np.nan
    mask, flow = training_mask(frame, cfg, 1, LAMOST)
    assert not mask.any()
    assert {e["cut"]: e["dropped"] for e in flow.to_list() if e["dropped"]} == {
        "teff error <= 200": 1, "logg present": 1, "logg error <= 0.3": 1, "feh error <= 0.2": 1,
    }


def test_lists_that_print_no_errors():
    cfg = settings()
    frame = labelled(4, cfg, feh_err=[np.nan, 0.1, 0.3, -9.0])
    assert training_mask(frame, cfg, 1, {"labels": ["feh"]})[0].tolist() == [False, True, False, False]
    mask, flow = training_mask(frame, cfg, 1, {"labels": ["feh"], "missing_error_ok": True})
    assert mask.tolist() == [True, True, False, False]
    assert flow.to_list()[-1] == {"cut": "feh error <= 0.2 or not given", "kept": 2, "dropped": 2}


def test_conditions_of_the_supplement():
    cfg = settings()
    frame = labelled(4, cfg)
    frame["feh"], frame["snr"] = [-1.0, -1.01, -2.0, -2.0], [60.0, 60.0, 20.0, 20.1]
    mask, _ = training_mask(frame, cfg, 1, {"labels": ["feh"], "feh_max": -1.0, "snr_min": 20})
    assert mask.tolist() == [False, True, False, True]


def test_a_limit_of_null_makes_no_cut():
    cfg = settings(
        cuts={"parallax_over_err_min": None, "flags_zero": [], "teff_err_max": None, "ebv_max_train": None},
        features={"parallax": False, "abs_magnitude": None},
    )
    cfg["bands"]["gaia_g"]["err_max_train"] = None
    frame = labelled(3, cfg, teff_err=np.nan).assign(ebv_sfd=[3.0, np.nan, 0.0])
    frame = frame.drop(columns=["parallax", "parallax_err", "sages_u_flag", "sages_v_flag", "gaia_g_err"])
    assert training_mask(frame, cfg, 1, LAMOST)[0].tolist() == [True, False, True]


def test_features_that_need_a_parallax_keep_out_stars_without_one():
    cfg = settings(cuts={"parallax_over_err_min": None})
    frame = with_features(good_stars(3, cfg)).assign(parallax=[1.0, -1.0, np.nan]).drop(columns="parallax_err")
    assert prediction_mask(frame, cfg, 1)[0].tolist() == [True, False, False]
    cfg = settings(cuts={"parallax_over_err_min": None}, features={"abs_magnitude": None})
    assert prediction_mask(frame, cfg, 1)[0].tolist() == [True, True, False]


def test_absent_or_wrong_columns_are_named():
    cfg = settings()
    frame = with_features(good_stars(2, cfg))
    with pytest.raises(InputError, match="sages_v_err.*absent"):
        prediction_mask(frame.drop(columns="sages_v_err"), cfg, 1)
    with pytest.raises(InputError, match="parallax.*not numeric"):
        prediction_mask(frame.assign(parallax="near"), cfg, 1)


def test_no_rows():
    cfg = settings()
    mask, flow = prediction_mask(with_features(good_stars(2, cfg)).iloc[:0], cfg, 2)
    assert mask.shape == (0,) and flow.kept == 0


def test_a_flag_of_a_band_cuts_only_the_sets_that_use_it():
    cfg = settings(data_sets=[{"id": 1, "bands": ["sages_v", "gaia_g"]}, {"id": 2, "bands": ["sages_u", "sages_v", "gaia_g"]}])
    frame = with_features(good_stars(3, cfg)).assign(sages_u_flag=[0, 8, 0], sages_v_flag=[0, 0, 8])
    mask, flow = prediction_mask(frame, cfg, 1)
    assert mask.tolist() == [True, True, False]
    assert "sages_u_flag = 0" not in [e["cut"] for e in flow.to_list()]
    assert prediction_mask(frame, cfg, 2)[0].tolist() == [True, False, False]
    assert prediction_mask(frame.drop(columns="sages_u_flag"), cfg, 1)[0].tolist() == mask.tolist()
    cfg["cuts"]["flags_zero"] = ["blended"]  # no flag of a band: for every set
    for data_set in (1, 2):
        assert prediction_mask(frame.assign(blended=[1, 0, 0]), cfg, data_set)[0].tolist() == [False, True, True]


@pytest.mark.parametrize(("absent", "key"), [
    ("sages_u_flag", "sages.cuts.flags_zero"), ("sages_v_err", "sages.bands.sages_v.err_max_train"),
    ("parallax_err", "sages.cuts.parallax_over_err_min"), ("logg_err", "sages.cuts.logg_err_max"),
])  # fmt: skip
def test_the_key_that_asks_for_an_absent_column_is_named(absent, key):
    cfg = settings()
    with pytest.raises(InputError, match=f"column {absent}: is absent.*{key}"):
        training_mask(labelled(2, cfg).drop(columns=absent), cfg, 1, LAMOST)
