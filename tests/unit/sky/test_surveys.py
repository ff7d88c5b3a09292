"""Spectroscopic labels: offsets are switches, noise is as stated, samples have the wanted kind."""

import numpy as np
import pandas as pd
import pytest

from starlabels.sky import labels


def _stars(n=20_000, **columns):
    base = {
        "star_index": np.arange(n), "teff": 5700.0, "logg": 4.4, "feh": -0.2, "gaia_g": 14.0, "tmass_h": 12.5, "kind": "dwarf",
        "is_companion": False, "ebv_map": 0.02,
    }  # fmt: skip
    return pd.DataFrame({**base, **columns}, index=range(n))


def _with(tiny, survey, switch):
    config = tiny()
    config["sky"]["label_offsets"][survey] = switch
    return config


@pytest.mark.parametrize(
    ("survey", "columns", "offset", "sigma"),
    [
        ("lamost", {}, {"teff": 30, "logg": 0.02, "feh": 0.01}, {"teff": 45, "logg": np.hypot(0.05, 0.05), "feh": 0.035}),
        ("lamost", {"logg": 2.5, "gaia_g": 17.0}, {"teff": 10}, {"teff": 30 * 2.3, "feh": 0.035 * 2.3}),
        ("lamost", {"feh": -2.0}, {"feh": 0.01 + 0.05}, {"feh": 0.035 + 0.03 * 1.5}),
        ("apogee", {}, {"teff": -15, "logg": 0.0, "feh": 0.0}, {"teff": 50, "logg": 0.05, "feh": 0.015}),
        ("apogee", {"logg": 2.0, "feh": -1.5}, {"teff": -5}, {"teff": 25, "logg": 0.04, "feh": 0.035}),
        ("rave5", {}, {"teff": -30, "logg": 0.05, "feh": -0.05}, {"teff": 110, "logg": 0.25, "feh": 0.13}),
        ("pastel", {}, {"teff": 20, "logg": 0.0, "feh": 0.0}, {"teff": 60, "logg": 0.10, "feh": 0.07}),
        ("vmp", {"feh": -2.2}, {"teff": -50, "logg": -0.1, "feh": -0.427}, {"teff": 100, "logg": 0.2, "feh": 0.12}),
        ("vmp", {"feh": -0.9}, {"feh": 0.0}, {"feh": 0.12}),
        ("h23", {}, {"teff": -20, "feh": 0.0}, {"teff": 60, "feh": 0.10}),
        ("a23", {}, {"teff": 0.0, "logg": 0.0, "feh": 0.0}, {"teff": 90, "logg": 0.12, "feh": 0.12}),
    ],
)
def test_offsets_and_noise_are_those_of_the_design(tiny, survey, columns, offset, sigma):
    stars = _stars(**columns)
    on = labels.measured(survey, stars, _with(tiny, survey, True))
    off = labels.measured(survey, stars, _with(tiny, survey, False))
    for label, width in sigma.items():
        residual = off[label] - stars[label]
        assert abs(residual.mean()) < 4 * width / np.sqrt(len(stars))
        assert residual.std() == pytest.approx(width, rel=0.03)
        # the stated error is the true one times LogNormal(0, 0.25)
        assert np.median(off[f"{label}_err"]) == pytest.approx(width, rel=0.02)
        assert np.log(off[f"{label}_err"]).std() == pytest.approx(0.25, rel=0.03)
    for label, shift in offset.items():
        np.testing.assert_allclose(on[label] - off[label], shift, atol=1e-9)


def test_lamost_ends_at_minus_two_and_a_half_and_a23_at_7000(tiny):
    poor = labels.measured("lamost", _stars(feh=-3.5), tiny())["feh"]
    assert poor.min() >= labels.LAMOST_FLOOR and poor.median() < -2.4
    hot = labels.measured("a23", _stars(teff=7600.0), tiny())["teff"]
    assert hot.max() <= 7000 and 6500 < hot.median() < 7000


def test_visits_share_the_offset_and_not_the_noise(tiny):
    one, two = (labels.measured("apogee", _stars(2000), tiny(), visit)["teff"] for visit in (0, 1))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.1


def test_who_is_observed(tiny):
    config = tiny()
    share = config["sky"]["fraction_labelled"]
    picked = labels.selected("lamost", _stars(), config).mean()
    assert 0.6 * share["lamost"] < picked <= share["lamost"] + 0.02
    for survey in ("lamost", "apogee", "rave5", "pastel", "vmp", "h23", "a23"):
        assert not labels.selected(survey, _stars(500, kind="white_dwarf"), config).any()
        assert not labels.selected(survey, _stars(500, is_companion=True), config).any()
    assert labels.selected("apogee", _stars(kind="giant"), config).mean() > 2 * labels.selected("apogee", _stars(), config).mean()
    assert not labels.selected("vmp", _stars(feh=-0.5), config).any()
    assert labels.selected("vmp", _stars(feh=-2.0), config).mean() == pytest.approx(0.9, abs=0.02)
    none = tiny(fraction_labelled={"lamost": 0.0, "apogee": 0.0, "rave5": 0.0, "pastel": 0.0})
    assert not any(labels.selected(s, _stars(), none).any() for s in share)


def test_a_third_of_apogee_is_common_with_lamost_when_six_tenths_are_observed(tiny):
    config = tiny(fraction_labelled={"lamost": 0.60, "apogee": 0.20, "rave5": 0.0, "pastel": 0.0})
    apogee, lamost = (labels.selected(s, _stars(), config) for s in ("apogee", "lamost"))
    assert lamost[apogee].mean() == pytest.approx(1 / 3, abs=0.04)
