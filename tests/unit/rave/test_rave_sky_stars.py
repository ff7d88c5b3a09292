"""True stars and orbits of the simulated RAVE survey."""

import numpy as np
import pandas as pd
import pytest
from unit.rave.rave_sky import rave_config, small_config

from starlabels.sky import kinematics
from starlabels.sky.rave import layout, orbits, stars


@pytest.fixture(scope="module")
def config():
    return rave_config()


@pytest.fixture(scope="module")
def field(config):
    """All stars of the four fields."""
    pieces = [p for p in layout.shards(config) if p.kind == "field"]
    return pd.concat([stars.true_stars(p, config) for p in pieces], ignore_index=True)


def test_a_star_does_not_depend_on_the_others(config):
    piece = layout.shard(config, "south2-001")
    ra, dec = stars.field_places(piece, 42)
    all_of_them = stars.draw_stars(piece.index, ra, dec, config)
    some = np.array([1400, 3, 77])
    few = stars.draw_stars(piece.index[some], ra[some], dec[some], config)
    pd.testing.assert_frame_equal(few, all_of_them.iloc[some].reset_index(drop=True))


def test_population_is_that_of_the_published_labels(field):
    giant = (field["kind"] == "giant").to_numpy()
    assert giant.mean() == pytest.approx(0.59, abs=0.02)
    share = field["component"].value_counts(normalize=True)
    giants = field.loc[giant, "component"].value_counts(normalize=True)
    assert giants["thick"] == pytest.approx(0.31, abs=0.05) and share["thin"] > 0.7
    assert 0.01 < giants["halo_accreted"] + giants["halo_insitu"] < 0.05
    assert field["teff"].between(3650, 7200).all() and field["feh"].between(-2.2, 0.45).all()
    # Teff and log g of the giants of the authors' sample: 16, 50 and 84 %
    np.testing.assert_allclose(np.percentile(field.loc[giant, "teff"], [16, 50, 84]), [4208, 4680, 4906], atol=90)
    assert np.median(field.loc[giant, "logg"]) == pytest.approx(2.41, abs=0.08)
    assert field["feh"].std() == pytest.approx(0.29, abs=0.04)
    assert np.median(field["gaia_g"]) == pytest.approx(11.05, abs=0.1)
    assert (3.1 * field["ebv"] < 0.5).mean() == pytest.approx(0.82, abs=0.02)


def test_thick_disc_gains_with_height_and_the_thin_disc_has_a_gradient(field):
    giants = field[field["kind"] == "giant"]
    rich = giants["alpha_fe"] > 0.12
    height = giants["z_gal"].abs()
    shares = [rich[(height >= low) & (height < high)].mean() for low, high in ((0, 0.5), (0.5, 1), (1, 2), (2, 4))]
    assert shares == sorted(shares) and shares[0] < 0.2 and shares[-1] > 0.6
    thin = giants[giants["component"] == "thin"]
    assert np.polyfit(thin["r_gal"], thin["feh"], 1)[0] == pytest.approx(-0.06, abs=0.025)


def test_components_rotate_as_in_section_8(field):
    giants = field[field["kind"] == "giant"]
    thin = giants[(giants["ecc"] < 0.25) & (giants["z_max"] < 0.8)]
    collapse = giants[(giants["ecc"] > 0.25) & (giants["z_max"] > 0.8) & (giants["v_phi"] > 40)]
    assert np.polyfit(thin["feh"], thin["v_phi"], 1)[0] == pytest.approx(-24, abs=12)
    assert np.polyfit(collapse["feh"], collapse["v_phi"], 1)[0] == pytest.approx(48, abs=15)
    assert 0 < (giants["v_phi"] < 40).mean() < 0.05


def test_k2_stars_are_giants_that_oscillate(config):
    piece = layout.shard(config, "k2-000")
    found = stars.true_stars(piece, config)
    assert len(found) == 462 and (found["kind"] == "giant").all()
    assert found["logg"].between(1.5, 3.3).mean() > 0.99


def test_clusters_and_the_supergiant(config):
    found = stars.true_stars(layout.shard(config, "clusters-000"), config)
    assert found["cluster"].value_counts().to_dict() == {"47 Tuc": 12, "Pleiades": 12, "omega Cen": 12, "IC 4651": 8, "": 1, "Blanco 1": 1}
    star = found[found["cluster"] == ""].iloc[0]
    assert star["gaia_dr2_source_id"] == 5983723702088571392 and star["logg"] == 1.02 and star["parallax"] == pytest.approx(0.4)
    assert (star["ra"], star["dec"]) == pytest.approx(layout.SUPERGIANT_PLACE, abs=0.01)
    assert (found.loc[found["cluster"] == "omega Cen", "logg"] < 2).all()
    lone = stars.true_stars(layout.shard(small_config(clusters=[]), "clusters-000"), small_config(clusters=[]))
    assert lone["gaia_dr2_source_id"].tolist() == [5983723702088571392]


def test_ids_are_unique_and_lie_in_their_pixel(field):
    ids = field["gaia_dr2_source_id"]
    assert ids.is_unique and (ids > 2**35).all() and ((ids.to_numpy() >> 35) < 12 * 4096**2).all()


def test_phase_space_is_the_inverse_of_the_observation():
    rng = np.random.default_rng(1)
    n = 500
    ra, dec, distance = rng.uniform(0, 360, n), rng.uniform(-90, 90, n), rng.uniform(50, 5000, n)
    velocity = np.column_stack([rng.normal(0, 60, n), rng.normal(200, 60, n), rng.normal(0, 40, n)])
    now = orbits.phase_space(ra, dec, distance, *kinematics.observe(ra, dec, distance, velocity))
    np.testing.assert_allclose(np.column_stack([now["v_r"], now["v_phi"], now["v_z"]]), velocity, atol=1e-8)
    r_gal, z_gal = orbits.place(ra, dec, distance)
    np.testing.assert_allclose(now["r_gal"], r_gal)
    np.testing.assert_allclose(now["z_gal"], z_gal)
    at_sun = orbits.place(np.array([10.0]), np.array([20.0]), np.array([1e-6]))
    assert at_sun[0][0] == pytest.approx(8.2) and abs(at_sun[1][0]) < 1e-6


def test_orbits_turn_where_the_energy_says():
    rng = np.random.default_rng(2)
    n = 300
    r, v_r, v_phi = rng.uniform(3, 15, n), rng.normal(0, 90, n), rng.normal(120, 120, n)
    zero = np.zeros(n)
    found = orbits.limits(r, zero, v_r, v_phi, zero)
    energy = v_r**2 / 2 + v_phi**2 / 2 + 236.0**2 * np.log(r)
    for name in ("r_peri", "r_apo"):
        np.testing.assert_allclose((r * v_phi / found[name]) ** 2 / 2 + 236.0**2 * np.log(found[name]), energy, rtol=1e-7)
    assert (found["r_peri"] <= r * (1 + 1e-9)).all() and (found["r_apo"] >= r * (1 - 1e-9)).all()
    np.testing.assert_allclose(found["r_mean"], (found["r_peri"] + found["r_apo"]) / 2)
    one = np.array([8.0])
    circle = orbits.limits(one, np.array([0.3]), 0 * one, 236.0 + 0 * one, np.array([30.0]))
    assert circle["ecc"][0] == pytest.approx(0, abs=1e-6)
    assert circle["z_max"][0] == pytest.approx(np.sqrt(0.09 + 0.16 * 1.36))
    plunging = orbits.limits(one, 0 * one, 100 * one, 0 * one, 0 * one)
    assert plunging["ecc"][0] > 0.99 and np.isfinite(plunging["r_apo"][0])
