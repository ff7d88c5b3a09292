"""Variants, the published split, the split by stars, twins, scaling."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split
from unit.rave.rave_survey_files import configuration

from starlabels.errors import InputError
from starlabels.rave.scaling import absolute_magnitudes, limits, raw_inputs, scaled, scaling_of, unscaled
from starlabels.rave.split import roles, twins
from starlabels.rave.variants import merged

SPLIT = {"test_fraction": 0.06, "by": "spectrum", "seed": 42}


def test_every_configured_variant_can_be_merged():
    cfg = configuration()
    before = copy.deepcopy(cfg)
    for name in cfg["variants"]:
        merged(cfg, name)
    assert cfg == before
    main = merged(cfg, "main")
    assert all(main[key] == cfg[key] for key in cfg if key != "training")
    assert main["training"] == {**cfg["training"], "extra_poor_parallaxes": 0}
    assert (main["label_noise"], main["distance"]) == (False, "parallax")


def test_variants_change_what_they_name():
    cfg = configuration()
    assert merged(cfg, "snr_below_30")["training"]["snr_max"] == 30
    assert merged(cfg, "snr_below_30")["training"]["snr_apogee_min"] == 60
    assert merged(cfg, "star_grouped")["split"] == {**SPLIT, "by": "star"}
    assert merged(cfg, "no_convolution")["network"]["filters"] == []
    assert "av_starhorse" not in merged(cfg, "no_extinction")["inputs"]
    assert merged(cfg, "starhorse_distance")["distance"] == "starhorse"
    assert merged(cfg, "poor_parallaxes")["training"]["extra_poor_parallaxes"] == 150


@pytest.mark.parametrize(("changes", "text"), [
    ({"trainning": {}}, "trainning.*is not known.*training"), ({"training": {"snr_mn": 1}}, "training.snr_mn.*Did you mean `snr_min`"),
    ({"spectra": {"step": 0.5}}, "cannot be changed by a variant"), ({"training": 5}, "a mapping is expected"),
    ({"split": {"seed": {"a": 1}}}, "no mapping is expected"), ({"distance": "gaia"}, "Use parallax or starhorse"),
])  # fmt: skip
def test_unknown_changes_are_refused(changes, text):
    cfg = configuration()
    cfg["variants"]["mine"] = changes
    with pytest.raises(InputError, match=text):
        merged(cfg, "mine")
    with pytest.raises(InputError, match="no variant 'other'"):
        merged(cfg, "other")


@pytest.mark.parametrize(("n", "fraction", "seed"), [(3904, 0.06, 42), (3904, 0.03, 42), (3904, 0.4, 42), (101, 0.2, 1), (50, 0.06, 7)])
def test_published_rule_is_that_of_scikit_learn(n, fraction, seed):
    role = roles(np.arange(n), {"test_fraction": fraction, "by": "spectrum", "seed": seed})
    train, test = train_test_split(np.arange(n), test_size=fraction, random_state=seed)
    np.testing.assert_array_equal(np.flatnonzero(role == "test"), np.sort(test))
    np.testing.assert_array_equal(np.flatnonzero(role == "train"), np.sort(train))


def test_split_by_star_keeps_stars_together():
    rng = np.random.default_rng(0)
    stars = rng.integers(0, 300, 800) + 5_983_723_702_088_571_392
    split = {**SPLIT, "by": "star"}
    role = roles(stars, split)
    assert not twins(stars, role).any() and twins(stars, roles(stars, SPLIT)).any()
    wanted = math.ceil(0.06 * 800)
    assert wanted <= (role == "test").sum() < wanted + np.bincount(pd.factorize(stars)[0]).max()
    np.testing.assert_array_equal(role, roles(stars, split))
    assert (role != roles(stars, {**split, "seed": 1})).any()


@pytest.mark.parametrize("by", ["spectrum", "star"])
def test_empty_part_is_refused(by):
    for stars in (np.array([1]), np.zeros(0)):
        with pytest.raises(InputError, match="test_fraction.*leaves no"):
            roles(stars, {**SPLIT, "by": by})
    with pytest.raises(InputError, match="Use spectrum or star"):
        roles(np.arange(9), {**SPLIT, "by": "field"})


def test_twins_are_test_rows_with_a_training_row():
    stars, role = np.array([1, 1, 2, 2, 3, 4]), np.array(["test", "train", "test", "test", "test", "train"])
    assert twins(stars, role).tolist() == [True, False, False, False, False, False]


def photometry(n=5):
    bands = ("gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2")
    frame = pd.DataFrame({band: 10.0 + 0.1 * k + np.arange(n) for k, band in enumerate(bands)})
    return frame.assign(parallax=[2.0, 0.05, -1.0, np.nan, 10.0], av_starhorse=0.3, dist_starhorse=[500.0, 1000.0, np.nan, 100.0, 0.0])


def test_inputs_by_parallax_and_by_starhorse_distance():
    cfg, frame = configuration(), photometry()
    values = raw_inputs(frame, merged(cfg, "main"))
    assert values.shape == (5, 9) and (values[:, 8] == 0.3).all()
    np.testing.assert_allclose(values[:, 0], [10 + 5 * np.log10(2) - 10, 11 - 15, 12 - 15, np.nan, 14 - 5])
    assert raw_inputs(frame, merged(cfg, "no_extinction")).shape == (5, 8)
    far = absolute_magnitudes(frame, merged(cfg, "starhorse_distance"))["abs_gaia_g"]
    np.testing.assert_allclose(far, [10 - 5 * np.log10(50), 11 - 10, np.nan, 13 - 5, np.nan])


def test_scaling_there_and_back():
    bounds = {"a": [2.0, 4.0], "b": [-1.0, 0.0]}
    values = np.array([[2.0, -1.0], [4.0, 0.0], [5.0, -2.0]])
    np.testing.assert_allclose(scaled(values, bounds, ["a", "b"]), [[0, 0], [1, 1], [1.5, -1]])
    np.testing.assert_allclose(unscaled(scaled(values, bounds, ["a", "b"]), bounds, ["a", "b"]), values)
    np.testing.assert_allclose(scaled(values[:, ::-1], bounds, ["b", "a"])[:, 1], [0, 1, 1.5])


def test_limits_refuse_what_cannot_be_scaled():
    frame = pd.DataFrame({"a": [1.0, 1.0], "b": [1.0, np.nan], "c": [0.0, 2.0]})
    assert limits(frame, ["c"]) == {"c": [0.0, 2.0]}
    with pytest.raises(InputError, match="column a: is 1 in all 2 rows"):
        limits(frame, ["a"])
    with pytest.raises(InputError, match="column b: has missing values"):
        limits(frame, ["b"])


@pytest.mark.parametrize(("flags", "expected"), [("train", [0.0, 2.0]), ("all", [0.0, 5.0])])
def test_limits_of_the_flags(flags, expected):
    cfg = {"labels": ["teff"], "inputs": ["av_starhorse"], "flags": flags}
    frame = pd.DataFrame({"role": ["train", "train", "test"], "teff": [0.0, 2.0, 5.0], "av_starhorse": [0.1, 0.2, 9.0]})
    found = scaling_of(frame, cfg)
    assert found == {"labels": {"teff": [0.0, 2.0]}, "inputs": {"av_starhorse": [0.1, 0.2]}, "flags": {"teff": expected}}
    with pytest.raises(InputError, match="rave.flags"):
        scaling_of(frame, {**cfg, "flags": "both"})
