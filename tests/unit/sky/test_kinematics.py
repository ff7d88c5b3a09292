"""Motions: the projection against astropy, the laws of the components, the forced fast stars."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import CartesianDifferential, Galactic, Galactocentric, SkyCoord

from starlabels.sky import kinematics, populations

N = 20_000
INDEX = np.arange(N)


def test_projection_agrees_with_astropy():
    rng = np.random.default_rng(5)
    n = 300
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    distance, velocity = rng.uniform(20, 9000, n), rng.normal(0, 120, (n, 3))
    pmra, pmdec, rv = kinematics.observe(ra, dec, distance, velocity)
    frame = Galactocentric(
        galcen_coord=SkyCoord(0 * u.deg, 0 * u.deg, frame=Galactic()).icrs, galcen_distance=8.2 * u.kpc, z_sun=0 * u.pc,
        galcen_v_sun=np.array(kinematics.V_SUN) * u.km / u.s, roll=0 * u.deg,
    )  # fmt: skip
    place = SkyCoord(ra * u.deg, dec * u.deg, distance * u.pc).transform_to(frame)
    x, y = place.x.to_value(u.kpc), place.y.to_value(u.kpc)
    r = np.hypot(x, y)
    v = [velocity[:, 0] * x / r + velocity[:, 1] * y / r, velocity[:, 0] * y / r - velocity[:, 1] * x / r, velocity[:, 2]]
    full = place.cartesian.with_differentials(CartesianDifferential(*v, unit=u.km / u.s))
    seen = SkyCoord(frame.realize_frame(full)).icrs
    assert seen.pm_ra_cosdec.to_value(u.mas / u.yr) == pytest.approx(pmra, rel=2e-3, abs=0.02)
    assert seen.pm_dec.to_value(u.mas / u.yr) == pytest.approx(pmdec, rel=2e-3, abs=0.02)
    assert seen.radial_velocity.to_value(u.km / u.s) == pytest.approx(rv, abs=0.5)


def test_star_that_moves_with_the_sun_does_not_move():
    velocity = np.array([[-kinematics.V_SUN[0], kinematics.V_SUN[1], kinematics.V_SUN[2]]])  # v_R points away from the centre
    pmra, pmdec, rv = kinematics.observe(np.array([10.0]), np.array([70.0]), np.array([1e-3]), velocity)
    assert abs(rv[0]) < 1e-3 and np.hypot(pmra, pmdec)[0] * 1e-6 * 4.74 < 1e-3


@pytest.mark.parametrize("part, mean, sigma", [(populations.THICK, 161.0, 39.68), (populations.ACCRETED, 10.0, 90.0)])
def test_velocity_laws(part, mean, sigma):
    v = kinematics.draw_velocities(1, INDEX, np.full(N, part), np.full(N, -1.0), np.full(N, 11.0))
    assert v[:, 1].mean() == pytest.approx(mean, abs=4 * sigma / np.sqrt(N))
    assert v[:, 1].std() == pytest.approx(sigma, rel=0.03)
    assert abs(np.corrcoef(v.T)[0, 1]) < 0.04


def test_old_thin_disc_lags():
    young = kinematics.draw_velocities(1, INDEX, np.full(N, populations.THIN), np.zeros(N), np.full(N, 1.0))
    old = kinematics.draw_velocities(1, INDEX, np.full(N, populations.THIN), np.zeros(N), np.full(N, 10.0))
    assert young[:, 1].mean() - old[:, 1].mean() == pytest.approx((46**2 - 22.6**2) / 80, abs=1.0)


def test_forced_fast_stars_keep_their_direction():
    pmra, pmdec = np.full(N, 3.0), np.full(N, -4.0)
    fast_ra, fast_dec = kinematics.force_fast(1, INDEX, pmra, pmdec)
    total = np.hypot(fast_ra, fast_dec)
    assert (total > 100).mean() == pytest.approx(0.02, abs=0.004)
    assert (total > 400).mean() == pytest.approx(0.002, abs=0.0013)
    assert total[total > 5.0001].min() >= 105
    assert fast_ra / fast_dec == pytest.approx(-0.75)
    again_ra, _ = kinematics.force_fast(1, INDEX, 1e4 * pmra, 1e4 * pmdec)
    assert np.array_equal(again_ra, 1e4 * pmra)  # never slowed down
