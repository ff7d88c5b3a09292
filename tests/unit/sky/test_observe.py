"""Errors, limits, epochs, neighbours, identifiers."""

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time

from starlabels.cells import cell_of, cell_of_gaia_id
from starlabels.sky import layout, observe

INDEX = np.arange(20_000)


@pytest.mark.parametrize("band", list(observe.ERRORS))
def test_noise_has_the_stated_width_and_the_limit_acts(tiny, band):
    mag = np.full(len(INDEX), observe.faint_limit(band) - 1.0)
    seen, error, above = observe.measure(tiny(), "test", INDEX, band, mag)
    z = (seen - mag) / error
    assert abs(z.mean()) < 0.03 and z.std() == pytest.approx(1.0, abs=0.03)
    np.testing.assert_array_equal(above, seen <= observe.faint_limit(band))
    at_limit, error, above = observe.measure(tiny(), "test", INDEX, band, mag + 1.0)
    assert above.mean() == pytest.approx(0.5, abs=0.02) and error[0] < observe.LARGEST_ERROR
    assert at_limit[above].max() <= observe.faint_limit(band)
    assert not observe.measure(tiny(), "test", INDEX, band, mag + 5.0)[2].any()


def test_errors_grow_from_floor_to_table_2():
    for band, (floor, _, _, _, limit) in observe.ERRORS.items():
        curve = observe.sigma(band, np.linspace(5, limit, 50))
        assert (np.diff(curve) > 0).all() and curve[0] == pytest.approx(floor, rel=0.05)
    # values of the error law worked out by hand
    assert observe.sigma("sages_u", 16.5) == pytest.approx(np.hypot(0.007, 0.020))
    assert observe.photon_sigma("sages_u", 18.5) == pytest.approx(0.020 * 10**0.6)
    assert observe.parallax_sigma(15.0) == pytest.approx(0.00105 * np.sqrt(870))
    assert observe.parallax_sigma(9.0) == observe.parallax_sigma(13.0)


def test_streams_do_not_mix(tiny):
    config = tiny()
    mag = np.full(2000, 15.0)
    one = observe.measure(config, "a", INDEX[:2000], "gaia_g", mag)[0] - mag
    two = observe.measure(config, "b", INDEX[:2000], "gaia_g", mag)[0] - mag
    three = observe.measure({**config, "seed": 1}, "a", INDEX[:2000], "gaia_g", mag)[0] - mag
    assert abs(np.corrcoef([one, two, three]) - np.eye(3)).max() < 0.1
    part = observe.measure(config, "a", INDEX[500:700], "gaia_g", mag[:200])[0] - 15.0
    np.testing.assert_array_equal(part, one[500:700])


@pytest.mark.filterwarnings("ignore:ERFA function")
def test_motion_to_another_epoch_agrees_with_astropy():
    stars = pd.DataFrame(
        {"ra": [0.00001, 200.0, 310.0], "dec": [60.0, -3.0, 20.0], "pmra": [-900.0, 300.0, 0.0], "pmdec": [500.0, -800.0, 0.0]}
    )
    year = np.array([1999.5, 2010.5, 2018.0])
    ra, dec = observe.at_epoch(stars, year)
    here = SkyCoord(
        stars["ra"].to_numpy() * u.deg, stars["dec"].to_numpy() * u.deg, pm_ra_cosdec=stars["pmra"].to_numpy() * u.mas / u.yr,
        pm_dec=stars["pmdec"].to_numpy() * u.mas / u.yr, obstime=Time(2016.0, format="jyear", scale="tcb"), distance=1 * u.kpc,
    )  # fmt: skip
    for k in range(3):
        there = here[k].apply_space_motion(new_obstime=Time(year[k], format="jyear", scale="tcb"))
        assert there.separation(SkyCoord(ra[k] * u.deg, dec[k] * u.deg)).arcsec < 0.003
    assert observe.year_of_mjd(57388.5) == pytest.approx(2016.0, abs=0.002)


def test_gaia_ids_carry_their_cell_and_are_unique_for_a_million_stars():
    rng = np.random.default_rng(0)
    index = np.concatenate(
        [np.arange(500_000), 2 * layout.FIELD_STEP + np.arange(250_000), 2 * layout.FIELD_STEP + layout.COMPANION + np.arange(250_000)]
    )
    # all on one spot of the sky: the worst case
    ra, dec = rng.uniform(140, 140.02, len(index)), rng.uniform(40, 40.02, len(index))
    ids = observe.gaia_source_id(ra, dec, index)
    assert ids.dtype == np.int64 and (ids > 0).all()
    assert len(np.unique(ids)) == len(index)
    np.testing.assert_array_equal(cell_of_gaia_id(ids[:5000], 8), cell_of(ra[:5000], dec[:5000], 8))
    np.testing.assert_array_equal(cell_of_gaia_id(ids[:5000], 4096), cell_of(ra[:5000], dec[:5000], 4096))


def test_neighbours_are_as_many_as_near_and_as_faint_as_they_should_be(sample):
    stars, _ = sample
    near = stars[stars["is_companion"]]
    first = stars.iloc[near["partner"].to_numpy()]
    n = (~stars["is_companion"]).sum()
    assert len(near) == pytest.approx(0.03 * n, abs=4 * np.sqrt(0.03 * n))
    apart = SkyCoord(near["ra"].to_numpy() * u.deg, near["dec"].to_numpy() * u.deg).separation(
        SkyCoord(first["ra"].to_numpy() * u.deg, first["dec"].to_numpy() * u.deg)
    )
    np.testing.assert_allclose(apart.arcsec, near["separation"], atol=1e-5)
    assert near["separation"].min() >= 0.5 and near["separation"].max() <= 4.0
    fainter = near["gaia_g"].to_numpy() - first["gaia_g"].to_numpy()
    assert fainter.min() >= 0 and fainter.max() <= 5
    np.testing.assert_array_equal(first["partner"], near.index)
    # their distance follows their brightness
    np.testing.assert_allclose(near["parallax"], 1000 / near["distance"])
    modulus = near["gaia_g"] - near["abs_gaia_g"] - 5 * np.log10(near["distance"] / 10)
    np.testing.assert_allclose(modulus, 2.364 * near["ebv"], atol=1e-9)


def test_blends_sum_fluxes_and_leave_wide_pairs_alone(sample):
    stars, _ = sample
    sources = observe.blend(stars, ("wise_w1", "wise_w2"), 2010.5)
    close = stars["is_companion"] & (stars["separation"] < 3.0)
    assert len(sources) == len(stars) - close.sum() and close.sum() > 20
    mixed = sources[sources["second"] >= 0]
    assert set(mixed["second"]) == set(np.flatnonzero(close))
    flux = 10 ** (-0.4 * stars["wise_w2"].to_numpy())
    np.testing.assert_allclose(10 ** (-0.4 * mixed["wise_w2"]), flux[mixed["row"]] + flux[mixed["second"]])
    ra, dec = observe.at_epoch(stars, 2010.5)
    at = [SkyCoord(ra[r] * u.deg, dec[r] * u.deg) for r in (mixed["row"].to_numpy(), mixed["second"].to_numpy())]
    here = SkyCoord(mixed["ra"].to_numpy() * u.deg, mixed["dec"].to_numpy() * u.deg)
    np.testing.assert_allclose((here.separation(at[0]) + here.separation(at[1])).arcsec, at[0].separation(at[1]).arcsec, rtol=1e-3)
    alone = sources[sources["second"] < 0]
    np.testing.assert_array_equal(alone["wise_w1"], stars["wise_w1"].to_numpy()[alone["row"]])


def test_zero_points_differ_from_pointing_to_pointing_and_can_be_switched_off(tiny):
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 5000), np.degrees(np.arcsin(rng.uniform(-1, 1, 5000)))
    shift = observe.zero_point(tiny(), "u", ra, dec)
    assert shift.std() == pytest.approx(observe.ZERO_POINT_SIGMA, rel=0.1)
    near = observe.zero_point(tiny(), "u", np.full(3, 140.3), 40.2 + np.array([0, 1e-4, 2e-4]))
    assert len(set(near)) == 1
    assert not observe.zero_point(tiny(zero_points=False), "u", ra, dec).any()
