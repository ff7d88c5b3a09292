"""Corrected magnitudes, colours and the feature matrix."""

import copy

import numpy as np
import pandas as pd
import pytest
import yaml

from starlabels.errors import InputError
from starlabels.photometry import absolute_magnitude, bands_of, colour_names, deredden, feature_matrix, feature_names


@pytest.fixture(scope="module")
def cfg(request):
    return yaml.safe_load((request.config.rootpath / "config" / "sages.yaml").read_text())["sages"]


def stars(cfg, n=5, seed=3):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({band: rng.uniform(12, 18, n) for band in cfg["bands"]})
    return frame.assign(ebv_sfd=rng.uniform(0, 0.3, n), parallax=rng.uniform(0.2, 5, n))


def test_table_1_as_printed(cfg):
    printed = {
        "galex_nuv": 7.294, "sages_u": 4.324, "sages_v": 3.917, "gaia_g": 2.364, "gaia_bp": 2.998, "gaia_rp": 1.737,
        "tmass_j": 0.748, "tmass_h": 0.453, "tmass_ks": 0.306, "wise_w1": 0.194, "wise_w2": 0.138,
    }
    frame = stars(cfg)
    out = deredden(frame, cfg)
    for band, coefficient in printed.items():
        np.testing.assert_allclose(frame[band] - out[f"{band}_0"], coefficient * frame["ebv_sfd"], atol=1e-12)


def test_deredden_takes_only_the_bands_that_are_there_and_leaves_the_input(cfg):
    frame = stars(cfg)[["gaia_g", "ebv_sfd"]]
    out = deredden(deredden(frame, cfg), cfg)
    assert list(out.columns) == ["gaia_g", "ebv_sfd", "gaia_g_0"]
    assert list(frame.columns) == ["gaia_g", "ebv_sfd"]


def test_deredden_needs_the_reddening(cfg):
    with pytest.raises(InputError, match="ebv_sfd.*absent"):
        deredden(stars(cfg).drop(columns="ebv_sfd"), cfg)
    with pytest.raises(InputError, match="ebv_sfd.*not numeric"):
        deredden(stars(cfg).assign(ebv_sfd="much"), cfg)


def test_absolute_magnitude():
    # at 10 pc the two magnitudes are equal; ten times as far makes 5 mag
    np.testing.assert_allclose(absolute_magnitude([5.0, 5.0], [100.0, 10.0]), [5.0, 0.0])
    assert np.isnan(absolute_magnitude([5.0, 5.0, 5.0, np.nan], [0.0, -1.0, np.nan, 1.0])).all()


def test_18_and_69_features_in_the_order_of_the_contract(cfg):
    names = feature_names(cfg, 1)
    assert len(names) == 18
    assert len(feature_names(cfg, 2)) == 69
    assert (len(colour_names(cfg, 1)), len(colour_names(cfg, 2))) == (10, 55)
    assert names[:5] == ["sages_u_0", "sages_v_0", "gaia_g_0", "gaia_bp_0", "gaia_rp_0"]
    assert names[5:9] == ["col_u_v_0", "col_u_g_0", "col_u_bp_0", "col_u_rp_0"]
    assert names[14:] == ["col_bp_rp_0", "parallax", "abs_gaia_g_0", "ebv_sfd"]


def test_matrix_holds_what_the_names_say(cfg):
    frame = deredden(stars(cfg), cfg)
    frame["abs_gaia_g_0"] = absolute_magnitude(frame["gaia_g_0"], frame["parallax"])
    names, matrix = feature_matrix(frame, cfg, 2)
    assert matrix.dtype == np.float32 and matrix.shape == (5, 69) and matrix.flags.c_contiguous
    by_tag = {spec["tag"]: band for band, spec in cfg["bands"].items()}
    for name, values in zip(names, matrix.T, strict=True):
        if name.startswith("col_"):
            _, first, second, _ = name.split("_")
            expected = frame[f"{by_tag[first]}_0"] - frame[f"{by_tag[second]}_0"]
        else:
            expected = frame[name]
        np.testing.assert_array_equal(values, expected.to_numpy().astype(np.float32), err_msg=name)


def test_colours_are_differences_of_float64(cfg):
    frame = deredden(stars(cfg, n=200), cfg).assign(abs_gaia_g_0=0.0)
    names, matrix = feature_matrix(frame, cfg, 1)
    exact = (frame["sages_u_0"] - frame["sages_v_0"]).to_numpy()
    single = frame["sages_u_0"].to_numpy().astype(np.float32) - frame["sages_v_0"].to_numpy().astype(np.float32)
    found = matrix[:, names.index("col_u_v_0")]
    assert np.abs(found - exact).max() < np.abs(single - exact).max()


def test_missing_magnitude_stays_missing(cfg):
    frame = deredden(stars(cfg), cfg).assign(abs_gaia_g_0=0.0)
    frame.loc[1, "sages_v_0"] = np.nan
    names, matrix = feature_matrix(frame, cfg, 1)
    bad = [n for n, row in zip(names, np.isnan(matrix[1]), strict=True) if row]
    assert bad == ["sages_v_0", "col_u_v_0", "col_v_g_0", "col_v_bp_0", "col_v_rp_0"]
    assert np.isfinite(np.delete(matrix, 1, axis=0)).all()


def test_switches_for_a_survey_without_parallax(cfg):
    other = copy.deepcopy(cfg)
    other["features"] = {"magnitudes": False, "colours": "neighbours", "parallax": False, "abs_magnitude": None, "ebv": False}
    assert feature_names(other, 1) == ["col_u_v_0", "col_v_g_0", "col_g_bp_0", "col_bp_rp_0"]
    frame = deredden(stars(cfg), other)[["sages_u_0", "sages_v_0", "gaia_g_0", "gaia_bp_0", "gaia_rp_0"]]
    assert feature_matrix(frame, other, 1)[1].shape == (5, 4)
    other["features"] |= {"colours": "none", "magnitudes": True}
    assert feature_matrix(frame, other, 1)[0] == ["sages_u_0", "sages_v_0", "gaia_g_0", "gaia_bp_0", "gaia_rp_0"]
    assert colour_names(other, 1) == []


def test_wrong_configuration_and_absent_columns_are_named(cfg):
    with pytest.raises(InputError, match="no data set 3.*1, 2"):
        bands_of(cfg, 3)
    other = copy.deepcopy(cfg)
    other["features"]["colours"] = "some"
    with pytest.raises(InputError, match="features.colours.*'some'"):
        feature_names(other, 1)
    other["data_sets"][0]["bands"] = ["sages_x"]
    with pytest.raises(InputError, match="sages_x"):
        bands_of(other, 1)
    with pytest.raises(InputError, match="gaia_rp_0.*absent"):
        feature_matrix(deredden(stars(cfg), cfg).drop(columns="gaia_rp_0"), cfg, 1)


def test_empty_frame(cfg):
    frame = deredden(stars(cfg).iloc[:0], cfg).assign(abs_gaia_g_0=0.0)
    assert feature_matrix(frame, cfg, 2)[1].shape == (0, 69)
